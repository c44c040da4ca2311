#include <bgt/os/folder_events.hpp>

#include <bgt/base/descriptor.hpp>

#include <array>
#include <cerrno>
#include <climits>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

namespace bgt::os {
namespace {

/// Not IN_MODIFY: a change counts once its writer has closed the file. IN_CREATE tells of links.
constexpr std::uint32_t watched_events = IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM |
                                         IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF;
constexpr int max_reads = 16;

std::int64_t nanoseconds(const timespec& time)
{
    return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

bool is_file_or_link(mode_t mode)
{
    return S_ISREG(mode) || S_ISLNK(mode);
}

std::optional<std::string> link_target(const std::string& path, std::uint64_t max_size)
{
    std::array<char, PATH_MAX> target{};
    const ssize_t size = ::readlink(path.c_str(), target.data(), target.size());
    if (size < 0 || static_cast<std::uint64_t>(size) > max_size) return std::nullopt;
    return std::string(target.data(), static_cast<std::size_t>(size));
}

/// With type, where the file system tells it with the name.
std::optional<bool> type_of(const dirent& entry, int folder)
{
    switch (entry.d_type) {
    case DT_DIR: return true;
    case DT_REG:
    case DT_LNK: return false;
    case DT_UNKNOWN: break;
    default: return std::nullopt;
    }
    struct stat info {};
    if (::fstatat(folder, entry.d_name, &info, AT_SYMLINK_NOFOLLOW) != 0) return std::nullopt;
    if (S_ISDIR(info.st_mode)) return true;
    return is_file_or_link(info.st_mode) ? std::optional(false) : std::nullopt;
}

} // namespace

Result<FolderEvents> FolderEvents::create()
{
    FolderEvents out;
    out.fd_.reset(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
    if (!out.fd_) return Error::system("inotify", errno);
    return out;
}

Result<int> FolderEvents::add(const std::string& folder, bool follow_link)
{
    if (!fd_) return Error::system("inotify", EMFILE);
    const std::uint32_t how =
        IN_ONLYDIR | IN_EXCL_UNLINK | (follow_link ? 0u : std::uint32_t{IN_DONT_FOLLOW});
    const int number = ::inotify_add_watch(fd_.get(), folder.c_str(), watched_events | how);
    if (number < 0) return Error::system(folder, errno);
    return number;
}

void FolderEvents::remove(int number)
{
    if (fd_) ::inotify_rm_watch(fd_.get(), number);
}

FolderEvents::Batch FolderEvents::take()
{
    Batch batch;
    alignas(inotify_event) std::array<char, 65'536> bytes{};
    for (int i = 0; i < max_reads && fd_; ++i) {
        const ssize_t size =
            retry_on_eintr([&] { return ::read(fd_.get(), bytes.data(), bytes.size()); });
        if (size <= 0) return batch;
        const auto end = static_cast<std::size_t>(size);
        for (std::size_t at = 0; at + sizeof(inotify_event) <= end;) {
            inotify_event head{};
            std::memcpy(&head, bytes.data() + at, sizeof head);
            const char* name = bytes.data() + at + sizeof head;
            at += sizeof head + head.len;
            batch.overflow |= (head.mask & IN_Q_OVERFLOW) != 0;
            Event event;
            event.folder = head.wd;
            if (head.len > 0) event.name = name;
            event.is_folder = (head.mask & IN_ISDIR) != 0;
            event.appeared = (head.mask & (IN_CREATE | IN_MOVED_TO)) != 0;
            event.unwatched = (head.mask & (IN_IGNORED | IN_UNMOUNT)) != 0;
            batch.events.push_back(std::move(event));
        }
    }
    return batch;
}

std::optional<FileMark> mark_file(const std::string& path)
{
    struct stat info {};
    if (::lstat(path.c_str(), &info) != 0 || !is_file_or_link(info.st_mode)) return std::nullopt;
    return FileMark{static_cast<std::uint64_t>(info.st_size),
                    static_cast<std::uint64_t>(info.st_dev),
                    static_cast<std::uint64_t>(info.st_ino),
                    nanoseconds(info.st_mtim),
                    nanoseconds(info.st_ctim),
                    S_ISLNK(info.st_mode)};
}

std::optional<std::string> read_content(const std::string& path, std::uint64_t max_size)
{
    // Not blocking: a FIFO may have taken the place of a file.
    const Fd fd{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY)};
    if (!fd && errno == ELOOP) return link_target(path, max_size);
    struct stat info {};
    if (!fd || ::fstat(fd.get(), &info) != 0 || !S_ISREG(info.st_mode) || info.st_size < 0 ||
        static_cast<std::uint64_t>(info.st_size) > max_size)
        return std::nullopt;
    std::string content(static_cast<std::size_t>(info.st_size), '\0');
    std::size_t got = 0;
    while (got < content.size()) {
        const ssize_t size = retry_on_eintr(
            [&] { return ::read(fd.get(), content.data() + got, content.size() - got); });
        if (size < 0) return std::nullopt;
        if (size == 0) break;
        got += static_cast<std::size_t>(size);
    }
    content.resize(got);
    return content;
}

Result<std::vector<FolderEntry>> list_folder(const std::string& path, bool follow_link)
{
    Fd fd{
        ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | (follow_link ? 0 : O_NOFOLLOW))};
    if (!fd) return Error::system(path, errno);
    const std::unique_ptr<DIR, int (*)(DIR*)> folder(::fdopendir(fd.get()), ::closedir);
    if (!folder) return Error::system(path, errno);
    fd.release();
    std::vector<FolderEntry> entries;
    while (const dirent* entry = ::readdir(folder.get())) {
        const std::string_view name = entry->d_name;
        if (name == "." || name == "..") continue;
        if (const auto is_folder = type_of(*entry, ::dirfd(folder.get())))
            entries.push_back({std::string(name), *is_folder});
    }
    return entries;
}

bool is_folder(const std::string& path)
{
    struct stat info {};
    return ::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

bool is_there(const std::string& path)
{
    struct stat info {};
    return ::lstat(path.c_str(), &info) == 0;
}

} // namespace bgt::os
