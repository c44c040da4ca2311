// Whether the way to the root can be trusted: who may rename one of its parts may put another folder in its place.
#include "files.hpp"

#include <bgt/base/text.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>

namespace bgt::store::detail {
namespace {

/// In a user namespace that has no root, what belongs to root looks as if it belonged to this user (man 7
/// user_namespaces, /proc/sys/fs/overflowuid).
constexpr unsigned overflow_uid = 65534;

bool lacks_root()
{
    const Fd fd(::open("/proc/self/uid_map", O_RDONLY | O_CLOEXEC));
    std::array<char, 64> text{};
    // "         0          0 4294967295" without a namespace.
    if (!fd || read_at(fd.get(), std::as_writable_bytes(std::span(text)), 0) <= 0) return false;
    return std::string_view(text.data(), text.size()).find(" 4294967295") == std::string_view::npos;
}

bool is_trusted(unsigned uid, unsigned user)
{
    return uid == 0 || uid == user || (uid == overflow_uid && lacks_root());
}

/// Writable by a group counts only where it is one with other members: not that of root, nor the user's private group,
/// which by custom has the number of its user (man 8 useradd, USERGROUPS_ENAB).
bool is_open(const struct stat& st, unsigned user)
{
    if ((st.st_mode & S_ISVTX) != 0) return false; // what is in it can be renamed by its owner only
    if ((st.st_mode & S_IWOTH) != 0) return true;
    return (st.st_mode & S_IWGRP) != 0 && st.st_gid != 0 && st.st_gid != user;
}

std::string begin_of_refusal(const std::string& root, const std::string& part)
{
    return "the state root " + printable(root) + " can't be trusted: " + printable(part) + ", which is on its way, ";
}

Error is_writable(const std::string& root, const std::string& part)
{
    return Error::failed(begin_of_refusal(root, part) +
                         "is writable by others, who could put another folder in its place: "
                         "chmod go-w it, or name another folder with --root");
}

Error belongs_to_other(const std::string& root, const std::string& part, unsigned owner, unsigned user)
{
    const char* const advice = user == 0 ? "use sudo -H, or name a folder of root's with --root or BGT_ROOT"
                                         : "name a folder of your own with --root";
    return Error::failed(begin_of_refusal(root, part) + "belongs to user " + std::to_string(owner) +
                         ", not to you (user " + std::to_string(user) + "): " + advice);
}

/// The parts above the last. `linked`: one of them is a symbolic link.
Result<void> check_parts(const std::string& path, const std::string& root, unsigned user, bool& linked)
{
    for (std::size_t slash = path.find('/', 1); slash != std::string::npos; slash = path.find('/', slash + 1)) {
        const std::string part = path.substr(0, slash);
        struct stat st{};
        if (::lstat(part.c_str(), &st) != 0) {
            if (errno == ENOENT) return {}; // it is made by us
            return explain("can't look at " + printable(part), errno);
        }
        if (!is_trusted(st.st_uid, user)) return belongs_to_other(root, part, st.st_uid, user);
        if (S_ISLNK(st.st_mode)) linked = true; // whose mode means nothing
        else if (is_open(st, user)) return is_writable(root, part);
    }
    return {};
}

/// The longest part of the way that is there.
std::string existing_parent(const std::string& root)
{
    std::string parent = root;
    do parent.resize(parent.rfind('/'));
    while (!parent.empty() && ::access(parent.c_str(), F_OK) != 0);
    return parent.empty() ? "/" : parent;
}

} // namespace

Result<void> check_way(const std::string& root)
{
    const unsigned user = ::geteuid();
    bool linked = false;
    if (auto checked = check_parts(root, root, user, linked); !checked || !linked) return checked;
    // Then the folders count that the links lead to.
    const std::string parent = existing_parent(root);
    char* const real = ::realpath(parent.c_str(), nullptr);
    if (!real) return explain("can't look at " + printable(parent), errno);
    const std::string whole = std::string(real) + "/root"; // the last part is not looked at
    std::free(real);
    return check_parts(whole, root, user, linked);
}

} // namespace bgt::store::detail
