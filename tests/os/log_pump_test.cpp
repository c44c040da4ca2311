#include "sandbox.hpp"
#include "support/catch.hpp"

#include "supervise/log_pump.hpp"

#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace bgt;
using namespace std::chrono_literals;
using Type = store::IndexEntry::Type;

namespace {

constexpr WallTime start{1'800'000'000s};
constexpr std::uint64_t log_max = 1u << 20;
constexpr off_t index_bound = 1 << 20;

/// A pump in a folder of its own, and the command's side of its FIFO.
struct Pumping {
    test::Sandbox sandbox;
    std::string path = sandbox.folder();
    store::TaskDir task{store::TaskId{1}, path,
                        Fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC))};
    supervise::LogPump pump;
    Fd command;

    void open()
    {
        auto opened = supervise::LogPump::open(task, supervise::LogPump::out_files, log_max, 0);
        REQUIRE(opened);
        pump = std::move(*opened);
        auto writer = pump.writer();
        REQUIRE(writer);
        command = std::move(*writer);
    }
    supervise::LogPump::Moved write(const std::string& text, WallTime at)
    {
        REQUIRE(::write(command.get(), text.data(), text.size()) ==
                static_cast<ssize_t>(text.size()));
        return pump.pump(at);
    }
    store::LogIndex index() const
    {
        auto index = store::LogIndex::open(task.fd(), store::file::out_index);
        REQUIRE(index);
        return std::move(*index);
    }
};

/// While it lives, the log can't grow: it has reached the size at which this process may extend no
/// file (man 2 setrlimit, RLIMIT_FSIZE: EFBIG). Its index is far below that.
struct FullLog {
    static constexpr std::uint64_t size = 64 * 1024;
    explicit FullLog(const Pumping& p)
    {
        const Fd log(
            ::openat(p.task.fd(), store::file::out_log, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
        REQUIRE(::ftruncate(log.get(), static_cast<off_t>(size)) == 0);
        ::signal(SIGXFSZ, SIG_IGN);
        REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
        const rlimit reached{size, before.rlim_max};
        REQUIRE(::setrlimit(RLIMIT_FSIZE, &reached) == 0);
    }
    ~FullLog() { ::setrlimit(RLIMIT_FSIZE, &before); }
    rlimit before{};
};

} // namespace

TEST_CASE("an index has an entry for each millisecond, also once the clock was set back")
{
    Pumping p;
    p.open();
    CHECK(p.write("a", start).bytes == 1);
    p.write("b", start + 500us);
    CHECK(p.index().size() == 1);
    p.write("c", start + 1ms);
    CHECK(p.index().size() == 2);
    p.write("d", start - 1h);
    REQUIRE(p.index().size() == 3);
    CHECK(p.index().at(2).at == start - 1h);
    CHECK(p.index().at(2).value == 3);
    p.write("e", start - 1h + 1ms);
    CHECK(p.index().size() == 4);
}

TEST_CASE("a large index gets an entry for each second or 4 KiB")
{
    Pumping p;
    Fd index(::openat(p.task.fd(), store::file::out_index, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    REQUIRE(index);
    REQUIRE(::ftruncate(index.get(), index_bound + 16) == 0);
    const std::size_t before = index_bound / 16 + 1;
    p.open();
    p.write("a", start);
    CHECK(p.index().size() == before + 1);
    for (int i = 1; i < 100; ++i) p.write("b", start + i * 5ms);
    CHECK(p.index().size() == before + 1);
    p.write("c", start + 1s); // at offset 100
    REQUIRE(p.index().size() == before + 2);
    CHECK(p.index().at(before + 1).value == 100);
    p.write(std::string(4095, 'd'), start + 1010ms);
    CHECK(p.index().size() == before + 2);
    p.write("e", start + 1020ms); // 4096 bytes after the last entry
    REQUIRE(p.index().size() == before + 3);
    CHECK(p.index().at(before + 2).value == 100 + 4096);
    CHECK(p.pump.log_bytes() == 100 + 4096 + 1);
}

TEST_CASE(
    "a command that fills its FIFO again and again gets a stage, and loses it when it has calmed")
{
    Pumping p;
    p.open();
    const int quiet = ::fcntl(p.pump.fifo(), F_GETPIPE_SZ);
    const std::string full(static_cast<std::size_t>(quiet), 'x');
    for (int i = 0; i < 3; ++i) p.write(full, start);
    CHECK_FALSE(p.pump.wants_stage());
    p.write(full, start);
    REQUIRE(p.pump.wants_stage());
    const Fd lock(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    const pid_t keeper = p.pump.begin_stage(lock.get());
    REQUIRE(keeper > 0);
    CHECK(p.pump.keeper() == keeper);
    CHECK_FALSE(p.pump.wants_stage());
    CHECK(::faccessat(p.task.fd(), store::file::out_stage, F_OK, 0) == 0);

    const std::uint64_t before = p.pump.log_bytes();
    const supervise::LogPump::Moved moved =
        p.write(std::string(300'000, 'a') + std::string(100'000, 'b'), start);
    CHECK(moved.bytes == 400'000);
    CHECK_FALSE(moved.more);
    CHECK(p.pump.log_bytes() == before + 400'000);
    const Fd log = *p.task.open(store::file::out_log, O_RDONLY);
    std::string edge(2, '\0');
    REQUIRE(::pread(log.get(), edge.data(), 2, static_cast<off_t>(before + 299'999)) == 2);
    CHECK(edge == "ab");

    for (int i = 0; i < 50; ++i)
        p.write(std::string(400'000, 'c'), start); // 20 MB in one of its seconds
    CHECK_FALSE(p.pump.has_become_idle());
    CHECK(p.pump.has_become_idle());
    p.pump.end_stage();
    CHECK(p.pump.keeper() == 0);
    CHECK(::kill(keeper, 0) < 0);
    CHECK(::faccessat(p.task.fd(), store::file::out_stage, F_OK, 0) < 0);
    CHECK(::fcntl(p.pump.fifo(), F_GETPIPE_SZ) == quiet);
    CHECK(p.write("after", start).bytes == 5);
}

TEST_CASE("a command whose output is taken as fast as it writes gets a stage all the same")
{
    Pumping p;
    p.open();
    const std::string half(32'000, 'x'); // never a full FIFO
    for (int i = 0; i < 32; ++i) p.write(half, start + i * 1ms);
    CHECK_FALSE(p.pump.wants_stage()); // 1 MB in 32 ms
    for (int i = 0; i < 32; ++i) p.write(half, start + 1s);
    CHECK_FALSE(p.pump.wants_stage());
    p.write(half, start + 1s);
    CHECK(p.pump.wants_stage());
}

TEST_CASE("what a log can't take is dropped from a stage, too")
{
    Pumping p;
    const FullLog full(p);
    p.open();
    const Fd lock(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    REQUIRE(p.pump.begin_stage(lock.get()) > 0);
    const auto moved = p.write("lost words", start);
    CHECK(moved.bytes == 0);
    CHECK(moved.dropped == 10);
    for (int i = 0; i < 600; ++i) p.write(std::string(32'000, 'x'), start);
    CHECK_FALSE(p.pump.has_become_idle()); // who is loud is so on a full disk too
    p.pump.end_stage();
}

TEST_CASE("what a keeper has not saved is told as lost, once")
{
    Pumping p;
    const auto leave_mark = [&](mode_t mode) {
        Fd(::openat(p.task.fd(), store::file::out_stage, O_WRONLY | O_CREAT, mode));
    };
    CHECK_FALSE(supervise::LogPump::take_loss(p.task, supervise::LogPump::out_files));
    leave_mark(0600);
    CHECK(supervise::LogPump::take_loss(p.task, supervise::LogPump::out_files));
    CHECK_FALSE(supervise::LogPump::take_loss(p.task, supervise::LogPump::out_files));
    leave_mark(0400); // a keeper has saved all
    CHECK_FALSE(supervise::LogPump::take_loss(p.task, supervise::LogPump::out_files));
    CHECK(::faccessat(p.task.fd(), store::file::out_stage, F_OK, 0) < 0);
}

TEST_CASE("what a log can't take is dropped and counted, whatever the reason")
{
    Pumping p;
    const FullLog full(p);
    p.open();
    const auto moved = p.write("lost words", start);
    CHECK(moved.bytes == 0);
    CHECK(moved.dropped == 10);
    CHECK_FALSE(moved.more);
    CHECK(p.pump.log_bytes() == FullLog::size);
    char byte = 0;
    CHECK(::read(p.pump.fifo(), &byte, 1) < 0); // nothing is left to hold the command up
    CHECK(errno == EAGAIN);
    REQUIRE(p.index().size() == 1);
    CHECK(p.index().at(0).type == Type::dropped);
    CHECK(p.index().at(0).value == 10);
    p.write("more", start + 1us);
    REQUIRE(p.index().size() == 2);
    CHECK(p.index().at(1).value == 4);
}
