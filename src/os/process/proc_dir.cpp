#include <bgt/os/proc_dir.hpp>

#include <bgt/base/descriptor.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

namespace bgt::os {

namespace {

/// "PID/name" in place: a scan opens thousands of them.
class Path {
public:
    Path(std::int32_t pid, std::string_view name)
    {
        char* end = std::to_chars(text_.data(), text_.data() + 12, pid).ptr;
        *end++ = '/';
        const std::size_t room = static_cast<std::size_t>(text_.data() + text_.size() - end) - 1;
        const std::size_t length = std::min(name.size(), room);
        std::memcpy(end, name.data(), length);
        end[length] = '\0';
    }
    const char* c_str() const { return text_.data(); }

private:
    std::array<char, 64> text_;
};

/// struct linux_dirent64 of man 2 getdents: glibc's readdir costs an allocation a folder.
struct DirEntry {
    std::uint64_t ino;
    std::int64_t off;
    unsigned short length;
    unsigned char type;
    char name[1];
};

void add_numbers(std::string_view text, std::vector<std::int32_t>& out)
{
    const char* at = text.data();
    const char* const end = at + text.size();
    while (at != end) {
        std::int32_t value = 0;
        const auto [next, error] = std::from_chars(at, end, value);
        if (error == std::errc{}) out.push_back(value);
        at = next == at ? at + 1 : next;
    }
}

std::string read_all(int fd, std::size_t limit)
{
    std::string text;
    std::array<char, 16 * 1024>
        buffer; // most files of /proc are far smaller; it gives them in parts of a page or so
    while (text.size() < limit) {
        const auto got =
            read_some(fd, std::span(buffer).first(std::min(buffer.size(), limit - text.size())));
        if (got.empty()) break;
        text += got;
    }
    return text;
}

/// Adds the numbers in a `children` file; false where there is none.
bool add_children(const Fd& file, std::vector<std::int32_t>& out)
{
    if (!file) return false;
    add_numbers(read_all(file.get(), std::size_t{1} << 24), out);
    return true;
}

} // namespace

bool stat_handle(int folder, const char* name, struct statx& info)
{
    if (::statx(folder, name, AT_STATX_DONT_SYNC, STATX_BASIC_STATS, &info) == 0) return true;
    struct stat plain {};
    if (errno != EPERM || ::fstatat(folder, name, &plain, 0) != 0)
        return false; // the library knows what to do on ENOSYS
    info = {};
    info.stx_mode = static_cast<std::uint16_t>(plain.st_mode);
    info.stx_ino = plain.st_ino;
    info.stx_dev_major = gnu_dev_major(plain.st_dev);
    info.stx_dev_minor = gnu_dev_minor(plain.st_dev);
    info.stx_rdev_major = gnu_dev_major(plain.st_rdev);
    info.stx_rdev_minor = gnu_dev_minor(plain.st_rdev);
    return true;
}

std::string_view read_some(int fd, std::span<char> buffer)
{
    const ssize_t got = retry_on_eintr([&] { return ::read(fd, buffer.data(), buffer.size()); });
    return {buffer.data(), got > 0 ? static_cast<std::size_t>(got) : 0};
}

std::vector<std::int32_t> numeric_entries(int dir_fd)
{
    std::vector<std::int32_t> numbers;
    alignas(DirEntry) std::array<char, 32 * 1024> buffer;
    for (;;) {
        const long got = ::syscall(SYS_getdents64, dir_fd, buffer.data(), buffer.size());
        if (got <= 0) return numbers;
        for (long at = 0; at < got;) {
            const char* const entry = buffer.data() + at;
            unsigned short length = 0;
            std::memcpy(&length, entry + offsetof(DirEntry, length), sizeof length);
            const char* const name = entry + offsetof(DirEntry, name);
            const char* const end = name + std::strlen(name);
            std::int32_t number = 0;
            const auto [stop, error] = std::from_chars(name, end, number);
            if (error == std::errc{} && stop == end) numbers.push_back(number);
            at += length;
        }
    }
}

Fd open_at(int folder, const char* name, int flags)
{
    return Fd(retry_on_eintr([&] { return ::openat(folder, name, flags | O_CLOEXEC); }));
}

ProcDir::ProcDir(const char* path) : dir_(open_at(AT_FDCWD, path, O_RDONLY | O_DIRECTORY)) {}

std::vector<std::int32_t> ProcDir::pids() const
{
    ::lseek(dir_.get(), 0, SEEK_SET); // a second look begins at the first entry again
    return numeric_entries(dir_.get());
}

Fd ProcDir::open(std::int32_t pid, std::string_view name, int flags) const
{
    return open_at(dir_.get(), Path(pid, name).c_str(), flags);
}

std::optional<ProcStat> ProcDir::stat(std::int32_t pid) const
{
    const Fd fd = open(pid, "stat", O_RDONLY);
    if (!fd) return std::nullopt;
    std::array<char, 1024> buffer; // 52 fields: at most about 700 bytes
    return parse_stat(read_some(fd.get(), buffer));
}

std::optional<std::vector<std::int32_t>> ProcDir::children(std::int32_t pid) const
{
    const Fd tasks = open(pid, "task", O_RDONLY | O_DIRECTORY);
    if (!tasks) return std::nullopt;
    std::vector<std::int32_t> found;
    bool readable = false;
    for (const std::int32_t thread : numeric_entries(tasks.get())) {
        const Fd file = open_at(tasks.get(), Path(thread, "children").c_str(), O_RDONLY);
        readable = add_children(file, found) || readable;
    }
    if (!readable) return std::nullopt;
    return found;
}

std::optional<std::vector<std::int32_t>> ProcDir::children_of_main_thread(std::int32_t pid) const
{
    std::vector<std::int32_t> found;
    if (!add_children(open(pid, "task/" + std::to_string(pid) + "/children", O_RDONLY), found))
        return std::nullopt;
    return found;
}

std::optional<std::uint32_t> ProcDir::owner(std::int32_t pid) const
{
    struct stat info {};
    if (::fstatat(dir_.get(), Path(pid, "").c_str(), &info, 0) != 0) return std::nullopt;
    return info.st_uid;
}

std::string ProcDir::read(std::int32_t pid, std::string_view name, std::size_t limit) const
{
    const Fd fd = open(pid, name, O_RDONLY);
    return fd ? read_all(fd.get(), limit) : std::string();
}

std::int32_t ProcDir::newest_pid() const
{
    const Fd fd = open_at(dir_.get(), "loadavg", O_RDONLY);
    const std::string text = fd ? read_all(fd.get(), 128) : std::string();
    std::int32_t pid = 0;
    const std::size_t at = text.rfind(' ') + 1;
    std::from_chars(text.data() + at, text.data() + text.size(), pid);
    return pid;
}

} // namespace bgt::os
