#include "files.hpp"

#include <bgt/base/descriptor.hpp>
#include <bgt/base/file_lock.hpp>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstring>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <thread>
#include <unistd.h>

namespace bgt::store::detail {

Fd open_stepwise(int dir, const char* path, int flags, unsigned mode)
{
    Fd holder;
    int at = dir;
    for (const char* slash = std::strchr(path, '/'); slash; slash = std::strchr(path, '/')) {
        const std::string part(path, slash);
        Fd next(::openat(at, part.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
        if (!next) {
            // O_DIRECTORY answers ENOTDIR for a symlink too; openat2 says ELOOP.
            struct stat st {};
            if (errno == ENOTDIR)
                errno = ::fstatat(at, part.c_str(), &st, AT_SYMLINK_NOFOLLOW) == 0 &&
                                S_ISLNK(st.st_mode)
                            ? ELOOP
                            : ENOTDIR;
            return Fd();
        }
        holder = std::move(next);
        at = holder.get();
        path = slash + 1;
    }
    return Fd(::openat(at, path, flags | O_NOFOLLOW | O_CLOEXEC, mode));
}

Fd open_below(int dir, const char* path, int flags, unsigned mode)
{
    static std::atomic<bool> missing{false};
    if (!missing.load(std::memory_order_relaxed)) {
        open_how how{};
        how.flags = static_cast<std::uint64_t>(flags | O_NOFOLLOW | O_CLOEXEC);
        how.mode = (flags & O_CREAT) ? mode : 0;
        how.resolve = RESOLVE_NO_SYMLINKS;
        const long fd = ::syscall(SYS_openat2, dir, path, &how, sizeof how);
        // Some containers answer EPERM to system calls they do not know.
        if (fd >= 0 || (errno != ENOSYS && errno != EPERM)) return Fd(static_cast<int>(fd));
        if (errno == ENOSYS) missing.store(true, std::memory_order_relaxed);
    }
    return open_stepwise(dir, path, flags, mode);
}

Error explain(std::string what, int err)
{
    if (err == lock_timed_out)
        return {ErrorKind::failed,
                std::move(what) +
                    ": some bgt process, perhaps a stopped one, has held this lock all the time; "
                    "look for it with ps -C bgt -o pid,stat,args",
                err};
    if (err == wrong_kind)
        return {ErrorKind::failed,
                std::move(what) + ": something else is in the place of this file: look at it with "
                                  "ls -l, and move it away",
                err};
    if (err == wrong_owner)
        return {ErrorKind::failed,
                std::move(what) +
                    ": it belongs to another user: look at it with ls -l, and move it away",
                err};
    if (err == wrong_links)
        return {ErrorKind::failed,
                std::move(what) + ": this file has another name (a hard link), so that what bgt "
                                  "writes would be there too: "
                                  "put a copy in its place (cp -p FILE COPY; mv COPY FILE)",
                err};
    const char* advice = nullptr;
    switch (err) {
    case EROFS: advice = "name a folder on a writable file system with --root"; break;
    case EACCES:
    case EPERM:
        advice = "look at its owner and mode with ls -ld, or name another folder with --root";
        break;
    case ENOSPC:
    case EDQUOT:
        advice =
            "free some disk space (bgt gc removes ended tasks), or name another folder with --root";
        break;
    case ENOTDIR:
        advice =
            "a part of this path is not a folder: move it away, or name another folder with --root";
        break;
    case ELOOP:
        advice = "bgt follows no symbolic link inside its state root: remove the link";
        break;
    case ENAMETOOLONG: advice = "name a shorter path with --root"; break;
    case EFBIG: advice = "look at ulimit -f, the size that files may have"; break;
    case EMFILE:
    case ENFILE: advice = "too many files are open: look at ulimit -n"; break;
    default: break;
    }
    Error error = Error::system(std::move(what), err);
    if (advice) error.message.append("; ").append(advice);
    return error;
}

int write_all_at(int fd, std::span<const std::byte> bytes, std::uint64_t offset)
{
    while (!bytes.empty()) {
        const ssize_t n = retry_on_eintr(
            [&] { return ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset)); });
        if (n < 0) return errno;
        if (n == 0) return EIO;
        bytes = bytes.subspan(static_cast<std::size_t>(n));
        offset += static_cast<std::uint64_t>(n);
    }
    return 0;
}

int replace_file(int dir, const char* made_as, const char* name, std::string_view content)
{
    const Fd fd = open_file(dir, made_as, O_WRONLY | O_CREAT | O_TRUNC);
    if (!fd) return errno;
    int err = write_all(fd.get(), content);
    if (err == 0 && (::fdatasync(fd.get()) != 0 || ::renameat(dir, made_as, dir, name) != 0))
        err = errno;
    if (err != 0) ::unlinkat(dir, made_as, 0);
    return err;
}

std::ptrdiff_t read_at(int fd, std::span<std::byte> into, std::uint64_t offset)
{
    std::size_t done = 0;
    while (done < into.size()) {
        const ssize_t n = retry_on_eintr([&] {
            return ::pread(fd, into.data() + done, into.size() - done,
                           static_cast<off_t>(offset + done));
        });
        if (n < 0) return -1;
        if (n == 0) break;
        done += static_cast<std::size_t>(n);
    }
    return static_cast<std::ptrdiff_t>(done);
}

Result<std::string> read_file(int dir, const char* path, std::size_t most, const std::string& what)
{
    const Fd fd = open_file(dir, path, O_RDONLY);
    if (!fd) return explain(what, errno);
    std::string text;
    for (std::size_t room = 256;; room *= 4) {
        const std::size_t had = text.size();
        text.resize(had + room);
        const auto n = read_at(fd.get(), std::as_writable_bytes(std::span(text)).subspan(had), had);
        if (n < 0) return explain(what, errno);
        text.resize(had + static_cast<std::size_t>(n));
        if (text.size() > most) return Error::system(what, EFBIG);
        if (static_cast<std::size_t>(n) < room) return text;
    }
}

int lock_waiting(int fd, Duration timeout, bool shared)
{
    using namespace std::chrono_literals;
    struct flock lock = whole_file();
    if (shared) lock.l_type = F_RDLCK;
    if (::fcntl(fd, F_OFD_SETLK, &lock) == 0) return 0;
    // F_OFD_SETLKW would wait for ever for a holder that was stopped, and can't be given a limit.
    const auto deadline = std::chrono::steady_clock::now() + timeout;
    Duration pause = 1ms;
    while (::fcntl(fd, F_OFD_SETLK, &lock) != 0) {
        if (errno != EAGAIN && errno != EACCES && errno != EINTR) return errno;
        if (std::chrono::steady_clock::now() >= deadline) return lock_timed_out;
        std::this_thread::sleep_for(pause);
        pause = std::min<Duration>(pause * 2, 20ms);
    }
    return 0;
}

Listing::Listing(Fd dir)
{
    if (!dir) return;
    dir_ = ::fdopendir(dir.get());
    if (dir_) dir.release(); // closedir closes it
}

Listing::~Listing()
{
    if (dir_) ::closedir(dir_);
}

const char* Listing::next()
{
    while (const dirent* entry = ::readdir(dir_)) {
        const char* name = entry->d_name;
        if (std::strcmp(name, ".") != 0 && std::strcmp(name, "..") != 0) return name;
    }
    return nullptr;
}

void Listing::rewind()
{
    ::rewinddir(dir_);
}
int Listing::fd() const
{
    return ::dirfd(dir_);
}

TaskId id_of_entry(std::string_view name)
{
    if (name.empty() || name.front() == '0') return {};
    const auto id = parse_task_id(name);
    return id ? *id : TaskId{};
}

TaskId id_of_text(std::string_view text)
{
    if (text.empty() || text.back() != '\n') return {}; // cut short: the number may be, too
    text.remove_suffix(1);
    return id_of_entry(text);
}

} // namespace bgt::store::detail
