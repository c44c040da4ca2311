#include "temp_folder.hpp"

#include <bgt/store/report.hpp>

#include <chrono>
#include <sys/stat.h>
#include <unistd.h>

using namespace bgt;
using namespace bgt::store;
using namespace bgt::store::test;
using namespace std::chrono_literals;

namespace {

core::Report sample()
{
    core::Report report;
    auto& evidence = report.evidence;
    evidence.at = WallTime(1'700'000'000'123ms);
    evidence.task_id = 7;
    evidence.task_name = "web";
    evidence.kind = core::Kind::service;
    evidence.rule = core::Reason::output_timeout;
    evidence.limit = 5min;
    evidence.activity = core::Activity::waiting_input;
    evidence.ages = {1500ms, 2s, std::nullopt, 4s, std::nullopt, std::nullopt, 30s};
    evidence.takes_input = true;
    core::ThreadEvidence thread;
    thread.tid = 8;
    thread.name = "npx";
    thread.state = 'S';
    thread.wchan = "n_tty_read";
    thread.call = core::Call::read;
    thread.call_name = "read";
    thread.handles = {{0, core::HandleKind::terminal, "/dev/pts/3", 6, true, 3, true}};
    thread.futex = 0xffff'ffff'ffff'fff0u;
    thread.futex_owner = 9;
    thread.timeout = 250ms;
    core::ProcessEvidence process;
    process.pid = 8;
    process.ppid = 1;
    process.comm = "npx";
    process.command = "npx create-app 'a b'";
    process.state = 'S';
    process.age = 3min;
    process.cpu = 20ms;
    process.recent_cpu = 0ms;
    process.threads = {thread};
    process.thread_count = 40;
    process.stdio = {"/dev/null", "", "pipe:[3]"};
    process.tracer = 99;
    process.tracer_comm = "gdb";
    process.runtime = "go";
    process.catches = {2, 15};
    process.recent_read = 4096;
    process.recent_wait = 29s;
    process.nice = 10;
    process.ended_for = 3s;
    evidence.processes = {process};
    evidence.more_processes = 3;
    evidence.recent_span = 30s;
    evidence.sockets = {{8, 5, 51, "tcp", "10.0.0.2:1", "10.0.0.5:443", "ESTABLISHED", 1, 2, 3min,
                         9, "nginx", "nginx: worker", 0.25, 77, true}};
    evidence.locks = {{8, 9, "cargo test", "flock", "/t/l", true}};
    evidence.pipes = {{60, "pipe:[60]", true, {{9, "a", true}}, {{10, "b", false}}, 4, false}};
    evidence.machine = {0.25, 2, 1 << 30, 1 << 29, std::nullopt, 12345};
    evidence.output = {"Ok to proceed? (y)", "é"};
    evidence.unfinished_line = true;
    evidence.dumps = {{9, "java", "java", 3, true}};
    evidence.complete = false;
    evidence.unseen = {"sockets"};
    report.diagnosis = {core::Verdict::waiting_input,
                        "waiting for input: npx (pid 8)",
                        "bgt send 7 y",
                        "hint",
                        8,
                        core::Certainty::likely,
                        "it waits for several things at once",
                        {"sh (pid 3) wait4: a child", "npx (pid 8) read"}};
    return report;
}

struct Folder {
    TempFolder temp;
    Root root = open_root(temp / "root");
    TaskDir task = must(root.create_task(must(root.allocate_id())));
};

} // namespace

TEST_CASE("a report comes back as it was")
{
    const core::Report report = sample();
    CHECK(must(decode_report(encode_report(report))) == report);
    CHECK(must(decode_report(encode_report({}))) == core::Report{});
}

TEST_CASE("fields that a newer bgt adds are passed over, and missing ones keep their defaults")
{
    const auto report = must(decode_report(
        R"({"schema":1,"new":{"a":[1]},"verdict":"never-heard-of","evidence":{"processes":[{"pid":4,"x":1}]}})"));
    CHECK(report.diagnosis.verdict == core::Verdict::unknown);
    const auto newer = must(decode_report(R"({"schema":1,"rule":"never-heard-of"})"));
    REQUIRE(newer.evidence.rule);
    CHECK(core::to_string(*newer.evidence.rule) == "unknown"); // not taken for "self"
    REQUIRE(report.evidence.processes.size() == 1);
    CHECK(report.evidence.processes[0].pid == 4);
    CHECK(report.evidence.processes[0].state == '?');
}

TEST_CASE("damage is told, never obeyed")
{
    const std::string whole = encode_report(sample());
    for (std::size_t cut = 0; cut < whole.size(); cut += 7)
        CHECK_FALSE(decode_report(whole.substr(0, cut)));
    for (const char* text :
         {"", "null", "[]", "7", "{}", R"({"schema":"1"})", R"({"schema":2})",
          R"({"schema":1,"pid":"x"})", R"({"schema":1,"pid":99999999999})",
          R"({"schema":1,"evidence":[]})", R"({"schema":1,"limit_s":1e300})",
          R"({"schema":1,"evidence":{"processes":[3]}})", R"({"schema":1,"at":"yesterday"})",
          R"({"schema":1,"evidence":{"machine":{"load":"x"}}})"})
        CHECK_FALSE(decode_report(text));
    CHECK_FALSE(decode_report(std::string(100'000, '[')));
}

TEST_CASE("a load that no machine has is not shown with its hundred digits, and reads back as it "
          "was written")
{
    for (const auto& [text, load] :
         {std::pair("13e99", 1e6), {"-3", 0.0}, {"0.29", 0.29}, {"7", 7.0}}) {
        const auto report = must(decode_report(R"({"schema":1,"evidence":{"machine":{"load":)" +
                                               std::string(text) + "}}}"));
        CHECK(report.evidence.machine.load == load);
        CHECK(encode_report(must(decode_report(encode_report(report)))) == encode_report(report));
    }
}

TEST_CASE("what was read back is safe to show and bounded")
{
    std::string lines, processes;
    for (int i = 0; i < 1000; ++i) {
        lines += std::string(i ? "," : "") + "\"x\"";
        processes += std::string(i ? "," : "") + R"({"state":"\u0007"})";
    }
    const auto report =
        must(decode_report(R"({"schema":1,"sentence":"a\u001b[31m\nb","evidence":{"output":[)" +
                           lines + R"(],"processes":[)" + processes + "]}}"));
    CHECK(report.diagnosis.sentence == "a?[31m b");
    CHECK(report.evidence.output.size() == 64);
    CHECK(report.evidence.processes.size() == core::max_processes_shown);
    CHECK(report.evidence.processes[0].state == '?');
}

TEST_CASE("reports are numbered, private, and the newest are kept")
{
    Folder folder;
    CHECK(must(list_reports(folder.task)).empty());
    CHECK(newest_report(folder.task).error().kind == ErrorKind::not_found);
    auto report = sample();
    for (std::uint64_t i = 1; i <= max_reports + 3; ++i) {
        report.evidence.more_processes = static_cast<std::uint32_t>(i);
        CHECK(must(write_report(folder.task, report)) == i);
    }
    const auto numbers = must(list_reports(folder.task));
    REQUIRE(numbers.size() == max_reports);
    CHECK(numbers.front() == 4);
    CHECK(numbers.back() == max_reports + 3);
    CHECK(must(newest_report(folder.task)) == report);
    CHECK(must(read_report(folder.task, 4)).evidence.more_processes == 4);
    CHECK(read_report(folder.task, 3).error().kind == ErrorKind::not_found);
    struct stat info {};
    REQUIRE(::stat((folder.task.path() + "/reports/4.json").c_str(), &info) == 0);
    CHECK((info.st_mode & 0777) == 0600);
    REQUIRE(::stat((folder.task.path() + "/reports").c_str(), &info) == 0);
    CHECK((info.st_mode & 0777) == 0700);
    CHECK_FALSE(exists(folder.task.path() + "/reports/.new"));
}

TEST_CASE("strange files in the folder do no harm")
{
    Folder folder;
    CHECK(must(write_report(folder.task, sample())) == 1);
    const std::string reports = folder.task.path() + "/reports/";
    put(reports + "x.json", "?");
    put(reports + "02.json", "?");
    put(reports + ".new", "left by a writer that died");
    put(reports + "5.json", "{damaged");
    CHECK(must(list_reports(folder.task)) == std::vector<std::uint64_t>{1, 5});
    CHECK(must(newest_report(folder.task)) == sample());
    CHECK(must(write_report(folder.task, sample())) == 6);
    REQUIRE(::symlink("1.json", (reports + "9.json").c_str()) == 0);
    CHECK_FALSE(read_report(folder.task, 9));
    CHECK(must(newest_report(folder.task)) == sample());
}

TEST_CASE("where only damaged reports are left, it says so")
{
    Folder folder;
    must(write_report(folder.task, sample()));
    put(folder.task.path() + "/reports/1.json", "{");
    const auto read = newest_report(folder.task);
    REQUIRE_FALSE(read);
    CHECK(read.error().kind == ErrorKind::failed);
    CHECK(read.error().message.find("1.json: the report is damaged") != std::string::npos);
}

TEST_CASE("a folder of reports that is a link elsewhere is not followed")
{
    Folder folder;
    const std::string elsewhere = folder.temp / "elsewhere";
    REQUIRE(::mkdir(elsewhere.c_str(), 0700) == 0);
    REQUIRE(::symlink(elsewhere.c_str(), (folder.task.path() + "/reports").c_str()) == 0);
    CHECK_FALSE(write_report(folder.task, sample()));
    CHECK_FALSE(list_reports(folder.task));
    CHECK_FALSE(exists(elsewhere + "/1.json"));
}
