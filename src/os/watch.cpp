#include <bgt/os/watch.hpp>

#include <bgt/base/descriptor.hpp>
#include <bgt/os/clock.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

namespace bgt::os {

namespace {

constexpr std::uint32_t file_events =
    IN_MODIFY | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF | IN_CLOSE_WRITE;
constexpr std::uint32_t folder_events =
    IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF;
/// How long a change may stay unseen where inotify has no room: two checks are still cheap, and
/// nobody feels it.
constexpr Duration poll_interval = std::chrono::milliseconds(20);
/// The kernel's own, sent whatever was asked for: the watch or its file system is gone.
constexpr std::uint32_t gone_events = IN_IGNORED | IN_UNMOUNT;

timespec to_timespec(Duration d)
{
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(d);
    timespec ts{};
    ts.tv_sec = seconds.count();
    ts.tv_nsec = (d - seconds).count();
    return ts;
}

} // namespace

Result<Watch> Watch::create()
{
    return Watch(); // an instance of inotify is made with the first file: its end costs
                    // milliseconds
}

Result<int> Watch::add_file(const std::string& path)
{
    return add(path, file_events);
}

Result<int> Watch::add_folder(const std::string& path)
{
    return add(path, folder_events);
}

Result<int> Watch::add(const std::string& path, std::uint32_t events)
{
    // Instances are few (sysctl fs.inotify.max_user_instances): without one, files are polled.
    if (!inotify_) inotify_.reset(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
    // MASK_ADD: a second watch of the same inode shares the first one's descriptor and must not
    // narrow it.
    const int wd =
        inotify_ ? ::inotify_add_watch(inotify_.get(), path.c_str(), events | IN_MASK_ADD) : -1;
    if (wd < 0) {
        const bool no_room = !inotify_ || errno == ENOSPC || errno == ENOMEM;
        // What inotify refuses otherwise is refused here, too: what is missing or can't be read.
        if (!no_room || ::faccessat(AT_FDCWD, path.c_str(), R_OK, AT_EACCESS) != 0)
            return Error::system("can't watch " + path, errno);
    }
    watched_.push_back({next_token_, wd, events, wd < 0});
    return next_token_++;
}

void Watch::remove(int token)
{
    const auto found = std::ranges::find(watched_, token, &Watched::token);
    if (found == watched_.end()) return;
    const int wd = found->wd;
    watched_.erase(found);
    if (wd >= 0 && std::ranges::find(watched_, wd, &Watched::wd) == watched_.end())
        ::inotify_rm_watch(inotify_.get(), wd);
}

void Watch::add_fd(int fd)
{
    if (std::ranges::find(fds_, fd) == fds_.end()) fds_.push_back(fd);
}

void Watch::remove_fd(int fd)
{
    std::erase(fds_, fd);
}

void Watch::note_event(int wd, std::uint32_t mask, Wake& wake)
{
    if ((mask & IN_Q_OVERFLOW) != 0) wake.overflow = true;
    for (Watched& entry : watched_) {
        if (entry.wd != wd || (mask & (entry.events | gone_events)) == 0) continue;
        if ((mask & IN_IGNORED) != 0)
            entry.wd = -1; // the kernel may give the number to another file
        if (std::ranges::find(wake.tokens, entry.token) == wake.tokens.end())
            wake.tokens.push_back(entry.token);
    }
}

void Watch::read_events(Wake& wake)
{
    alignas(inotify_event) std::array<char, 16 * (sizeof(inotify_event) + NAME_MAX + 1)> buffer;
    for (;;) {
        const ssize_t got =
            retry_on_eintr([&] { return ::read(inotify_.get(), buffer.data(), buffer.size()); });
        if (got <= 0) return;
        for (std::size_t at = 0; at < static_cast<std::size_t>(got);) {
            inotify_event event;
            std::memcpy(&event, buffer.data() + at, sizeof event);
            note_event(event.wd, event.mask, wake);
            at += sizeof event + event.len;
        }
    }
}

Result<Watch::Wake> Watch::wait(std::optional<Instant> deadline)
{
    std::vector<pollfd> polled{{inotify_.get(), POLLIN, 0}};
    for (const int fd : fds_) polled.push_back({fd, POLLIN, 0});
    const bool polls = std::ranges::any_of(watched_, &Watched::polled);
    std::optional<Instant> until = deadline;
    if (polls) until = std::min(deadline.value_or(Instant::max()), now() + poll_interval);
    for (;;) {
        timespec left{};
        if (until) left = to_timespec(std::max(*until - now(), Duration::zero()));
        const int ready = ::ppoll(polled.data(), polled.size(), until ? &left : nullptr, nullptr);
        const int error = errno;
        Wake wake;
        if (ready < 0 && error != EINTR)
            return Error::system("can't wait for files and processes", error);
        wake.interrupted = ready < 0;
        wake.timed_out = ready == 0 && until == deadline;
        wake.overflow = polls;
        if (ready <= 0) return wake;
        if (polled[0].revents != 0) read_events(wake);
        for (std::size_t i = 1; i < polled.size(); ++i)
            if (polled[i].revents != 0) wake.fds.push_back(polled[i].fd);
        // Events of a token that was removed meanwhile wake nobody.
        if (wake.overflow || !wake.tokens.empty() || !wake.fds.empty()) return wake;
    }
}

} // namespace bgt::os
