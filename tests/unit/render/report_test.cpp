#include "support/catch.hpp"

#include <bgt/base/text.hpp>
#include <bgt/render/report.hpp>
#include <bgt/store/report.hpp>

#include <boost/json.hpp>

#include <chrono>
#include <sstream>

using namespace bgt;
using namespace std::chrono_literals;

namespace {

core::ProcessEvidence process(std::int32_t pid, std::int32_t ppid, const std::string& comm,
                              core::Call call, const std::string& name)
{
    core::ProcessEvidence made;
    made.pid = pid;
    made.ppid = ppid;
    made.comm = comm;
    made.state = 'S';
    made.age = 3min;
    core::ThreadEvidence thread;
    thread.call = call;
    thread.call_name = name;
    made.threads = {thread};
    made.thread_count = 1;
    return made;
}

core::Report sample()
{
    core::Report report;
    auto& evidence = report.evidence;
    evidence.task_id = 7;
    evidence.rule = core::Reason::progress_timeout;
    evidence.limit = 3min;
    evidence.activity = core::Activity::blocked;
    evidence.ages.byte = evidence.ages.text = 185s;
    evidence.processes = {process(76, 1, "sh", core::Call::wait_child, "wait4"),
                          process(77, 76, "curl", core::Call::receive, "recvfrom")};
    evidence.processes[1].threads[0].handles = {
        {5, core::HandleKind::socket, "socket:[51]", 51, false}};
    evidence.sockets = {
        {77, 5, 51, "tcp", "10.0.0.2:4000", "10.0.0.5:443", "ESTABLISHED", 0, 0, 3min, 0, ""},
        {77, 6, 52, "udp", "10.0.0.2:4001", "", "", 0, 0, {}, 0, ""}};
    evidence.machine = {0.5, 2, 4ull << 30, 1ull << 30, 10ull << 30, 20ull << 30};
    for (int i = 1; i <= 40; ++i) evidence.output.push_back("line " + std::to_string(i));
    report.diagnosis = core::diagnose(evidence);
    return report;
}

std::vector<std::string> lines_of(const std::string& text)
{
    std::istringstream in(text);
    std::vector<std::string> lines;
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    return lines;
}

bool has(const std::string& text, const std::string& part)
{
    return text.find(part) != text.npos;
}

} // namespace

TEST_CASE("an age that is only that of the first look is not shown as one")
{
    core::Report report = sample();
    auto& ages = report.evidence.ages;
    ages.cpu = 300ms;
    ages.cpu_span = 7s;
    ages.io = 10ms;
    ages.io_span = 30s;
    auto lines = lines_of(render::report_text(report, {120, 24, false}));
    CHECK(lines[3] == "last      output 3m5s, new text 3m5s ago; no CPU since the first look 0.3s "
                      "ago, I/O within the last 30s");
    ages.io = 300ms;
    lines = lines_of(render::report_text(report, {90, 24, false}));
    CHECK(lines[3] ==
          "last      output 3m5s, new text 3m5s ago; no CPU or I/O since the first look 0.3s ago");
    ages.cpu = 70s;
    ages.io.reset();
    lines = lines_of(render::report_text(report, {120, 24, false}));
    CHECK(lines[3] == "last      output 3m5s, new text 3m5s, CPU 1m10s ago");
}

TEST_CASE("a report opens with the sentence and what to do")
{
    const auto lines = lines_of(render::report_text(sample(), {100, 24, false}));
    REQUIRE(lines.size() == 24);
    CHECK(
        lines[0] ==
        "waits for the network: curl (pid 77), recvfrom on 10.0.0.5:443, nothing received for 3m");
    CHECK(lines[1] == "next: bgt kill 7");
    CHECK(lines[2] == "limit     progress-timeout 3m; job, blocked");
    CHECK(lines[3] == "last      output 3m5s, new text 3m5s ago");
    CHECK(lines[4] == "processes");
    CHECK(lines[5] == "  76 S 3m sh: wait4: a child");
    CHECK(lines[6] == "    77 S 3m curl: recvfrom socket:[51]");
    CHECK(lines[7] == "sockets");
    CHECK(lines[8] == "  77/5 tcp 10.0.0.2:4000 -> 10.0.0.5:443 ESTABLISHED, received 3m ago");
    CHECK(lines[9] ==
          "machine   load 0.50 on 2 cores, free memory 1 GiB, disk 10 GiB, state disk 20 GiB");
    CHECK(lines[10] == "output");
    CHECK(lines.back() == "  line 40");
    CHECK(lines[11] == "  line 28");
}

TEST_CASE("it fits the screen, however much there is")
{
    core::Report report = sample();
    auto& evidence = report.evidence;
    for (std::int32_t pid = 100; pid < 160; ++pid)
        evidence.processes.push_back(process(pid, pid - 1, "deep", core::Call::sleep, "nanosleep"));
    evidence.processes.push_back(process(200, 76, "culprit", core::Call::futex, "futex"));
    evidence.more_processes = 500;
    report.diagnosis.pid = 200;
    report.diagnosis.sentence = "long " + std::string(300, 'x') + " words " + std::string(30, 'y');
    for (int i = 0; i < 20; ++i) {
        evidence.locks.push_back({76, 5, "holder", "flock", "/t/" + std::string(200, 'z')});
        evidence.pipes.push_back({std::uint64_t(i), "pipe", false, {}, {}});
    }
    for (const std::size_t width : {20u, 40u, 80u, 200u})
        for (const std::size_t rows : {1u, 12u, 24u, 40u, 200u}) {
            const auto lines = lines_of(render::report_text(report, {width, rows, false}));
            CHECK(lines.size() <= std::max<std::size_t>(rows, width < 80 ? 24 : 12));
            for (const auto& line : lines) CHECK(display_width(line) <= width);
        }
    const auto text = render::report_text(report, {80, 40, false});
    CHECK(has(text, "200 S 3m culprit: futex"));
    CHECK(has(text, "more"));
    CHECK(has(text, "line 40"));
}

TEST_CASE("nothing in a report reaches the terminal as a command")
{
    core::Report report = sample();
    report.evidence.processes[0].comm = "\033[2J\n";
    report.evidence.output = {"\033]0;title\a", "\xff\xfe"};
    report.diagnosis.sentence = "a\rb\033c";
    const auto text = render::report_text(report, {80, 40, false});
    for (const char c : text) CHECK((c == '\n' || static_cast<unsigned char>(c) >= 0x20));
    CHECK(to_valid_utf8(text) == text);
}

TEST_CASE("stack dumps and lack of time are mentioned, colour only where wanted")
{
    core::Report report = sample();
    report.evidence.dumps = {{9, "java", "java", 3, {}}};
    report.evidence.complete = false;
    const auto text = render::report_text(report, {80, 40, false});
    CHECK(has(text, "stack dump of java (pid 9) is in the log (java, SIGQUIT)"));
    CHECK(has(text, "not all of this could be gathered in time"));
    CHECK_FALSE(has(text, "\033"));
    CHECK(has(render::report_text(report, {80, 40, true}), "\033["));
}

TEST_CASE("an empty report is still a report")
{
    core::Report report;
    report.diagnosis = core::diagnose(report.evidence);
    const auto lines = lines_of(render::report_text(report, {80, 24, false}));
    REQUIRE(lines.size() == 3);
    CHECK(lines[0] == "no process of the task is left");
    CHECK(lines[2] == "limit     none passed; job, unknown");
}

TEST_CASE("a table of processes that is a circle is shown once")
{
    core::Report report;
    report.evidence.processes = {process(4, 5, "a", core::Call::wait_child, "wait4"),
                                 process(5, 4, "b", core::Call::wait_child, "wait4")};
    CHECK(has(render::report_text(report, {80, 24, false}), "and 2 more"));
}

TEST_CASE("the JSON is the stored one and a newline")
{
    const auto text = render::report_json(sample());
    CHECK(text.ends_with("}\n"));
    const auto value = boost::json::parse(text);
    CHECK(value.at("schema").as_int64() == 1);
    CHECK(value.at("verdict").as_string() == "waits-network");
    CHECK(value.at("task").as_int64() == 7);
    CHECK(value.at("evidence").at("processes").as_array().size() == 2);
    CHECK(value.at("ages").at("heartbeat_s").is_null());
}
