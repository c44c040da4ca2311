// Which file systems may never answer.
#include "evidence.hpp"

#include <algorithm>
#include <array>

namespace bgt::os::detail {

namespace {

constexpr std::size_t max_mountinfo = 1 << 20;

bool is_remote_type(std::string_view type)
{
    constexpr std::array<std::string_view, 19> types{
        "9p",   "afs",     "autofs",   "beegfs",    "ceph",    "cifs",  "coda",
        "fuse", "fuseblk", "gfs2",     "glusterfs", "lustre",  "ncpfs", "nfs",
        "nfs4", "ocfs2",   "orangefs", "smb3",      "virtiofs"};
    return std::find(types.begin(), types.end(), type) != types.end() || type.starts_with("fuse.");
}

struct MountLine {
    std::int32_t id = 0;
    std::string_view folder; ///< with blanks written as \040
    bool remote = true;
};

/// "36 35 98:0 /root /mnt rw,noatime master:1 - ext4 /dev/sda1 rw" (man 5 proc)
bool parse_mount(std::string_view line, MountLine& mount)
{
    const auto words = words_of(line);
    if (words.size() < 9 || !read_number(words[0], mount.id)) return false;
    mount.folder = words[4];
    const auto dash = std::find(words.begin() + 6, words.end(), "-");
    if (dash == words.end() || dash + 1 == words.end()) return false;
    mount.remote = is_remote_type(dash[1]);
    return true;
}

template <class Take>
void each_mount(const ProcDir& proc, std::int32_t pid, Take take)
{
    const std::string text = proc.read(pid, "mountinfo", max_mountinfo);
    std::string_view rest = text, line;
    MountLine mount;
    while (next_line(rest, line))
        if (parse_mount(line, mount)) take(mount);
}

bool lies_in(std::string_view path, std::string_view folder)
{
    if (folder == "/") return true;
    return path.starts_with(folder) && (path.size() == folder.size() || path[folder.size()] == '/');
}

} // namespace

bool Mounts::is_remote(const ProcDir& proc, std::int32_t pid, std::int32_t mount) const
{
    if (const auto known = remote_.find(mount); known != remote_.end()) return known->second;
    each_mount(proc, pid, [&](const MountLine& line) { remote_.emplace(line.id, line.remote); });
    return remote_.emplace(mount, true).first->second;
}

Mounts::Place Mounts::place_of(const ProcDir& proc, std::int32_t pid, std::string_view path)
{
    Place place;
    bool remote = false;
    each_mount(proc, pid, [&](const MountLine& line) {
        if (!lies_in(path, line.folder)) return;
        remote = remote || line.remote;
        if (line.folder.size() >= place.folder.size()) place.folder = line.folder;
    });
    place.remote = remote || place.folder.empty();
    return place;
}

} // namespace bgt::os::detail
