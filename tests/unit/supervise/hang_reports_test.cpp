#include "fakes.hpp"

#include "supervise/hang_reports.hpp"
#include <bgt/os/clock.hpp>
#include <bgt/os/wait.hpp>
#include <bgt/store/report.hpp>

#include "support/eventually.hpp"

#include <csignal>
#include <fstream>
#include <sys/syscall.h>

using namespace bgt;
using namespace bgt::supervise;
using namespace bgt::supervise::test;

namespace {

/// Output as the reports need it: something to do while their writer works.
struct Flowing final : TaskOutput {
    bool stops_writer = false; ///< as a file system does that does not answer
    int calls = 0;
    void take_all() override {}
    void take_until(int descriptor, Instant end) override
    {
        ++calls;
        if (stops_writer) syscall(SYS_pidfd_send_signal, descriptor, SIGSTOP, nullptr, 0);
        os::await_readable({descriptor, -1, -1}, end);
    }
    void drain(bool) override {}
    void begin_attempt() override {}
    Ranges attempt_ranges() const override { return {}; }
};

struct Reporting {
    Story story;
    Records records;
    store::TaskSpec spec = made_spec();
    std::string root = "/nowhere";
    std::vector<std::string> env{"PATH=/usr/bin:/bin"};
    Fd stdin_writer;
    Helpers helpers;
    FakeTree tree{helpers, story};
    Observer observer{records.folder.dir().fd(), spec};
    Flowing output;
    FakeSink sink;
    HangReports reports{HangReports::Parts{records.folder.dir(), spec, root, env, stdin_writer,
                                           records.recorder, tree, observer, output, helpers,
                                           sink}};

    Reporting() { tree.living.clear(); }
    ~Reporting()
    {
        for (const std::int32_t pid : helpers) os::reap(pid);
    }
    static store::TaskSpec made_spec()
    {
        store::TaskSpec spec;
        spec.id = store::TaskId{7};
        spec.name = "web";
        spec.command = {"true"};
        spec.cwd = "/";
        spec.policy.hang.output = 3s;
        return spec;
    }
    bool has_event(const std::string& text) const
    {
        return records.events().find(text) != std::string::npos;
    }
};

} // namespace

TEST_CASE("a report holds what the supervisor knows, and is put on record")
{
    Reporting hang;
    hang.sink.at.hang_state.activity = core::Activity::blocked;
    hang.observer.output_came(os::now() - 5s);
    const auto number = hang.reports.report(core::Reason::output_timeout);
    REQUIRE(number);
    CHECK(*number == 1);
    CHECK(hang.output.calls > 0);
    const auto report = store::read_report(hang.records.folder.dir(), *number);
    REQUIRE(report);
    CHECK(report->evidence.task_id == 7);
    CHECK(report->evidence.task_name == "web");
    CHECK(report->evidence.rule == core::Reason::output_timeout);
    CHECK(report->evidence.limit == 3s);
    CHECK(report->evidence.activity == core::Activity::blocked);
    REQUIRE(report->evidence.ages.byte);
    CHECK(*report->evidence.ages.byte >= 5s);
    CHECK_FALSE(report->evidence.ages.heartbeat);
    CHECK(hang.has_event("\"report\""));
    CHECK(hang.has_event("output-timeout"));
    CHECK(hang.helpers.empty());

    const auto asked = hang.reports.report(core::Reason::self); // bgt why
    REQUIRE(asked);
    CHECK(*asked == 2);
    CHECK_FALSE(store::read_report(hang.records.folder.dir(), 2)->evidence.rule);
}

TEST_CASE("a writer of a report that gets stuck is given up in time")
{
    Reporting hang;
    hang.output.stops_writer = true;
    const Instant began = os::now();
    CHECK_FALSE(hang.reports.report(core::Reason::output_timeout));
    CHECK(os::now() - began >= 1s);
    CHECK(hang.has_event("report-failed"));
    CHECK(hang.has_event("it took too long"));
    REQUIRE(hang.helpers.size() == 1); // killed; reaped with the others
    CHECK(bgt::test::eventually(bgt::test::test_timeout,
                                [&] { return os::has_ended(*hang.helpers.begin()); }));
    hang.helpers.clear();
}

TEST_CASE("a report that can't be written is told")
{
    Reporting hang;
    std::ofstream(hang.records.folder.path("reports")) << "a file in the place of the folder";
    CHECK_FALSE(hang.reports.report(core::Reason::output_timeout));
    CHECK(hang.has_event("it could not be written"));
    CHECK(hang.helpers.empty());
}

TEST_CASE("the command for a hang is told what fired and where the report is")
{
    Reporting hang;
    const std::string told = hang.records.folder.path("told");
    hang.spec.hang_command =
        "echo $BGT_TASK_ID $BGT_HANG_RULE ${BGT_REPORT##*/} > " + told + "; exit 9";
    REQUIRE(hang.reports.report(core::Reason::output_timeout));
    hang.reports.run_hook(core::Reason::output_timeout);
    CHECK(hang.helpers.size() == 1);
    REQUIRE(bgt::test::eventually(bgt::test::test_timeout,
                                  [&] { return hang.has_event("hook-ended"); }));
    CHECK(hang.has_event("\"event\":\"hook\""));
    CHECK(hang.has_event("\"code\":9"));
    std::string text;
    std::getline(std::ifstream(told) >> std::ws, text);
    CHECK(text == "7 output-timeout 1.json");
}
