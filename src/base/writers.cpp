#include <bgt/base/writers.hpp>

#include <bgt/base/descriptor.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <fcntl.h>
#include <optional>
#include <string>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

namespace bgt {
namespace {

constexpr std::size_t max_file_size = 4 << 20;

using Fields = std::array<std::string_view, 4>;

/// Takes one line off the text.
std::string_view next_line(std::string_view& text)
{
    const auto end = std::min(text.find('\n'), text.size());
    const auto line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    return line;
}

/// NAME:PASSWORD:NUMBER:FOURTH[:...], which both files have. nullopt: a line of another form, among
/// them "+", by which NIS adds accounts that the file does not show.
std::optional<Fields> fields_of(std::string_view line)
{
    Fields out;
    for (std::size_t i = 0; i < out.size(); ++i) {
        const auto colon = line.find(':');
        if (colon == line.npos && i + 1 < out.size()) return std::nullopt;
        out[i] = line.substr(0, colon);
        line.remove_prefix(colon == line.npos ? line.size() : colon + 1);
    }
    if (out[0].empty() || out[0][0] == '+' || out[0][0] == '-') return std::nullopt;
    return out;
}

std::optional<unsigned> number_of(std::string_view text)
{
    unsigned number = 0;
    const auto end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, number);
    if (text.empty() || read.ec != std::errc() || read.ptr != end) return std::nullopt;
    return number;
}

bool is_comment(std::string_view line)
{
    return line.empty() || line[0] == '#';
}

/// What /etc/passwd says about a group.
struct Accounts {
    bool are_known = true;
    bool have_other = false;             ///< another user has it as primary group
    bool have_user = false;              ///< the user is there, with whatever primary group
    std::vector<std::string_view> named; ///< the user's names with this primary group
};

Accounts accounts_of(unsigned gid, unsigned user, std::string_view passwd)
{
    Accounts out;
    while (!passwd.empty()) {
        const auto line = next_line(passwd);
        if (is_comment(line)) continue;
        const auto fields = fields_of(line);
        const auto uid = fields ? number_of((*fields)[2]) : std::nullopt;
        const auto primary = fields ? number_of((*fields)[3]) : std::nullopt;
        if (!uid || !primary) {
            out.are_known = false;
            continue;
        }
        if (*uid == user) out.have_user = true;
        if (*primary != gid) continue;
        if (*uid != user) out.have_other = true;
        else out.named.push_back((*fields)[0]);
    }
    return out;
}

/// Whether each member of a list, "a,b", is one of the names.
bool are_all_in(std::string_view list, const std::vector<std::string_view>& names)
{
    while (!list.empty()) {
        const auto comma = std::min(list.find(','), list.size());
        const auto member = list.substr(0, comma);
        if (!member.empty() && std::ranges::find(names, member) == names.end()) return false;
        list.remove_prefix(std::min(comma + 1, list.size()));
    }
    return true;
}

/// Whoever knows the password of a group enters it (man 1 newgrp). "x" leads to gshadow, which
/// nobody may read; "*" and "!" are none.
bool has_password(std::string_view field)
{
    return !field.empty() && field != "x" && field[0] != '*' && field[0] != '!';
}

/// Empty: it is missing, or can't be read as a whole.
std::optional<std::string> read_whole(const char* path)
{
    const Fd fd(::open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    struct stat info {};
    if (!fd || ::fstat(fd.get(), &info) != 0 || !S_ISREG(info.st_mode)) return std::nullopt;
    std::string text;
    for (std::array<char, 16384> buffer;;) {
        const auto got =
            retry_on_eintr([&] { return ::read(fd.get(), buffer.data(), buffer.size()); });
        if (got == 0) return text;
        if (got < 0 || text.size() + static_cast<std::size_t>(got) > max_file_size)
            return std::nullopt;
        text.append(buffer.data(), static_cast<std::size_t>(got));
    }
}

} // namespace

Members members_of(unsigned gid, unsigned user, std::string_view passwd, std::string_view group)
{
    const Accounts accounts = accounts_of(gid, user, passwd);
    bool is_known = accounts.are_known, is_named = false;
    if (accounts.have_other || (accounts.have_user && accounts.named.empty()))
        return Members::others;
    while (!group.empty()) {
        const auto line = next_line(group);
        if (is_comment(line)) continue;
        const auto fields = fields_of(line);
        const auto number = fields ? number_of((*fields)[2]) : std::nullopt;
        if (!number) is_known = false;
        if (!number || *number != gid) continue;
        if (has_password((*fields)[1]) || !are_all_in((*fields)[3], accounts.named))
            return Members::others;
        if (accounts.have_user &&
            std::ranges::find(accounts.named, (*fields)[0]) == accounts.named.end())
            return Members::others;
        is_named = accounts.have_user;
    }
    return is_known && is_named ? Members::user_alone : Members::unknown;
}

Members members_of(unsigned gid, unsigned user)
{
    const auto passwd = read_whole("/etc/passwd");
    const auto group = passwd ? read_whole("/etc/group") : std::nullopt;
    return group ? members_of(gid, user, *passwd, *group) : Members::unknown;
}

Members Groups::members_of(unsigned gid)
{
    if (!last_ || last_->first != gid) last_.emplace(gid, bgt::members_of(gid, user_));
    return last_->second;
}

Writers Groups::writers_of(const struct stat& info)
{
    if ((info.st_mode & S_IWOTH) != 0) return Writers::all;
    if ((info.st_mode & S_IWGRP) == 0) return Writers::owner;
    return members_of(info.st_gid) == Members::user_alone ? Writers::owner : Writers::group;
}

} // namespace bgt
