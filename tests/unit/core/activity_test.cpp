#include "support/catch.hpp"

#include <bgt/core/activity.hpp>

#include <algorithm>
#include <map>
#include <random>

using namespace bgt;
using namespace bgt::core;
using namespace std::chrono_literals;

namespace {

constexpr auto input = WaitsFor::input, maybe = WaitsFor::maybe_input;

Instant at(Duration since_boot)
{
    return Instant(since_boot);
}

ProcessSample process(std::int32_t pid, std::int32_t ppid, char state, Duration cpu = {},
                      Duration reaped = {})
{
    return {
        .pid = pid, .start = 100, .ppid = ppid, .state = state, .cpu = cpu, .reaped_cpu = reaped};
}

/// A look at second `t`; processes start at tick 100 unless said otherwise.
Sample look(int t, std::vector<ProcessSample> processes)
{
    Sample sample;
    sample.at = at(std::chrono::seconds(t));
    sample.start_now = static_cast<std::uint64_t>(t) * 100;
    sample.processes = std::move(processes);
    return sample;
}

ProcessSample started(ProcessSample process, std::uint64_t start)
{
    process.start = start;
    return process;
}

ProcessSample waiting(ProcessSample process, WaitsFor waits_for)
{
    process.waits_for = waits_for;
    return process;
}

Activity verdict(const Sample& before, const Sample& now, bool unfinished_line = false)
{
    return classify(compare(before, now), before, now, unfinished_line);
}

} // namespace

TEST_CASE("a process that ends takes nothing away and brings what was not seen")
{
    // make (1) waited for cc1 (2), which had used 40 s at the first look and 45 s at its end.
    const auto before = look(10, {process(1, 0, 'S', 1s, 5s), process(2, 1, 'R', 40s)});
    CHECK(compare(before, look(20, {process(1, 0, 'S', 1s, 50s)})).cpu == 5s);
    // The same with cc (2) between make and cc1 (3): cc's children are in what make reaped.
    const auto chain =
        look(10, {process(1, 0, 'S'), process(2, 1, 'S', 10ms, 1s), process(3, 2, 'R', 40s)});
    CHECK(compare(chain, look(20, {process(1, 0, 'S', 0s, 46010ms)})).cpu == 5s);
    // cc lives on and has waited for cc1.
    CHECK(compare(chain, look(20, {process(1, 0, 'S'), process(2, 1, 'S', 10ms, 43s)})).cpu == 2s);
}

TEST_CASE("of a time that is shorter than some ticks no work is concluded")
{
    const auto before = look(10, {process(1, 0, 'S', 1s)});
    auto now = look(10, {process(1, 0, 'S', 1030ms)});
    now.processes[0].disk_bytes = 1 << 20;
    for (const Duration span : {0ms, 3ms, 199ms}) {
        now.at = before.at + span;
        CHECK(verdict(before, now) == Activity::trickle);
    }
    now.at = before.at + 200ms;
    CHECK(verdict(before, now) == Activity::busy);
}

TEST_CASE("an orphan that the supervisor waited for counts once")
{
    const auto before =
        look(10, {process(1, 0, 'S'), process(2, 1, 'S', 1s), process(3, 2, 'R', 7s)});
    auto now = look(20, {process(1, 0, 'S', 0s, 1s)});
    now.reaped_cpu = 9s; // 3 became an orphan when 2 ended
    CHECK(compare(before, now).cpu == 2s);
    auto nobody = look(20, {});
    nobody.reaped_cpu = 8s;
    CHECK(compare(before, nobody).cpu == 0s);
    nobody.reaped_cpu = 8s + 30ms;
    CHECK(compare(before, nobody).cpu == 30ms);
}

TEST_CASE("what a subreaper inside the tree waited for counts once")
{
    const auto before = look(10, {process(1, 0, 'S'), process(2, 1, 'S'), process(3, 2, 'S', 1s),
                                  process(4, 3, 'R', 60s)});
    // 3 was reaped by 2; its child 4 fell to the subreaper 1.
    CHECK(
        compare(before, look(20, {process(1, 0, 'S', 0s, 61s), process(2, 1, 'S', 0s, 1s)})).cpu ==
        1s);
}

TEST_CASE("an end that nobody waited for is lost and accuses nobody of more")
{
    const auto before = look(10, {process(1, 0, 'S'), process(2, 1, 'R', 40s)});
    CHECK(compare(before, look(20, {process(1, 0, 'S', 1s)})).cpu == 1s);
    CHECK(compare(before, look(20, {})).cpu == 0s);
}

TEST_CASE("a young process counts whole, an old one from when it was first seen")
{
    const auto before = look(10, {process(1, 0, 'S')});
    auto young = started(process(2, 1, 'R', 3s, 2s), 1001);
    young.disk_bytes = 4096;
    CHECK(compare(before, look(20, {process(1, 0, 'S'), young})).cpu == 5s);
    CHECK(compare(before, look(20, {process(1, 0, 'S'), young})).disk_bytes == 4096);
    for (const std::uint64_t start : {0u, 100u, 1000u}) {
        auto old = started(process(2, 1, 'R', 300s, 200s), start);
        old.disk_bytes = 1 << 20;
        const auto first = look(20, {process(1, 0, 'S'), old});
        CHECK(compare(before, first).cpu == 0s);
        CHECK(compare(before, first).disk_bytes == 0);
        old.cpu += 1s;
        CHECK(compare(first, look(30, {process(1, 0, 'S'), old})).cpu == 1s);
    }
}

TEST_CASE("a pid that is used again is another process")
{
    const auto before = look(10, {process(1, 0, 'S'), process(2, 1, 'R', 40s)});
    const auto now = look(20, {process(1, 0, 'S', 0s, 41s), started(process(2, 1, 'R', 2s), 1500)});
    CHECK(compare(before, now).cpu == 3s);
}

TEST_CASE("counters that run backwards count as nothing")
{
    auto a = process(1, 0, 'S', 10s, 10s), b = process(1, 0, 'S', 9s, 8s);
    a.disk_bytes = 100;
    b.disk_bytes = 99;
    auto before = look(10, {a}), now = look(5, {b});
    before.reaped_cpu = 7s;
    before.sockets = {{5, 100}};
    now.sockets = {{5, 99}};
    before.sockets_known = now.sockets_known = true;
    const Used used = compare(before, now);
    CHECK(used.span == 0s);
    CHECK(used.cpu == 0s);
    CHECK(used.disk_bytes == 0);
    CHECK(used.net_bytes == 0);
    CHECK(classify(used, before, now, false) == Activity::blocked);
}

TEST_CASE("a damaged table of parents and processes told twice do no harm")
{
    const auto circle = look(10, {process(1, 2, 'S', 1s), process(2, 1, 'S', 2s),
                                  process(3, 3, 'S', 4s), process(4, 1, 'S')});
    auto now = look(20, {process(4, 1, 'S', 1s)});
    now.reaped_cpu = 10s;
    CHECK(compare(circle, now).cpu == 4s);
    const auto twice = look(20, {process(1, 2, 'S', 3s), process(1, 2, 'S', 3s)});
    CHECK(compare(circle, twice).cpu == 2s);
    CHECK(compare(look(10, {process(1, 0, 'S'), process(1, 0, 'S')}), twice).cpu == 3s);
}

TEST_CASE("socket bytes count where both looks know them")
{
    auto before = look(10, {process(1, 0, 'S')}), now = look(20, {process(1, 0, 'S')});
    before.sockets = {{5, 100}, {6, 50}};
    now.sockets = {{5, 150}, {7, 30}}; // 6 was closed, 7 is new
    CHECK(compare(before, now).net_bytes == 0);
    now.sockets_known = true;
    CHECK(compare(before, now).net_bytes == 0);
    before.sockets_known = true;
    CHECK(compare(before, now).net_bytes == 80);
    now.sockets.push_back({5, 150});
    CHECK(compare(before, now).net_bytes == 80);
}

TEST_CASE("busy begins at 1 % of a core, 4 KiB/s of disk or 1 KiB/s of network")
{
    const auto before = look(0, {process(1, 0, 'S')}), now = look(10, {process(1, 0, 'S')});
    const auto verdict_of = [&](Used used) { return classify(used, before, now, false); };
    CHECK(verdict_of({10s, 100ms, 0, 0}) == Activity::busy);
    CHECK(verdict_of({10s, 99ms, 0, 0}) == Activity::trickle);
    CHECK(verdict_of({10s, 0s, 40960, 0}) == Activity::busy);
    CHECK(verdict_of({10s, 0s, 40959, 0}) == Activity::trickle);
    CHECK(verdict_of({10s, 0s, 0, 10240}) == Activity::busy);
    CHECK(verdict_of({10s, 0s, 0, 10239}) == Activity::trickle);
    CHECK(verdict_of({10s, 0s, 0, 0}) == Activity::blocked);
    CHECK(verdict_of({0s, 5s, 0, 0}) == Activity::trickle); // no time has passed: no rate
}

namespace {

ProcessSample in_background(ProcessSample process)
{
    process.stopped_for_terminal = true;
    return process;
}

struct Recorded {
    const char* what;
    std::vector<ProcessSample> before, now;
    bool unfinished_line;
    Activity verdict;
};

const std::vector<Recorded> recorded = {
    {"make -j2, cc1plus works",
     {process(1, 0, 'S'), process(2, 1, 'R', 3s)},
     {process(1, 0, 'S'), process(2, 1, 'R', 12s)},
     false,
     Activity::busy},
    {"sh runs short children",
     {process(1, 0, 'S', 0s, 1s)},
     {process(1, 0, 'S', 0s, 2s)},
     false,
     Activity::busy},
    {"until curl; do sleep 1; done",
     {process(1, 0, 'S', 0s, 1s), process(2, 1, 'S')},
     {process(1, 0, 'S', 0s, 1050ms), started(process(3, 1, 'S'), 900)},
     false,
     Activity::trickle},
    {"sleep 1000", {process(1, 0, 'S')}, {process(1, 0, 'S')}, false, Activity::blocked},
    {"sh -c 'read x'",
     {process(1, 0, 'S')},
     {waiting(process(1, 0, 'S'), input)},
     false,
     Activity::waiting_input},
    {"npx asks, a child reads",
     {process(1, 0, 'S')},
     {process(1, 0, 'S'), waiting(process(2, 1, 'S', 20ms), input)},
     true,
     Activity::waiting_input},
    {"node polls its terminal, the line ended",
     {process(1, 0, 'S')},
     {waiting(process(1, 0, 'S'), maybe)},
     false,
     Activity::blocked},
    {"node polls its terminal, a prompt stands",
     {process(1, 0, 'S')},
     {waiting(process(1, 0, 'S'), maybe)},
     true,
     Activity::waiting_input},
    {"one reads, another works",
     {process(1, 0, 'S'), process(2, 1, 'R')},
     {waiting(process(1, 0, 'S'), input), process(2, 1, 'R', 5s)},
     true,
     Activity::busy},
    {"a prompt stands, nobody waits for input",
     {process(1, 0, 'S')},
     {process(1, 0, 'S')},
     true,
     Activity::blocked},
    {"sh waits for what SIGTTIN stopped",
     {process(1, 0, 'S'), process(2, 1, 'S')},
     {process(1, 0, 'S'), in_background(process(2, 1, 'T'))},
     false,
     Activity::waiting_input},
    {"all of it stopped",
     {process(1, 0, 'S'), process(2, 1, 'S')},
     {process(1, 0, 'T'), process(2, 1, 'T')},
     false,
     Activity::stopped},
    {"all stopped, one by a debugger, a zombie beside",
     {process(1, 0, 'T')},
     {process(1, 0, 'T'), process(2, 1, 't'), process(3, 1, 'Z')},
     false,
     Activity::stopped},
    {"one of two stopped",
     {process(1, 0, 'S')},
     {process(1, 0, 'S'), process(2, 1, 'T')},
     false,
     Activity::blocked},
    {"NFS server gone",
     {process(1, 0, 'S'), process(2, 1, 'D')},
     {process(1, 0, 'S'), process(2, 1, 'D')},
     false,
     Activity::unkillable},
    {"D by chance at the second look",
     {process(1, 0, 'S')},
     {process(1, 0, 'D')},
     false,
     Activity::blocked},
    {"D in both looks, of two processes",
     {process(2, 1, 'D')},
     {started(process(2, 1, 'D'), 900)},
     false,
     Activity::blocked},
    {"D in both looks, and some work",
     {process(1, 0, 'D')},
     {process(1, 0, 'D', 10ms)},
     false,
     Activity::trickle},
    {"reads a terminal, a neighbour in D",
     {process(1, 0, 'S'), process(2, 1, 'D')},
     {waiting(process(1, 0, 'S'), input), process(2, 1, 'D')},
     false,
     Activity::waiting_input},
    {"zombies only",
     {process(1, 0, 'S')},
     {process(1, 0, 'Z'), process(2, 1, 'X')},
     false,
     Activity::zombie},
    {"a zombie beside a sleeper",
     {process(1, 0, 'S')},
     {process(1, 0, 'S'), process(2, 1, 'Z')},
     false,
     Activity::blocked},
    {"nobody there", {process(1, 0, 'S')}, {}, false, Activity::unknown},
    {"kernel thread idle", {process(1, 0, 'I')}, {process(1, 0, 'I')}, false, Activity::blocked},
};

} // namespace

TEST_CASE("who waits for a CPU works, however little it gets")
{
    const auto runs = [](Duration cpu, std::optional<Duration> wait, char state = 'R') {
        auto made = process(1, 0, state, cpu);
        made.cpu_wait = wait;
        return look(0, {made});
    };
    const auto later = [](Sample sample, int t) {
        sample.at = at(std::chrono::seconds(t));
        return sample;
    };
    const Sample before = runs(1s, 40s);
    CHECK(verdict(before, later(runs(1010ms, 47s), 8)) == Activity::busy);
    CHECK(verdict(before, later(runs(1s, 44s), 8)) == Activity::busy);
    CHECK(verdict(before, later(runs(1010ms, 43900ms), 8)) == Activity::trickle);
    CHECK(verdict(before, later(runs(1s, 46s, 'S'), 8)) == Activity::busy);
    CHECK(verdict(before, later(runs(1s, 46s, 'T'), 8)) == Activity::stopped);
    // A wait is counted when it is over.
    CHECK(verdict(before, later(runs(1s, 40s), 8)) == Activity::busy);
    CHECK(verdict(before, later(runs(1s, 40s, 'S'), 8)) == Activity::blocked);
    // A kernel that doesn't tell: runnable at both looks, and some CPU.
    const Sample untold = runs(1s, std::nullopt);
    CHECK(verdict(untold, later(runs(1010ms, std::nullopt), 8)) == Activity::busy);
    CHECK(verdict(untold, later(runs(1s, std::nullopt), 8)) == Activity::blocked);
    CHECK(verdict(runs(1s, 40s, 'S'), later(runs(1010ms, std::nullopt), 8)) == Activity::trickle);
    // Of a new process all counts; of one that was not seen before, nothing does.
    Sample fresh = later(runs(10ms, 6s), 8);
    CHECK(verdict(look(0, {}), fresh) == Activity::busy);
    fresh.processes[0].start = 0;
    CHECK(verdict(look(0, {}), fresh) != Activity::busy);
}

TEST_CASE("recorded trees get their verdict")
{
    for (const Recorded& row : recorded) {
        INFO(row.what);
        CHECK(verdict(look(0, row.before), look(10, row.now), row.unfinished_line) == row.verdict);
    }
}

TEST_CASE(
    "bytes through pipes and local sockets are work, the task's own output and who polls are not")
{
    auto writer = process(1, 0, 'S'), reader = process(2, 1, 'S');
    const auto before = look(10, {writer, reader});
    writer.written_bytes = 200'000; // rsync --bwlimit=20, over a pair of sockets
    reader.read_bytes = 200'000;
    auto now = look(20, {writer, reader});
    CHECK(verdict(before, now) == Activity::busy);
    // A spinner under script(1): each of the two writes what is printed in the end.
    writer.written_bytes = reader.written_bytes = 20'000;
    reader.read_bytes = 20'000;
    now = look(20, {writer, reader});
    now.output_bytes = 20'000;
    CHECK(compare(before, now).written_bytes == 0);
    CHECK(verdict(before, now) == Activity::blocked);
    // Reads of one that only reads.
    writer.written_bytes = reader.written_bytes = 0;
    reader.read_bytes = 90'000;
    CHECK(verdict(before, look(20, {writer, reader})) == Activity::busy);
    CHECK(verdict(before, look(20, {writer, waiting(reader, WaitsFor::sleep)})) ==
          Activity::blocked);
    reader.reaped_faults = 80; // a loop that starts programs: the kernel reads them for it
    CHECK(verdict(before, look(20, {writer, reader})) == Activity::blocked);
}
