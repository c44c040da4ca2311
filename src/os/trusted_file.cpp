#include <bgt/os/trusted_file.hpp>

#include <bgt/base/descriptor.hpp>
#include <bgt/base/fd.hpp>
#include <bgt/base/text.hpp>
#include <bgt/base/trusted_path.hpp>
#include <bgt/base/writers.hpp>
#include <fmt/format.h>

#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace bgt::os {

using config::File;

namespace {

constexpr std::size_t max_file_size = 1 << 20;

/// Nothing is there for us. A folder above that we may not search is no reason to refuse work in
/// the one we are in.
bool is_absent(int error)
{
    return error == ENOENT || error == ENOTDIR || error == EACCES || error == ENAMETOOLONG ||
           error == ELOOP;
}

/// Why a file with this owner and mode is not to be read; empty if it may be.
std::string distrust(const std::string& path, const struct stat& info, unsigned uid, Groups& groups)
{
    if (info.st_uid != uid && info.st_uid != 0)
        return fmt::format("it belongs to another user (uid {})", info.st_uid);
    if (S_ISLNK(info.st_mode)) return {}; // whose mode means nothing
    const Writers writers = groups.writers_of(info);
    if (writers == Writers::owner) return {};
    const std::string named = shell_quote(printable(path));
    if (writers == Writers::all) return "other users may write it (chmod go-w " + named + ")";
    return fmt::format("its group may write it, which is not known to be yours alone (gid {}; "
                       "chmod g-w {})",
                       info.st_gid, named);
}

File distrusted(const std::string& path, const std::string& why)
{
    return {true, {}, fmt::format("{} is not read: {}", printable(path), why)};
}

/// Why the path, a link at its end included, is not to be followed; empty if it may be.
Result<std::string> path_distrust(const std::string& path, unsigned uid)
{
    const auto found = find_untrusted_part(path, uid, LastPart::followed);
    if (!found)
        return is_absent(found.error().sys_errno) ? Result<std::string>(std::string())
                                                  : found.error();
    if (!*found) return std::string();
    const auto& part = **found;
    const std::string what = printable(part.path) + ", which is on its way, ";
    if (part.is_writable)
        return what + "is writable by other users (chmod go-w " +
               shell_quote(printable(part.path)) + ")";
    return what + fmt::format("belongs to another user (uid {})", part.owner);
}

Result<std::string> read_all(int fd, const std::string& path)
{
    std::string text;
    for (char buffer[16384];;) {
        const ssize_t got = retry_on_eintr([&] { return ::read(fd, buffer, sizeof buffer); });
        if (got < 0) return Error::system(fmt::format("cannot read {}", printable(path)), errno);
        if (got == 0) return text;
        text.append(buffer, static_cast<std::size_t>(got));
        if (text.size() > max_file_size)
            return Error::usage(fmt::format("{} is above 1 MiB", printable(path)));
    }
}

} // namespace

Result<File> read_trusted(const std::string& path, unsigned uid)
{
    struct stat info {};
    Groups groups(uid);
    // The cheap question first: most often nothing is there.
    if (::lstat(path.c_str(), &info) != 0) {
        if (is_absent(errno)) return File{};
        return Error::system(fmt::format("cannot read {}", printable(path)), errno);
    }
    if (const auto why = distrust(path, info, uid, groups); !why.empty())
        return distrusted(path, why);
    // Who can replace a folder or a link on the way can lead us to any file of ours.
    const auto on_its_way = path_distrust(path, uid);
    if (!on_its_way) return on_its_way.error();
    if (!on_its_way->empty()) return distrusted(path, *on_its_way);
    // To open a FIFO or a device has effects of its own: what a link leads to is looked at first.
    if (S_ISLNK(info.st_mode) && ::stat(path.c_str(), &info) != 0) {
        if (is_absent(errno)) return File{};
        return Error::system(fmt::format("cannot read {}", printable(path)), errno);
    }
    if (const auto why = distrust(path, info, uid, groups); !why.empty())
        return distrusted(path, why);
    if (!S_ISREG(info.st_mode))
        return Error::usage(fmt::format("{} is not a regular file", printable(path)));
    const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    if (!fd) {
        if (errno == ENOENT) return File{};
        return Error::system(fmt::format("cannot read {}", printable(path)), errno);
    }
    if (::fstat(fd.get(), &info) != 0)
        return Error::system(fmt::format("cannot read {}", printable(path)), errno);
    if (const auto why = distrust(path, info, uid, groups); !why.empty())
        return distrusted(path, why);
    if (!S_ISREG(info.st_mode))
        return Error::usage(fmt::format("{} is not a regular file", printable(path)));
    auto text = read_all(fd.get(), path);
    if (!text) return text.error();
    return File{true, std::move(*text), {}};
}

} // namespace bgt::os
