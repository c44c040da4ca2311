#pragma once
/// Who may write a file, by its owner's and its group's bits.
#include <optional>
#include <string_view>
#include <utility>

struct stat;

namespace bgt {

/// Who is in a group, as far as /etc/passwd and /etc/group tell. Who is known to a directory
/// service only is not seen.
enum class Members : unsigned char {
    user_alone, ///< the user's private group (man 8 useradd, USERGROUPS_ENAB)
    others,     ///< others too, or it is not the user's primary group
    unknown,    ///< the files do not tell
};

/// Of the group `gid`, for `user`; `passwd` and `group` are the texts of the two files. Private is
/// the primary group of the user that has the user's name, no other member and no password, and
/// that is no other account's primary group. A line that can't be read makes it unknown.
Members members_of(unsigned gid, unsigned user, std::string_view passwd, std::string_view group);

/// The same with the files of this machine, which are read each time. unknown: one is missing, no
/// regular file, or above 4 MiB.
Members members_of(unsigned gid, unsigned user);

enum class Writers : unsigned char {
    owner, ///< nobody else: also where the group has the user as its only member
    group,
    all,
};

/// Of what is looked at for one answer: the two files are read for the last group once, and only
/// where a group may write.
class Groups {
public:
    explicit Groups(unsigned user) : user_(user) {}
    Members members_of(unsigned gid);
    /// Who may write what has this mode and group, by the side of its owner.
    Writers writers_of(const struct stat&);

private:
    unsigned user_;
    std::optional<std::pair<unsigned, Members>> last_;
};

} // namespace bgt
