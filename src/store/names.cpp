// names/<name>: one small file a name, replaced whole by rename, changed only under names/.lock.
#include <bgt/store/root.hpp>

#include "files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <cstdio>

namespace bgt::store {
namespace {

/// Opens names/ and takes its lock, which lasts as long as `lock`.
struct LockedNames {
    Fd dir;
    Fd lock;
};

Result<LockedNames> lock_names(int root, const std::string& path)
{
    const auto fail = [&] { return detail::explain("can't lock the names in " + path + "/names", errno); };
    LockedNames names;
    names.dir = detail::open_below(root, "names", O_PATH | O_DIRECTORY);
    if (!names.dir && errno == ENOENT && (::mkdirat(root, "names", 0700) == 0 || errno == EEXIST))
        names.dir = detail::open_below(root, "names", O_PATH | O_DIRECTORY);
    if (!names.dir) return fail();
    names.lock = detail::open_below(names.dir.get(), ".lock", O_RDWR | O_CREAT | O_NONBLOCK, 0600);
    if (!names.lock) return fail();
    if (const int err = detail::lock_waiting(names.lock.get())) {
        errno = err;
        return fail();
    }
    return names;
}

/// The bearer, or nullopt when the name is free or its file is damaged (then nobody bears it).
Result<std::optional<TaskId>> bearer(int names_dir, const std::string& name)
{
    const auto text = detail::read_file(names_dir, name.c_str(), 64, "can't read the name " + name);
    if (!text) {
        const int err = text.error().sys_errno;
        if (err == ENOENT || err == ELOOP || err == EISDIR || err == EFBIG || err == ESPIPE || err == ENXIO) return std::optional<TaskId>{};
        return text.error();
    }
    const TaskId id = detail::id_of_text(*text);
    return id.value > 0 ? std::optional(id) : std::nullopt;
}

/// 0 or the errno. Only under the lock: the new file has one fixed name.
int replace_bearer(int names_dir, const std::string& name, TaskId id)
{
    constexpr const char* fresh = ".new";
    const Fd file = detail::open_below(names_dir, fresh, O_WRONLY | O_CREAT | O_TRUNC | O_NONBLOCK, 0600);
    if (!file) return errno;
    if (const int err = detail::write_all(file.get(), to_string(id) + "\n")) return err;
    return ::renameat(names_dir, fresh, names_dir, name.c_str()) == 0 ? 0 : errno;
}

} // namespace

Result<std::optional<TaskId>> Root::find_name(std::string_view name) const
{
    if (auto good = check_name(name); !good) return good.error();
    if (!exists()) return std::optional<TaskId>{};
    return bearer(dir_.get(), "names/" + std::string(name));
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
        const auto id = bearer(listing.fd(), name);
        if (id && *id) all.emplace_back(name, **id);
    }
    std::sort(all.begin(), all.end());
    return all;
}

Result<TaskId> Root::claim_name(std::string_view name, TaskId id, const std::function<bool(TaskId)>& still_used)
{
    if (auto good = check_name(name); !good) return good.error();
    const auto names = lock_names(dir_.get(), path_);
    if (!names) return names.error();
    const std::string file(name);
    const auto now = bearer(names->dir.get(), file);
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
    // A look without the lock first: it spares a root that can't be written, and names that are somebody else's.
    auto now = bearer(dir_.get(), "names/" + file);
    if (!now) return now.error();
    if (*now != id) return {};
    const auto names = lock_names(dir_.get(), path_);
    if (!names) return names.error();
    now = bearer(names->dir.get(), file);
    if (!now) return now.error();
    if (*now == id && ::unlinkat(names->dir.get(), file.c_str(), 0) != 0 && errno != ENOENT)
        return detail::explain("can't remove the name " + path_ + "/names/" + file, errno);
    return {};
}

} // namespace bgt::store
