#include <bgt/base/trusted_path.hpp>

#include <bgt/base/descriptor.hpp>
#include <bgt/base/text.hpp>
#include <bgt/base/writers.hpp>

#include <array>
#include <cerrno>
#include <climits>
#include <fcntl.h>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace bgt {
namespace {

constexpr int max_links = 40; ///< as in the kernel (man 7 path_resolution)

/// In a user namespace that has no root, what belongs to root looks as if it belonged to this user
/// (man 7 user_namespaces, /proc/sys/fs/overflowuid).
constexpr unsigned overflow_uid = 65534;

bool lacks_root()
{
    const Fd fd(::open("/proc/self/uid_map", O_RDONLY | O_CLOEXEC));
    std::array<char, 64> text{};
    const auto size =
        fd ? retry_on_eintr([&] { return ::read(fd.get(), text.data(), text.size()); }) : -1;
    // "         0          0 4294967295" without a namespace.
    if (size <= 0) return false;
    return std::string_view(text.data(), text.size()).find(" 4294967295") == std::string_view::npos;
}

bool is_trusted(unsigned uid, unsigned user)
{
    return uid == 0 || uid == user || (uid == overflow_uid && lacks_root());
}

/// Resolves a path as the kernel does, and checks each part before it relies on it. Nobody else can
/// change the parts that have passed, so their names stay valid.
class PathCheck {
public:
    PathCheck(const std::string& path, unsigned user, LastPart last)
        : user_(user), last_(last), groups_(user)
    {
        push(path);
    }

    Result<std::optional<UntrustedPart>> run() &&
    {
        while (!rest_.empty()) {
            const std::string name = std::move(rest_.back());
            rest_.pop_back();
            if (name == "..") {
                done_.resize(done_.empty() ? 0 : done_.rfind('/'));
                continue;
            }
            const bool is_last = rest_.empty();
            if (is_last && last_ == LastPart::ignored) break;
            const std::string part = done_ + "/" + name;
            struct stat st {};
            if (::lstat(part.c_str(), &st) != 0) {
                if (errno == ENOENT) break;
                return failed(part);
            }
            if (is_last && !S_ISLNK(st.st_mode)) return check_folder_of_file();
            if (!is_trusted(st.st_uid, user_)) return Found(UntrustedPart{part, st.st_uid, false});
            if (!S_ISLNK(st.st_mode)) {
                // In a sticky folder, what is there can be renamed by its owner only.
                if ((st.st_mode & S_ISVTX) == 0 && is_open(st))
                    return Found(UntrustedPart{part, st.st_uid, true});
                done_ = part;
            } else if (auto followed = follow(part); !followed) {
                return followed.error();
            }
        }
        return Found();
    }

private:
    using Found = std::optional<UntrustedPart>;

    static Error failed(const std::string& part)
    {
        const int err = errno;
        return Error::system("can't look at " + printable(part), err);
    }

    /// Writable by a group counts only where it is one with other members: not that of root, nor
    /// the user's private group. If nobody knows who is in it (a user without an account, as in a
    /// container), it is taken for private where it has the number of the user.
    bool is_open(const struct stat& st)
    {
        if ((st.st_mode & S_IWOTH) != 0) return true;
        if ((st.st_mode & S_IWGRP) == 0 || st.st_gid == 0) return false;
        const Members members = groups_.members_of(st.st_gid);
        return members == Members::others || (members == Members::unknown && st.st_gid != user_);
    }

    Result<Found> check_folder_of_file()
    {
        const std::string folder = done_.empty() ? "/" : done_;
        struct stat st {};
        if (::lstat(folder.c_str(), &st) != 0) return failed(folder);
        return is_open(st) ? Found(UntrustedPart{folder, st.st_uid, true}) : Found();
    }

    Result<void> follow(const std::string& link)
    {
        std::array<char, PATH_MAX> target;
        errno = ELOOP;
        const ssize_t size =
            ++links_ > max_links ? -1 : ::readlink(link.c_str(), target.data(), target.size());
        if (size < 0) return failed(link);
        push({target.data(), static_cast<std::size_t>(size)});
        return {};
    }

    /// Puts the parts of `path` before those that are left.
    void push(std::string_view path)
    {
        if (path.starts_with('/')) done_.clear();
        while (!path.empty()) {
            const auto slash = path.rfind('/');
            const auto name = path.substr(slash == path.npos ? 0 : slash + 1);
            if (!name.empty() && name != ".") rest_.emplace_back(name);
            path = path.substr(0, slash == path.npos ? 0 : slash);
        }
    }

    unsigned user_;
    LastPart last_;
    int links_ = 0;
    Groups groups_;
    std::string done_;              ///< resolved and checked; empty: the root folder
    std::vector<std::string> rest_; ///< parts that follow, the next one at the back
};

} // namespace

Result<std::optional<UntrustedPart>> find_untrusted_part(const std::string& path, unsigned user,
                                                         LastPart last)
{
    return PathCheck(path, user, last).run();
}

} // namespace bgt
