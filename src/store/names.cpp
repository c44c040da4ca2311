// names/<name>: a symbolic link whose target is the id ("web -> 7"), which is read and never
// followed. It is made and replaced in one step, and holds no data: replacing a file by rename
// makes ext4 write the new one to the disk first (auto_da_alloc), which costs milliseconds. Changed
// only under names/.lock.
#include <bgt/store/root.hpp>

#include "files.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace bgt::store {
namespace {

/// names/, or nothing where it has not been made yet.
Result<Fd> open_names(int root, const std::string& path)
{
    Fd dir = detail::open_below(root, "names", O_PATH | O_DIRECTORY);
    if (!dir && errno != ENOENT) return detail::explain("can't open " + path + "/names", errno);
    return dir;
}

/// Opens names/ and takes its lock, which lasts as long as `lock`.
struct LockedNames {
    Fd dir;
    Fd lock;
};

Result<LockedNames> lock_names(int root, const std::string& path)
{
    const auto fail = [&] {
        return detail::explain("can't lock the names in " + path + "/names", errno);
    };
    LockedNames names;
    names.dir = detail::open_below(root, "names", O_PATH | O_DIRECTORY);
    if (!names.dir && errno == ENOENT && (::mkdirat(root, "names", 0700) == 0 || errno == EEXIST))
        names.dir = detail::open_below(root, "names", O_PATH | O_DIRECTORY);
    if (!names.dir) return fail();
    names.lock = open_lock_file(names.dir.get(), ".lock", O_RDWR | O_CREAT);
    if (!names.lock) return fail();
    if (const int err = detail::lock_waiting(names.lock.get())) {
        errno = err;
        return fail();
    }
    return names;
}

/// The task with that name. nullopt: the name is free, or the entry is damaged, which counts as
/// free.
Result<std::optional<TaskId>> holder(int names_dir, const std::string& name)
{
    char target[32];
    const ssize_t n = ::readlinkat(names_dir, name.c_str(), target, sizeof target);
    if (n < 0 && (errno == ENOENT || errno == EINVAL)) return std::optional<TaskId>{};
    if (n < 0) return detail::explain("can't read the name " + name, errno);
    const TaskId id = detail::id_of_entry({target, static_cast<std::size_t>(n)});
    return id.value > 0 ? std::optional(id) : std::nullopt;
}

/// 0 or the errno. Only under the lock: the new link has one fixed name.
int replace_bearer(int names_dir, const std::string& name, TaskId id)
{
    const std::string target = to_string(id);
    if (::symlinkat(target.c_str(), names_dir, name.c_str()) == 0) return 0;
    if (errno != EEXIST) return errno;
    constexpr const char* fresh = ".new";
    if (::unlinkat(names_dir, fresh, 0) != 0 && errno != ENOENT) return errno; // a crash left it
    if (::symlinkat(target.c_str(), names_dir, fresh) != 0) return errno;
    return ::renameat(names_dir, fresh, names_dir, name.c_str()) == 0 ? 0 : errno;
}

} // namespace

Result<std::optional<TaskId>> Root::find_name(std::string_view name) const
{
    if (auto good = check_name(name); !good) return good.error();
    if (!exists()) return std::optional<TaskId>{};
    const auto names = open_names(dir_.get(), path_);
    if (!names) return names.error();
    if (!*names) return std::optional<TaskId>{};
    return holder(names->get(), std::string(name));
}

Result<std::vector<std::pair<std::string, TaskId>>> Root::names() const
{
    std::vector<std::pair<std::string, TaskId>> all;
    if (!exists()) return all;
    detail::Listing listing(detail::open_below(dir_.get(), "names", O_RDONLY | O_DIRECTORY));
    if (!listing && errno == ENOENT) return all;
    if (!listing) return detail::explain("can't list " + path_ + "/names", errno);
    while (const char* name = listing.next()) {
        if (!check_name(name)) continue;
        const auto id = holder(listing.fd(), name);
        if (id && *id) all.emplace_back(name, **id);
    }
    std::sort(all.begin(), all.end());
    return all;
}

Result<TaskId> Root::claim_name(std::string_view name, TaskId id,
                                const std::function<bool(TaskId)>& still_used)
{
    if (auto good = check_name(name); !good) return good.error();
    const auto names = lock_names(dir_.get(), path_);
    if (!names) return names.error();
    const std::string file(name);
    const auto now = holder(names->dir.get(), file);
    if (!now) return now.error();
    if (*now && (**now == id || still_used(**now))) return **now;
    if (const int err = replace_bearer(names->dir.get(), file, id))
        return detail::explain("can't write the name " + path_ + "/names/" + file, err);
    return id;
}

Result<void> Root::release_name(std::string_view name, TaskId id)
{
    if (auto good = check_name(name); !good) return good.error();
    if (!exists()) return {};
    const std::string file(name);
    // A look without the lock first: nothing is written where there is nothing to give up.
    auto now = find_name(name);
    if (!now) return now.error();
    if (*now != id) return {};
    const auto names = lock_names(dir_.get(), path_);
    if (!names) return names.error();
    now = holder(names->dir.get(), file);
    if (!now) return now.error();
    if (*now == id && ::unlinkat(names->dir.get(), file.c_str(), 0) != 0 && errno != ENOENT)
        return detail::explain("can't remove the name " + path_ + "/names/" + file, errno);
    return {};
}

} // namespace bgt::store
