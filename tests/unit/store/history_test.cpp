// The history: what is appended is read once, whatever is damaged, dropped or written twice.
#include "temp_folder.hpp"

#include "store/history_format.hpp"
#include "store/queue_format.hpp"

#include <bgt/store/history.hpp>

#include <fcntl.h>
#include <random>
#include <sys/wait.h>
#include <unistd.h>

using namespace bgt;
using namespace bgt::store;
using namespace bgt::store::test;
using namespace std::chrono_literals;

namespace {

const WallTime noon(std::chrono::hours(24 * 20'000));

/// A task that ran for a second for each of its id, and ended that many minutes past noon.
void append(const Root& root, std::int64_t id, const std::string& name = "build",
            std::uint32_t attempt = 1)
{
    TaskSpec spec;
    spec.id = TaskId{id};
    spec.name = name;
    Status status;
    status.lifecycle = core::Lifecycle::ended;
    status.outcome.kind = core::OutcomeKind::exited;
    status.attempt = attempt;
    status.created = noon;
    status.started = noon + 1s;
    status.ended = noon + std::chrono::minutes(id);
    status.started_at = Instant(1s);
    status.ended_at = Instant(1s + std::chrono::seconds(id));
    must(append_history(root, spec, status, noon));
}

struct Found {
    History history;
    std::vector<std::int64_t> ids;
};

Found read(const Root& root)
{
    Found found;
    found.history =
        must(read_history(root, [&](const core::PastRun& run) { found.ids.push_back(run.id); }));
    return found;
}

std::vector<std::int64_t> ids(std::int64_t first, std::int64_t last)
{
    std::vector<std::int64_t> out;
    for (; first <= last; ++first) out.push_back(first);
    return out;
}

/// Runs of a name that count, wherever they are counted.
std::uint64_t counted(const Root& root, const std::string& name = "build")
{
    core::RunTotals totals;
    const History history =
        must(read_history(root, [&](const core::PastRun& run) { totals.add(run); }));
    totals.add(history.trimmed);
    const auto row = totals.rows().find({name, ""});
    return row == totals.rows().end() ? 0 : row->second.runs();
}

} // namespace

TEST_CASE("a record tells what the task was")
{
    TempFolder temp;
    const Root root = open_root(temp / "root");
    CHECK(read(root).ids.empty());
    TaskSpec spec;
    spec.id = TaskId{7};
    spec.name = "web";
    spec.queue = "nightly";
    spec.tags = {{"branch", "main"}, {"k", std::string("\xff\n", 2)}};
    Status status;
    status.kind = core::Kind::service;
    status.attempt = 3;
    status.outcome = {core::OutcomeKind::signaled, 0, 15, core::Reason::idle_timeout, 2};
    status.created = noon;
    status.started = noon + 5s;
    status.ended = noon + 65s;
    must(append_history(root, spec, status, noon + 1h, {2s, 4096, 1}));
    bool came = false;
    must(read_history(root, [&](const core::PastRun& run) {
        came = true;
        CHECK(run.id == 7);
        CHECK(run.attempts == 3);
        CHECK(run.name == "web");
        CHECK(run.queue == "nightly");
        REQUIRE(run.tags.size() == 2);
        CHECK(run.tags[0].second == "main");
        CHECK(run.tags[1].second == std::string_view("\xff\n", 2));
        CHECK(run.kind == core::Kind::service);
        CHECK(run.outcome.signal == 15);
        CHECK(run.outcome.reason == core::Reason::idle_timeout);
        CHECK(run.created == noon);
        CHECK(*run.started == noon + 5s);
        CHECK(run.ended == noon + 65s);
        CHECK(*run.ran == 60s);
        CHECK(*run.cpu == 2s);
        CHECK(run.max_memory == 4096);
        CHECK(run.hangs == 1);
    }));
    CHECK(came);
}

TEST_CASE("nothing is recorded of a task that keeps no history, and of a copy")
{
    TempFolder temp;
    const Root root = open_root(temp / "root");
    TaskSpec spec;
    spec.id = TaskId{1};
    spec.keeps_history = false;
    must(append_history(root, spec, {}, noon));
    spec.keeps_history = true;
    Status copy;
    copy.copied = true;
    must(append_history(root, spec, copy, noon));
    CHECK(!exists(temp / "root/history"));
}

TEST_CASE("a task that is recorded twice counts once, another attempt of it does not")
{
    TempFolder temp;
    const Root root = open_root(temp / "root");
    for (int i = 0; i < 3; ++i) append(root, 5);
    append(root, 5, "build", 2);
    append(root, 4);
    CHECK(read(root).ids == std::vector<std::int64_t>{5, 5, 4});
}

TEST_CASE("tags that do not fit are left out, and the record stays whole")
{
    TempFolder temp;
    const Root root = open_root(temp / "root");
    TaskSpec spec;
    spec.id = TaskId{1};
    for (int i = 0; i < 500; ++i)
        spec.tags["key" + std::to_string(i)] = std::string(static_cast<std::size_t>(i), 'x');
    must(append_history(root, spec, {}, noon));
    CHECK(read(root).ids == ids(1, 1));
    CHECK(get(temp / "root/history/current").size() < 4096);
}

TEST_CASE("damage anywhere costs the records that it hits, and is counted")
{
    TempFolder temp;
    const Root root = open_root(temp / "root");
    for (std::int64_t id = 1; id <= 100; ++id) append(root, id);
    const std::string file = temp / "root/history/current", whole = get(file);
    std::mt19937 random(3);
    for (int round = 0; round < 300; ++round) {
        std::string bytes = whole;
        const std::size_t at = random() % bytes.size(), length = 1 + random() % 200;
        switch (random() % 4) {
        case 0: bytes[at] = static_cast<char>(bytes[at] ^ (1 << random() % 8)); break;
        case 1: bytes.resize(at); break;
        case 2: bytes.insert(at, length, '\0'); break;
        case 3:
            for (std::size_t i = at; i < std::min(at + length, bytes.size()); ++i)
                bytes[i] = static_cast<char>(random());
            break;
        }
        put(file, bytes);
        const Found found = read(root);
        const bool is_cut = bytes.size() < whole.size();
        const std::size_t spoilt = 2 + length / 20;
        if (!is_cut) CHECK(found.ids.size() + spoilt >= 100);
        CHECK(found.ids.size() <= 100);
        CHECK(std::ranges::is_sorted(found.ids));
        if (found.ids.size() < 100 && !is_cut) CHECK(found.history.damaged_places > 0);
        // What comes behind it is read.
        append(root, 1000);
        CHECK(read(root).ids.back() == 1000);
    }
}

TEST_CASE("a file of what looks like records is looked through in bounded time")
{
    TempFolder temp;
    const Root root = open_root(temp / "root");
    append(root, 1);
    std::string bytes;
    while (bytes.size() < 4u << 20) bytes += std::string("\xff\x0f\0\0", 4);
    put(temp / "root/history/current", bytes);
    const auto begin = std::chrono::steady_clock::now();
    const Found found = read(root);
    CHECK(found.ids.empty());
    CHECK(found.history.damaged_places == 1);
    CHECK(found.history.damaged_bytes == bytes.size());
    CHECK(std::chrono::steady_clock::now() - begin < 5s);
}

TEST_CASE("the oldest are dropped, and still counted")
{
    TempFolder temp;
    const Root root = open_root(temp / "root");
    for (std::int64_t id = 1; id <= 10; ++id) append(root, id);
    const auto would = must(trim_history(root, {4, {}}, true));
    CHECK(would.removed == 6);
    CHECK(would.kept == 4);
    CHECK(read(root).ids == ids(1, 10));
    const auto done = must(trim_history(root, {4, {}}));
    CHECK(done.removed == 6);
    CHECK(read(root).ids == ids(7, 10));
    CHECK(counted(root) == 10);
    CHECK(must(trim_history(root, {4, {}})).removed == 0);
    for (std::int64_t id = 11; id <= 12; ++id) append(root, id);
    CHECK(must(trim_history(root, {100, noon + 9min})).removed == 2); // 7 and 8
    CHECK(read(root).ids == ids(9, 12));
    CHECK(must(trim_history(root, {0, {}})).removed == 4);
    CHECK(read(root).ids.empty());
    CHECK(counted(root) == 12);
    append(root, 13);
    CHECK(counted(root) == 13);
}

TEST_CASE("whoever is killed while it drops records, all of them count once")
{
    TempFolder temp;
    const Root root = open_root(temp / "root");
    for (std::int64_t id = 1; id <= 10; ++id) append(root, id);
    const std::string whole = get(temp / "root/history/current");
    must(trim_history(root, {4, {}}));
    const std::string kept = get(temp / "root/history/2"),
                      totals = get(temp / "root/history/totals");
    const auto begin = [&] {
        for (const char* name : {"1", "2", "new", "totals", "current"})
            ::unlink((temp / ("root/history/" + std::string(name))).c_str());
    };
    begin(); // the new file was begun
    put(temp / "root/history/1", whole);
    put(temp / "root/history/new", kept.substr(0, 30));
    CHECK(counted(root) == 10);
    begin(); // it has its name, and the totals do not count
    put(temp / "root/history/1", whole);
    put(temp / "root/history/2", kept);
    CHECK(counted(root) == 10);
    CHECK(must(trim_history(root, {4, {}})).removed == 6);
    CHECK(counted(root) == 10);
    begin(); // the old file was not removed
    put(temp / "root/history/1", whole);
    put(temp / "root/history/2", kept);
    put(temp / "root/history/totals", totals);
    CHECK(counted(root) == 10);
    CHECK(read(root).ids == ids(7, 10));
    must(trim_history(root, {4, {}}));
    CHECK(counted(root) == 10);
    CHECK(!exists(temp / "root/history/1"));
}

TEST_CASE("totals that are damaged are told, and the records are read")
{
    TempFolder temp;
    const Root root = open_root(temp / "root");
    for (std::int64_t id = 1; id <= 3; ++id) append(root, id);
    must(trim_history(root, {2, {}}));
    put(temp / "root/history/totals", "garbage");
    const Found found = read(root);
    CHECK(found.ids == ids(2, 3));
    CHECK(found.history.problem.find("totals is damaged") != std::string::npos);
    CHECK(must(trim_history(root, {2, {}})).problem == found.history.problem);

    // Who drops records puts them aside, and that is said from then on.
    const HistoryTrimmed done = must(trim_history(root, {1, {}}));
    CHECK(done.removed == 1);
    CHECK(done.problem == found.history.problem);
    CHECK(get(temp / "root/history/totals.damaged") == "garbage");
    CHECK(read(root).ids == ids(3, 3));
    CHECK(read(root).history.problem.find("totals was damaged") != std::string::npos);
    CHECK(counted(root) == 2);
    append(root, 4);
    CHECK(must(trim_history(root, {1, {}})).problem.find("totals was damaged") !=
          std::string::npos);
    ::unlink((temp / "root/history/totals.damaged").c_str());
    CHECK(read(root).history.problem.empty());
    CHECK(counted(root) == 3);
}

TEST_CASE("totals of a newer bgt are kept, and nothing is dropped that they may count")
{
    TempFolder temp;
    const Root root = open_root(temp / "root");
    for (std::int64_t id = 1; id <= 3; ++id) append(root, id);
    const std::string newer = detail::frame(std::string("\x02") + "whatever there is");
    put(temp / "root/history/totals", newer);
    CHECK(read(root).ids == ids(1, 3));
    CHECK(read(root).history.problem.find("newer bgt") != std::string::npos);
    const HistoryTrimmed done = must(trim_history(root, {1, {}}));
    CHECK(done.removed == 0);
    CHECK(done.problem.find("newer bgt") != std::string::npos);
    CHECK(get(temp / "root/history/totals") == newer);
    CHECK(read(root).ids == ids(1, 3));
}

TEST_CASE("a sparse file of any size is read in the time that its content takes")
{
    TempFolder temp;
    const Root root = open_root(temp / "root");
    for (std::int64_t id = 1; id <= 3; ++id) append(root, id);
    const std::string current = temp / "root/history/current";
    REQUIRE(::truncate(current.c_str(), off_t{1} << 40) == 0);
    append(root, 4);
    const auto begin = std::chrono::steady_clock::now();
    const Found found = read(root);
    CHECK(found.ids == ids(1, 4));
    CHECK(found.history.damaged_places >= 1);
    CHECK(found.history.damaged_bytes > (std::uint64_t{1} << 39));
    CHECK(must(trim_history(root, {2, {}})).removed == 2);
    CHECK(std::chrono::steady_clock::now() - begin < 5s);
    CHECK(read(root).ids == ids(3, 4));
    CHECK(read(root).history.damaged_places == 0);
}

TEST_CASE("of more than can be read the newest is, and the rest is said")
{
    TempFolder temp;
    const Root root = open_root(temp / "root");
    for (std::int64_t id = 1; id <= 3; ++id) append(root, id);
    must(trim_history(root, {2, {}}));
    const auto before = std::filesystem::file_size(temp / "root/history/2");
    for (std::int64_t id = 4; id <= 5; ++id) append(root, id);
    const auto newest = std::filesystem::file_size(temp / "root/history/current");
    std::vector<std::int64_t> read;
    const History history = must(read_history(
        root, [&](const core::PastRun& run) { read.push_back(run.id); }, newest));
    CHECK(read == ids(4, 5));
    CHECK(history.unread_bytes == before);
}

TEST_CASE("a file of zeros is looked through in bounded time")
{
    TempFolder temp;
    const Root root = open_root(temp / "root");
    append(root, 1);
    put(temp / "root/history/current", std::string(64u << 20, '\0'));
    const auto begin = std::chrono::steady_clock::now();
    CHECK(read(root).history.damaged_places == 1);
    CHECK(std::chrono::steady_clock::now() - begin < 5s);
}

TEST_CASE("several append while one drops: each record counts once")
{
    TempFolder temp;
    const Root root = open_root(temp / "root");
    constexpr int writers = 4, each = 400;
    std::vector<pid_t> children;
    for (int w = 0; w < writers; ++w) {
        const pid_t child = ::fork();
        if (child == 0) {
            for (int i = 0; i < each; ++i) append(root, 1 + w * each + i);
            ::_exit(0);
        }
        children.push_back(child);
    }
    int trims = 0;
    for (std::size_t ended = 0; ended < children.size();) {
        must(trim_history(root, {50, {}}));
        ++trims;
        CHECK(counted(root) <= writers * each);
        int status = 0;
        while (::waitpid(-1, &status, WNOHANG) > 0) {
            CHECK(status == 0);
            ++ended;
        }
    }
    CHECK(counted(root) == writers * each);
    must(trim_history(root, {50, {}}));
    CHECK(read(root).ids.size() == 50);
    CHECK(trims > 0);
}

TEST_CASE("in passing, only what has grown is looked at")
{
    TempFolder temp;
    const Root root = open_root(temp / "root");
    tidy_history(root, 10); // nothing is there
    for (std::int64_t id = 1; id <= 5; ++id) append(root, id);
    tidy_history(root, 10);
    CHECK(!exists(temp / "root/history/1"));
    for (std::int64_t id = 6; id <= 30; ++id) append(root, id);
    tidy_history(root, 10);
    CHECK(read(root).ids == ids(21, 30));
    append(root, 31);
    tidy_history(root, 0);
    CHECK(read(root).ids.empty());
    CHECK(counted(root) == 31);
}

TEST_CASE("files that are none cost no more than an error")
{
    TempFolder temp;
    const Root root = open_root(temp / "root");
    append(root, 1);
    ::unlink((temp / "root/history/current").c_str());
    REQUIRE(::symlink("/etc/passwd", (temp / "root/history/current").c_str()) == 0);
    TaskSpec spec;
    spec.id = TaskId{2};
    CHECK(!append_history(root, spec, {}, noon));
    CHECK(!read_history(root, [](const core::PastRun&) {}));
    ::unlink((temp / "root/history/current").c_str());
    append(root, 3);
    CHECK(read(root).ids == ids(3, 3));
}
