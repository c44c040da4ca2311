// What descriptors are.
#include "evidence.hpp"

#include "sample/sample_waits.hpp"

#include <algorithm>
#include <array>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

namespace bgt::os::detail {

namespace {

using core::HandleKind;

bool is_terminal_device(unsigned kind)
{
    // Documentation/admin-guide/devices.txt of Linux
    return kind == 4 || kind == 5 || kind == 229 || (kind >= 136 && kind <= 143);
}

HandleKind kind_of(const struct statx& info)
{
    if (S_ISFIFO(info.stx_mode)) return HandleKind::fifo;
    if (S_ISREG(info.stx_mode) || S_ISDIR(info.stx_mode)) return HandleKind::file;
    if (S_ISCHR(info.stx_mode))
        return is_terminal_device(info.stx_rdev_major) ? HandleKind::terminal : HandleKind::device;
    return S_ISSOCK(info.stx_mode) ? HandleKind::socket : HandleKind::other;
}

/// N of the pseudoterminal that a process has as its controlling terminal, which /dev/tty means;
/// -1: none.
std::int32_t controlling_terminal(const ProcDir& proc, std::int32_t pid)
{
    constexpr unsigned first_major = 136, majors = 8; // of pseudoterminals, 256 in each
    const auto stat = parse_life_stat(proc.read(pid, "stat", 1024));
    if (!stat) return -1;
    const auto device = static_cast<std::uint32_t>(stat->tty);
    const unsigned kind = device >> 8 & 0xfff, minor = (device & 0xff) | (device >> 12 & 0xfff00);
    return kind >= first_major && kind < first_major + majors
               ? static_cast<std::int32_t>((kind - first_major) * 256 + minor)
               : -1;
}

/// A terminal can be opened without a wait, whoever else has it.
void look_at_terminal(const Gathering& gathering, std::int32_t pid, std::string_view link,
                      core::Handle& handle)
{
    handle.number =
        link == "/dev/tty" ? controlling_terminal(gathering.proc, pid) : terminal_in_link(link);
    if (handle.number < 0) return;
    const std::string path = fmt::format("root/dev/pts/{}", handle.number);
    handle.raw =
        is_raw_terminal(gathering.proc.open(pid, path, O_RDONLY | O_NOCTTY | O_NONBLOCK).get());
}

/// "anon_inode:[eventfd]" and the like.
HandleKind kind_of_anonymous(std::string_view link)
{
    if (link == "anon_inode:[eventfd]") return HandleKind::event;
    if (link == "anon_inode:[timerfd]") return HandleKind::timer;
    if (link == "anon_inode:[signalfd]") return HandleKind::signals;
    if (link == "anon_inode:inotify" || link == "anon_inode:[inotify]" ||
        link == "anon_inode:[fanotify]")
        return HandleKind::watch;
    return link == "anon_inode:[pidfd]" ? HandleKind::process : HandleKind::other;
}

/// Of a file that is open and on no remote file system: its inode is at hand. Nothing is brought up
/// to date first.
bool look_at_file(const Gathering& gathering, std::int32_t pid, std::int32_t fd, struct statx& info)
{
    if (is_remote(gathering, pid, fd)) return false;
    const Fd folder = gathering.proc.open(pid, "fd", O_PATH | O_DIRECTORY);
    return folder && stat_handle(folder.get(), std::to_string(fd).c_str(), info);
}

} // namespace

std::int32_t terminal_in_link(std::string_view link)
{
    constexpr std::string_view folder = "/dev/pts/";
    std::int32_t number = -1;
    return link.starts_with(folder) && read_number(link.substr(folder.size()), number) ? number
                                                                                       : -1;
}

bool is_master_link(std::string_view link)
{
    return link.starts_with("/dev/") && link.ends_with("ptmx");
}

std::vector<std::int32_t> some_descriptors(int folder)
{
    constexpr std::size_t most = 4096;
    auto fds = numeric_entries(folder);
    if (fds.size() > most) fds.resize(most);
    return fds;
}

std::string link_of(const ProcDir& proc, std::int32_t pid, std::int32_t fd)
{
    const Fd folder = proc.open(pid, "fd", O_PATH | O_DIRECTORY);
    std::array<char, 1024> target;
    const ssize_t length = folder ? ::readlinkat(folder.get(), std::to_string(fd).c_str(),
                                                 target.data(), target.size())
                                  : -1;
    return length > 0 ? std::string(target.data(), static_cast<std::size_t>(length))
                      : std::string();
}

std::vector<std::int32_t> descriptors_of(const ProcDir& proc, std::int32_t pid)
{
    const Fd folder = proc.open(pid, "fd", O_RDONLY | O_DIRECTORY);
    return folder ? some_descriptors(folder.get()) : std::vector<std::int32_t>();
}

std::uint64_t number_in_link(std::string_view link, std::string_view kind)
{
    std::uint64_t number = 0;
    if (!link.starts_with(kind) || !link.ends_with("]") || link.size() < kind.size() + 4) return 0;
    if (link.substr(kind.size(), 2) != ":[") return 0;
    return read_number(link.substr(kind.size() + 2, link.size() - kind.size() - 3), number) ? number
                                                                                            : 0;
}

std::int64_t fdinfo_number(const ProcDir& proc, std::int32_t pid, std::int32_t fd,
                           std::string_view word, int base)
{
    const std::string text = proc.read(pid, fmt::format("fdinfo/{}", fd), 4096);
    std::string_view rest = text, line;
    while (next_line(rest, line)) {
        const auto words = words_of(line);
        std::int64_t number = 0;
        if (words.size() == 2 && words[0] == word)
            return read_number(words[1], number, base) ? number : -1;
    }
    return -1;
}

bool is_remote(const Gathering& gathering, std::int32_t pid, std::int32_t fd)
{
    const std::int64_t mount = fdinfo_number(gathering.proc, pid, fd, "mnt_id:");
    return mount < 0 ||
           gathering.mounts.is_remote(gathering.proc, pid, static_cast<std::int32_t>(mount));
}

core::Handle handle_of(const Gathering& gathering, std::int32_t pid, std::int32_t fd)
{
    core::Handle handle;
    handle.fd = fd;
    const std::string link = link_of(gathering.proc, pid, fd);
    handle.text = shown_text(link);
    if (const auto socket = number_in_link(link, "socket"); socket != 0) {
        handle.kind = HandleKind::socket;
        handle.inode = socket;
        return handle;
    }
    if (const auto pipe = number_in_link(link, "pipe"); pipe != 0) {
        handle.kind = HandleKind::pipe;
        handle.inode = pipe;
        return handle;
    }
    if (link.starts_with("anon_inode:")) handle.kind = kind_of_anonymous(link);
    if (handle.kind == HandleKind::watch) handle.text = watched_files(gathering, pid, fd);
    if (handle.kind == HandleKind::process)
        handle.number = static_cast<std::int32_t>(fdinfo_number(gathering.proc, pid, fd, "Pid:"));
    if (!link.starts_with('/')) return handle;
    if (is_master_link(link)) {
        handle.kind = HandleKind::master;
        handle.number =
            static_cast<std::int32_t>(fdinfo_number(gathering.proc, pid, fd, "tty-index:"));
        return handle;
    }
    struct statx info {};
    handle.kind = HandleKind::file; // of a file system that may not answer no more is asked
    if (!look_at_file(gathering, pid, fd, info)) return handle;
    handle.kind = kind_of(info);
    handle.inode = info.stx_ino;
    handle.task_stdin = gathering.request.stdin_fifo.is(
        ::makedev(info.stx_dev_major, info.stx_dev_minor), info.stx_ino);
    if (handle.kind == HandleKind::terminal) look_at_terminal(gathering, pid, link, handle);
    return handle;
}

core::Handle handle_of_path(const Gathering& gathering, std::int32_t pid, std::int32_t dir_fd,
                            const std::string& path)
{
    core::Handle handle;
    handle.text = shown_text(path);
    std::string whole = path;
    if (!path.starts_with(
            '/')) { // as the kernel knows where the process is, no file system is asked
        std::array<char, 1024> room;
        const Fd folder = gathering.proc.open(pid, "", O_PATH | O_DIRECTORY);
        const std::string name = dir_fd == AT_FDCWD ? "cwd" : fmt::format("fd/{}", dir_fd);
        const ssize_t length =
            folder ? ::readlinkat(folder.get(), name.c_str(), room.data(), room.size()) : -1;
        if (length <= 0) return handle;
        whole = std::string(room.data(), static_cast<std::size_t>(length)) + "/" + path;
    }
    handle.text = shown_text(whole);
    const auto place = Mounts::place_of(gathering.proc, pid, whole);
    if (place.remote) return handle;
    // With O_PATH nothing is opened, so a FIFO does not block here too; and no symlink leads out of
    // that file system.
    const Fd root = gathering.proc.open(pid, "root", O_PATH | O_DIRECTORY);
    std::string_view inner = std::string_view(whole).substr(place.folder.size());
    while (inner.starts_with('/')) inner.remove_prefix(1);
    const std::string folder = place.folder == "/" ? "." : place.folder.substr(1);
    const Fd mount(root ? ::openat(root.get(), folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)
                        : -1);
    open_how how{};
    how.flags = O_PATH | O_CLOEXEC;
    how.resolve = RESOLVE_NO_XDEV;
    const Fd target(mount
                        ? static_cast<int>(::syscall(SYS_openat2, mount.get(),
                                                     std::string(inner).c_str(), &how, sizeof how))
                        : -1);
    struct statx info {};
    if (!target || ::statx(target.get(), "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_BASIC_STATS,
                           &info) != 0)
        return handle;
    handle.kind = kind_of(info);
    handle.inode = info.stx_ino;
    // As it shows among the descriptors of those who have it open.
    std::array<char, 1024> real;
    const ssize_t length =
        ::readlink(fmt::format("/proc/self/fd/{}", target.get()).c_str(), real.data(), real.size());
    if (length > 0) handle.text = shown_text({real.data(), static_cast<std::size_t>(length)});
    return handle;
}

std::string watched_files(const Gathering& gathering, std::int32_t pid, std::int32_t fd)
{
    // "inotify wd:1 ino:9e7e sdev:800013 mask:..." in hexadecimal digits; sdev is the kernel's own
    // form of a device number.
    const std::string text = gathering.proc.read(pid, fmt::format("fdinfo/{}", fd), 64 * 1024);
    std::vector<std::pair<std::uint64_t, std::uint64_t>> watched;
    std::string_view rest = text, line;
    while (next_line(rest, line)) {
        const auto words = words_of(line);
        std::uint64_t inode = 0, device = 0;
        if (words.size() < 4 || words[0] != "inotify" || !words[2].starts_with("ino:") ||
            !words[3].starts_with("sdev:"))
            continue;
        if (read_number(words[2].substr(4), inode, 16) &&
            read_number(words[3].substr(5), device, 16))
            watched.emplace_back(inode, device);
    }
    std::string name;
    std::size_t named = 0;
    for (const std::int32_t other :
         watched.empty() ? std::vector<std::int32_t>() : descriptors_of(gathering.proc, pid)) {
        struct statx info {};
        const std::string link = link_of(gathering.proc, pid, other);
        if (!link.starts_with('/') || !look_at_file(gathering, pid, other, info)) continue;
        const std::uint64_t device = std::uint64_t{info.stx_dev_major} << 20 | info.stx_dev_minor;
        if (std::find(watched.begin(), watched.end(),
                      std::pair<std::uint64_t, std::uint64_t>{info.stx_ino, device}) ==
            watched.end())
            continue;
        if (named++ == 0) name = link;
    }
    if (name.empty())
        return watched.size() == 1 ? "a file or folder"
                                   : fmt::format("{} files or folders", watched.size());
    return watched.size() > 1 ? fmt::format("{} and {} more", shown_text(name), watched.size() - 1)
                              : shown_text(name);
}

} // namespace bgt::os::detail
