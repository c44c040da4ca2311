#include "sandbox.hpp"
#include "support/catch.hpp"

#include <bgt/os/proc_dir.hpp>
#include <bgt/os/tree.hpp>

#include <algorithm>
#include <csignal>
#include <fcntl.h>
#include <map>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

using namespace bgt;

namespace {

/// Whether each process whose parent is in the list stands after it.
bool parents_first(const std::vector<os::ProcStat>& tree)
{
    std::map<std::int32_t, std::size_t> position;
    for (std::size_t i = 0; i < tree.size(); ++i) position[tree[i].key.pid] = i;
    for (std::size_t i = 0; i < tree.size(); ++i)
        if (position.contains(tree[i].ppid) && position[tree[i].ppid] > i) return false;
    return true;
}

std::vector<std::int32_t> without(std::vector<std::int32_t> pids, std::int32_t pid)
{
    std::erase(pids, pid);
    return pids;
}

os::TreeMarks marks_of(std::int32_t pid)
{
    os::TreeMarks marks;
    marks.main_process = *os::key_of(pid);
    return marks;
}

} // namespace

TEST_CASE("all five of the escape are descendants of the subreaper")
{
    test::Sandbox sandbox;
    auto root = sandbox.start({"escape"});
    const auto pids = root.numbers();
    REQUIRE(pids.size() == 5);
    CHECK(pids[0] == root.pid);
    const auto tree = os::descendants_of(::getpid());
    CHECK(test::pids_of(tree) == test::sorted(pids));
    CHECK(parents_first(tree));
    const auto of_table = os::ProcessTable(os::all_processes()).descendants_of(::getpid());
    CHECK(test::pids_of(of_table) == test::sorted(pids));
    CHECK(parents_first(of_table));
    const os::ProcDir proc;
    const auto listed = os::listed_descendants_of(proc, ::getpid());
    if (proc.children_of_main_thread(::getpid())) {
        REQUIRE(listed);
        CHECK(test::pids_of(*listed) == test::sorted(pids));
        CHECK(parents_first(*listed));
        const auto of_nobody = os::listed_descendants_of(proc, 1 << 30);
        CHECK((of_nobody && of_nobody->empty()));
    } else {
        CHECK_FALSE(listed);
    }
    // The grandchild has left the root's tree for the subreaper's.
    CHECK(test::pids_of(os::descendants_of(root.pid)) ==
          test::sorted(without(without(pids, pids[3]), root.pid)));

    const auto usage = os::usage_of(tree);
    CHECK(usage.processes == 5);
    CHECK(usage.rss_bytes > 0);

    ::kill(root.pid, SIGKILL); // stays a zombie; its children move up
    REQUIRE(test::eventually([&] { return !os::key_of(root.pid); }));
    CHECK(test::pids_of(os::descendants_of(::getpid())) == test::sorted(without(pids, root.pid)));
    CHECK(test::pids_of(os::ProcessTable(os::all_processes()).descendants_of(::getpid())) ==
          test::sorted(without(pids, root.pid)));
}

TEST_CASE("a child that another thread forked is found")
{
    test::Sandbox sandbox;
    pid_t child = -1;
    bool looked = false, found = false;
    std::thread([&] {
        child = ::fork();
        if (child == 0)
            for (;;) ::pause();
        found = test::pids_of(os::descendants_of(::getpid())) == std::vector<std::int32_t>{child};
        looked = true;
    }).join();
    CHECK(looked);
    CHECK(found);
}

TEST_CASE("no descendants, and no such process")
{
    test::Sandbox sandbox;
    CHECK(os::descendants_of(::getpid()).empty());
    CHECK(os::descendants_of(1 << 30).empty());
    CHECK(os::descendants_of(-1).empty());
}

TEST_CASE("a tree that keeps growing is found until it is dead")
{
    test::Sandbox sandbox;
    auto storm = sandbox.start({"forkstorm", "200"});
    REQUIRE(storm.line() == "ready");
    REQUIRE(test::eventually([&] { return os::descendants_of(::getpid()).size() > 100; }));
    REQUIRE(test::eventually([&] {
        const auto tree = os::descendants_of(::getpid());
        for (const auto& stat : tree) static_cast<void>(os::send_signal(stat.key, SIGKILL));
        return tree.empty() &&
               os::ProcessTable(os::all_processes()).descendants_of(::getpid()).empty();
    }));
}

TEST_CASE("a chain of processes, each of which starts the next and ends, is found by who is not "
          "its ancestor")
{
    constexpr int links = 20'000, looks = 50;
    os::TreeMarks marks;
    marks.mark_bits = 0x123456789abcdf;
    const rlimit limit{os::choose_mark(marks.mark_bits), os::choose_mark(marks.mark_bits)};
    REQUIRE(limit.rlim_cur != 0);
    int told[2];
    REQUIRE(::pipe2(told, O_CLOEXEC) == 0);
    const Fd reader(told[0]), writer(told[1]);
    const pid_t first = ::fork();
    if (first == 0) {
        ::setsid();
        ::setrlimit(RLIMIT_RTTIME, &limit);
        static_cast<void>(::write(writer.get(), "!", 1));
        for (int link = 0; link < links; ++link) {
            ::usleep(500);
            if (::fork() != 0) ::_exit(0);
        }
        ::_exit(0);
    }
    char up = 0;
    REQUIRE(::read(reader.get(), &up, 1) == 1);
    marks.main_process =
        os::read_stat(first)->key; // also of one that has ended: nobody reaps it here
    marks.session = first;
    int missed = 0;
    for (int look = 0; look < looks; ++look) missed += os::find_marked(marks, {::getpid()}).empty();
    CHECK(missed == 0);
    for (;;) { // each time the newest: until one of them dies before it has started the next
        const std::vector<os::ProcStat> found = os::find_marked(marks, {::getpid()});
        if (found.empty() && os::find_marked(marks, {::getpid()}).empty()) break;
        for (const os::ProcStat& member : found)
            static_cast<void>(os::send_signal(member.key, SIGKILL).operator bool());
    }
    while (::waitpid(-1, nullptr, WNOHANG) > 0) {}
}

TEST_CASE("members are found by the cookie alone")
{
    test::Sandbox sandbox;
    auto root = sandbox.start({"escape"}, {"BGT_COOKIE=outer:c00c1e"});
    auto other = sandbox.start({"escape"}, {"BGT_COOKIE=c00c1e2:xc00c1e"});
    const auto pids = root.numbers();
    REQUIRE(pids.size() == 5);
    REQUIRE(other.numbers().size() == 5);
    auto marks = marks_of(root.pid);
    marks.cookie = "c00c1e";
    const auto found = os::find_marked(marks, {});
    CHECK(test::pids_of(found) == test::sorted(pids));
    CHECK(parents_first(found));
    CHECK(test::pids_of(os::find_marked(marks, {pids[2]})) == test::sorted(without(pids, pids[2])));

    ::kill(root.pid, SIGKILL);
    REQUIRE(test::eventually([&] { return !os::key_of(root.pid); }));
    CHECK(test::pids_of(os::find_marked(marks, {})) == test::sorted(without(pids, root.pid)));
}

TEST_CASE("members are found by the output FIFO when their environment is gone")
{
    test::Sandbox sandbox;
    const std::string path = sandbox.folder() + "/out";
    REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
    const Fd fifo(::open(path.c_str(), O_RDWR | O_CLOEXEC));
    struct stat info {};
    REQUIRE(::fstat(fifo.get(), &info) == 0);
    auto root = sandbox.start({"escape-clean-env"}, {"BGT_COOKIE=c00c1e"}, fifo.get());
    test::Started reader{root.pid, Fd(::dup(fifo.get())), {}, {}};
    const auto pids = reader.numbers();
    REQUIRE(pids.size() == 2);

    auto marks = marks_of(root.pid);
    marks.cookie = "c00c1e";
    CHECK(test::pids_of(os::find_marked(marks, {::getpid()})) == std::vector{root.pid});
    marks.fifo = {info.st_dev, info.st_ino};
    CHECK(test::pids_of(os::find_marked(marks, {::getpid()})) == test::sorted(pids));
    // Without a proof, neither it nor the main process counts.
    marks.cookie = "c00c1e2";
    CHECK(os::find_marked(marks, {::getpid()}).empty());
    marks.cookie.clear();
    CHECK(os::find_marked(marks, {::getpid()}).empty());
}

TEST_CASE("a cookie that does not go with its folder counts where BGT_TASK_DIR leads to it")
{
    test::Sandbox sandbox;
    const std::string folder = sandbox.folder();
    auto root = sandbox.start({"escape"}, {"BGT_COOKIE=c00c1e", "BGT_TASK_DIR=" + folder});
    const auto pids = root.numbers();
    REQUIRE(pids.size() == 5);
    auto marks = marks_of(root.pid);
    marks.cookie = "c00c1e";
    struct stat info {};
    REQUIRE(::stat(folder.c_str(), &info) == 0);
    marks.folder = os::FileId{info.st_dev, info.st_ino};
    CHECK(test::pids_of(os::find_marked(marks, {})) == test::sorted(pids));
    ++marks.folder->ino;
    CHECK(os::find_marked(marks, {}).empty());
}

TEST_CASE("a mark ends in its bits, and each inside another is smaller")
{
    constexpr std::uint64_t low = (std::uint64_t{1} << 56) - 1;
    const auto each_is_smaller = [] { // of 20 tasks, one inside the other
        std::uint64_t last = std::uint64_t{1} << 62;
        for (std::uint64_t depth = 0; depth < 20; ++depth) {
            const std::uint64_t bits = (0x123456789abcde + depth * 0x33333333333333) & low;
            const std::uint64_t mark = os::choose_mark(bits);
            const rlimit limit{mark, mark};
            if (mark >= last || (mark & low) != bits || ::setrlimit(RLIMIT_RTTIME, &limit) != 0)
                return false;
            last = mark;
        }
        return true;
    };
    const pid_t child = ::fork(); // a limit can't be raised again
    if (child == 0) ::_exit(each_is_smaller() ? 0 : 1);
    int status = -1;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(status == 0);
}

TEST_CASE("members are found by their session, unless the marks speak against it")
{
    test::Sandbox sandbox;
    auto root = sandbox.start({"escape"});
    const auto pids = root.numbers();
    REQUIRE(pids.size() == 5);
    auto marks = marks_of(root.pid);
    marks.session = root.pid;
    marks.cookie = "c00c1e";
    auto proof =
        sandbox.start({"sleep", "100"}, {"BGT_COOKIE=c00c1e"}); // another member, elsewhere
    REQUIRE(test::eventually([&] { return !os::find_marked(marks, {}).empty(); }));
    ::kill(root.pid, SIGKILL);
    REQUIRE(test::eventually([&] { return !os::key_of(root.pid); }));
    CHECK(test::pids_of(os::find_marked(marks, {})) == test::sorted({pids[1], pids[4], proof.pid}));

    SECTION("of a later process with the same pid")
    {
        auto reused = marks;
        reused.main_process.start_ticks -=
            1; // so that the process that leads the session now is not the root
        CHECK(test::pids_of(os::find_marked(reused, {})) == std::vector{proof.pid});
    }
    SECTION("nothing that is older than the root")
    {
        marks.main_process.start_ticks += 1'000'000;
        CHECK(os::find_marked(marks, {}).empty());
    }
    SECTION("another session")
    {
        marks.session = 1;
        CHECK(test::pids_of(os::find_marked(marks, {})) == std::vector{proof.pid});
    }
    SECTION("without a proof nobody")
    {
        ::kill(proof.pid, SIGKILL);
        REQUIRE(test::eventually([&] { return !os::key_of(proof.pid); }));
        CHECK(os::find_marked(marks, {}).empty());
    }
}

TEST_CASE("a process of the session that carries another task's cookie is that task's")
{
    test::Sandbox sandbox;
    auto root = sandbox.start({"escape"}, {"BGT_COOKIE=another"});
    const auto pids = root.numbers();
    REQUIRE(pids.size() == 5);
    auto marks = marks_of(root.pid);
    marks.session = root.pid;
    marks.cookie = "c00c1e";
    ::kill(root.pid, SIGKILL);
    REQUIRE(test::eventually([&] { return !os::key_of(root.pid); }));
    CHECK(os::find_marked(marks, {}).empty());
}
