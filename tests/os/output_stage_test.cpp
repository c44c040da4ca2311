#include "sandbox.hpp"
#include "support/catch.hpp"
#include "support/eventually.hpp"

#include <bgt/os/background.hpp>
#include <bgt/os/output_stage.hpp>
#include <bgt/os/proc_dir.hpp>

#include <array>
#include <csignal>
#include <fcntl.h>
#include <fstream>
#include <string>
#include <sys/wait.h>
#include <unistd.h>

using namespace bgt;

namespace {

constexpr std::size_t capacity = 128 * 1024;

/// Writes what is in a stage into a file, as a log would get it.
void save_into(int file, int stage)
{
    std::array<char, 4096> buffer;
    for (ssize_t got; (got = read(stage, buffer.data(), buffer.size())) > 0;)
        if (write(file, buffer.data(), static_cast<std::size_t>(got)) != got) return;
}

std::string content(int file)
{
    std::string bytes(1000, '\0');
    const ssize_t got = pread(file, bytes.data(), bytes.size(), 0);
    bytes.resize(static_cast<std::size_t>(got < 0 ? 0 : got));
    return bytes;
}

/// It has come out of fork(), where the thread sanitizer blocks all signals too.
bool is_named_helper(pid_t pid)
{
    std::string name;
    std::getline(std::ifstream("/proc/" + std::to_string(pid) + "/comm") >> std::ws, name);
    return name == bgt::os::helper_name;
}

/// It is at its work, deaf to all but SIGKILL.
bool blocks_signals(pid_t pid)
{
    std::ifstream status("/proc/" + std::to_string(pid) + "/status");
    for (std::string line; std::getline(status, line);)
        if (line.starts_with("SigBlk:"))
            return (std::stoull(line.substr(7), nullptr, 16) >> (SIGTERM - 1) & 1) != 0;
    return false;
}

bool lives(pid_t pid)
{
    const auto stat = os::ProcDir().stat(pid);
    return stat && stat->state != 'Z'; // an orphan's: whoever inherits it may not reap it
}

} // namespace

TEST_CASE("what is in a stage outlives the process that filled it")
{
    ::test::Sandbox sandbox;
    const Fd file(
        ::open((sandbox.folder() + "/saved").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    REQUIRE(file);
    int told[2];
    REQUIRE(::pipe2(told, O_CLOEXEC) == 0);
    const Fd reader(told[0]), writer(told[1]);
    const pid_t supervisor = ::fork();
    if (supervisor == 0) {
        auto stage = os::OutputStage::start(capacity, {file.get()},
                                            [&](int from) { save_into(file.get(), from); });
        if (!stage || ::write(stage->writer(), "last words", 10) != 10) ::_exit(1);
        const pid_t keeper = stage->keeper();
        if (!bgt::test::eventually(bgt::test::test_timeout, [&] {
                return is_named_helper(keeper) && blocks_signals(keeper);
            }))
            ::_exit(1);
        ::kill(keeper, SIGTERM); // as a machine does that goes down
        if (::write(writer.get(), &keeper, sizeof keeper) != sizeof keeper) ::_exit(1);
        ::kill(::getpid(), SIGKILL);
    }
    pid_t keeper = 0;
    REQUIRE(::read(reader.get(), &keeper, sizeof keeper) == sizeof keeper);
    REQUIRE(::waitpid(supervisor, nullptr, 0) == supervisor);
    CHECK(bgt::test::eventually(bgt::test::test_timeout,
                                [&] { return content(file.get()) == "last words"; }));
    CHECK(bgt::test::eventually(bgt::test::test_timeout, [&] { return !lives(keeper); }));
}

TEST_CASE("a keeper has ended when its stage has")
{
    pid_t keeper = 0;
    {
        auto stage = os::OutputStage::start(capacity, {}, [](int) {});
        REQUIRE(stage);
        keeper = stage->keeper();
        CHECK(lives(keeper));
        CHECK(::fcntl(stage->writer(), F_GETPIPE_SZ) == static_cast<int>(capacity));
    }
    CHECK_FALSE(lives(keeper));
    CHECK(::waitpid(keeper, nullptr, WNOHANG) < 0);
}

TEST_CASE("the end of a stage whose keeper somebody else has reaped waits for nobody")
{
    auto stage = os::OutputStage::start(capacity, {}, [](int) {});
    REQUIRE(stage);
    REQUIRE(::kill(stage->keeper(), SIGKILL) == 0);
    REQUIRE(::waitpid(stage->keeper(), nullptr, 0) == stage->keeper());
    const os::OutputStage moved = std::move(*stage);
    CHECK(moved.reader() >= 0);
}
