#include <bgt/os/bounded_command.hpp>

#include <bgt/base/descriptor.hpp>
#include <bgt/base/held_signals.hpp>
#include <bgt/os/background.hpp>
#include <bgt/os/clock.hpp>
#include <bgt/os/proc_dir.hpp>
#include <bgt/os/spawn.hpp>
#include <bgt/os/tree.hpp>
#include <bgt/os/wait.hpp>

#include <algorithm>
#include <array>
#include <csignal>
#include <fcntl.h>
#include <set>
#include <unistd.h>

namespace bgt::os {
namespace {

constexpr auto kill_timeout = std::chrono::seconds(2);
constexpr auto kill_interval = std::chrono::milliseconds(20);
/// Of the names of supervisors and dispatchers (man 5 proc, comm).
constexpr std::string_view name_of_bgt = "bgt:";
/// And of one that waits until it may dispatch: the only one that holds no lock.
constexpr std::string_view name_of_standby = "bgt:standby";

/// Whether the descriptor is a lock that it holds: of its task, or of the queues.
bool is_lock(const ProcDir& proc, const ProcStat& process, int folder, std::int32_t fd)
{
    std::array<char, 4096> path{};
    const std::string name = std::to_string(fd);
    const ssize_t size = ::readlinkat(folder, name.c_str(), path.data(), path.size());
    std::string_view file(path.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
    constexpr std::string_view deleted = " (deleted)";
    if (file.ends_with(deleted)) file.remove_suffix(deleted.size());
    if (process.comm == name_of_standby) return file.ends_with("/dispatcher.lock");
    return (file.ends_with("/lock") || file.ends_with("/dispatcher.lock")) &&
           proc.read(process.key.pid, "fdinfo/" + name, 4096).find(" OFDLCK ") != std::string::npos;
}

/// A name alone proves nothing: everybody can take one.
bool is_bgt(const ProcStat& process)
{
    if (!process.comm.starts_with(name_of_bgt)) return false;
    const ProcDir proc;
    const Fd folder = proc.open(process.key.pid, "fd", O_RDONLY | O_DIRECTORY);
    if (!folder) return false;
    return std::ranges::any_of(numeric_entries(folder.get()), [&](std::int32_t fd) {
        return is_lock(proc, process, folder.get(), fd);
    });
}

/// What descends from this process. A task that was started with bgt belongs to its supervisor.
std::vector<ProcStat> members()
{
    std::vector<ProcStat> all = descendants_of(own_pid());
    std::set<std::int32_t> others;
    for (const ProcStat& process : all)
        if (is_bgt(process)) others.insert(process.key.pid);
    return without_trees(std::move(all), std::move(others));
}

void signal_all(int signal)
{
    for (const ProcStat& member : members()) static_cast<void>(send_signal(member.key, signal));
}

class BoundedRun {
public:
    BoundedRun(const BoundedCommand& command, pid_t main, Fd signals, Fd output)
        : command_(command), main_(main), signals_(std::move(signals)), output_(std::move(output))
    {}
    BoundedEnd run();

private:
    enum class Woken : std::uint8_t { done, late, told };
    template <class Done>
    Woken await(Instant deadline, Done done);
    void reap();
    void read_output();
    bool is_empty();
    void stop_all(Duration grace);

    const BoundedCommand& command_;
    pid_t main_; ///< 0: it has ended
    Fd signals_, output_;
    bool no_children_ = false;
    BoundedEnd end_;
};

void BoundedRun::reap()
{
    const ReapResult result = reap_all();
    no_children_ = result.no_children;
    for (const Reaped& child : result.reaped) {
        if (child.pid != main_) continue;
        main_ = 0;
        end_.code = child.exited ? child.status : 128 + child.status;
    }
}

bool BoundedRun::is_empty()
{
    return main_ == 0 && (no_children_ || members().empty());
}

/// Once, so that a writer without end keeps nothing else waiting.
void BoundedRun::read_output()
{
    std::array<char, 65536> buffer;
    const ssize_t got =
        retry_on_eintr([&] { return ::read(output_.get(), buffer.data(), buffer.size()); });
    if (got == 0 || (got < 0 && errno != EAGAIN)) output_.reset(); // nobody writes any more
    if (got <= 0) return;
    const auto count = static_cast<std::size_t>(got);
    end_.output_bytes += count;
    const std::size_t kept = std::min(count, command_.max_output);
    end_.output.append(buffer.data() + count - kept, kept);
    if (end_.output.size() > command_.max_output)
        end_.output.erase(0, end_.output.size() - command_.max_output);
}

template <class Done>
BoundedRun::Woken BoundedRun::await(Instant deadline, Done done)
{
    for (;;) {
        reap();
        if (done()) return Woken::done;
        if (now() >= deadline) return Woken::late;
        const Readable ready = await_readable({signals_.get(), output_.get(), -1}, deadline);
        if (ready[1]) read_output();
        if (ready[0] && take_signals(signals_.get())) return Woken::told;
    }
}

void BoundedRun::stop_all(Duration grace)
{
    const auto empty = [this] { return is_empty(); };
    signal_all(SIGTERM);
    signal_all(SIGCONT); // a stopped process would not see the first
    const Instant kill_at = now() + grace;
    Woken woken = Woken::told;
    while (woken == Woken::told) woken = await(kill_at, empty); // it is being stopped already
    const Instant give_up_at = now() + kill_timeout;
    while (!is_empty() && now() < give_up_at) { // who forks between the listing and the signal
        signal_all(SIGKILL);
        await(now() + kill_interval, empty);
    }
    end_.survivors = members().size();
}

BoundedEnd BoundedRun::run()
{
    Woken woken = await(now() + command_.timeout, [this] { return main_ == 0; });
    if (woken == Woken::late) end_.stopped = StoppedFor::timeout;
    if (woken == Woken::done)
        woken = await(now() + command_.leftover_wait, [this] { return is_empty(); });
    if (woken == Woken::late && main_ == 0) end_.leftovers = members().size();
    if (woken == Woken::told) end_.stopped = StoppedFor::told;
    if (woken != Woken::done)
        stop_all(woken == Woken::told ? command_.grace_when_told : command_.grace);
    for (std::size_t left = 16; output_ && left > 0; --left) { // the pipe holds 64 KiB
        const std::uint64_t before = end_.output_bytes;
        read_output();
        if (end_.output_bytes == before) break;
    }
    return std::move(end_);
}

} // namespace

Result<BoundedEnd> run_bounded(const BoundedCommand& command)
{
    const sigset_t held = signal_set({SIGCHLD, SIGTERM, SIGINT, SIGHUP});
    sigprocmask(SIG_BLOCK, &held, nullptr);
    Fd signals = signal_descriptor();
    if (!signals) return Error::system("making a descriptor for signals (signalfd)", errno);
    adopt_orphans();
    BGT_TRY_ASSIGN(Pipe output, make_pipe("a pipe for the output"));
    fcntl(output.reader.get(), F_SETFL, O_NONBLOCK);
    const Fd null(open("/dev/null", O_RDONLY | O_CLOEXEC));
    if (!null) return Error::system("can't open /dev/null", errno);
    const std::vector<std::string> words{"/bin/sh", "-c", command.text};
    const int writer = output.writer.get();
    BGT_TRY_ASSIGN(const ProcessKey main, spawn({.argv = words,
                                                 .env = command.env,
                                                 .cwd = command.cwd,
                                                 .stdin_fd = null.get(),
                                                 .stdout_fd = writer,
                                                 .stderr_fd = writer,
                                                 .umask = command.umask,
                                                 .nice = {},
                                                 .limits = {}}));
    output.writer.reset();
    return BoundedRun(command, main.pid, std::move(signals), std::move(output.reader)).run();
}

std::size_t kill_descendants()
{
    const Instant give_up_at = now() + kill_timeout;
    while (!reap_all().no_children && !members().empty() && now() < give_up_at) {
        signal_all(SIGKILL);
        pause_for(kill_interval);
    }
    return members().size();
}

} // namespace bgt::os
