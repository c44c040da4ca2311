#include "files.hpp"

#include <bgt/store/queue_end.hpp>
#include <bgt/store/remove.hpp>

#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace bgt::store::detail {
namespace {

constexpr int max_depth = 64;  ///< of folders that are open at a time
constexpr int max_passes = 16; ///< over a folder into which somebody goes on writing

/// One tree that is looked through or removed.
struct Clearing {
    bool remove = false;
    std::uint64_t bytes = 0;
    int top = -1;       ///< its folder
    unsigned moved = 0; ///< folders that lay too deep
};

int clear_folder(int parent, const char* name, int depth, Clearing& all);

/// 0 or the errno.
int clear_entry(int parent, const char* name, int depth, Clearing& all)
{
    struct stat st {};
    if (::fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) != 0) return errno == ENOENT ? 0 : errno;
    if (S_ISDIR(st.st_mode)) return clear_folder(parent, name, depth, all);
    if (all.remove && ::unlinkat(parent, name, 0) != 0) return errno == ENOENT ? 0 : errno;
    all.bytes += static_cast<std::uint64_t>(st.st_blocks) * 512;
    return 0;
}

/// A folder that lies too deep is moved up, to be cleared in the next pass over the tree's own
/// folder. 0 or the errno.
int move_up(int parent, const char* name, Clearing& all)
{
    for (int i = 0; i < max_passes; ++i) {
        const std::string free_name = ".deep-" + std::to_string(all.moved++);
        if (::renameat(parent, name, all.top, free_name.c_str()) == 0) return 0;
        if (errno != ENOTEMPTY && errno != EEXIST && errno != ENOTDIR)
            return errno == ENOENT ? 0 : errno;
    }
    return ENOTEMPTY;
}

/// Empty with errno set. `unlock`: one that its owner may not read (a task can make such) becomes
/// readable. A link is not followed, also where it takes the place of the folder in between.
Fd open_folder(int parent, const char* name, bool unlock)
{
    constexpr int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    Fd folder(::openat(parent, name, flags));
    if (folder || errno != EACCES || !unlock) return folder;
    if (::fchmodat(parent, name, S_IRWXU, AT_SYMLINK_NOFOLLOW) == 0)
        folder.reset(::openat(parent, name, flags));
    return folder;
}

int clear_folder(int parent, const char* name, int depth, Clearing& all)
{
    if (depth >= max_depth) return all.remove ? move_up(parent, name, all) : 0;
    Listing listing(open_folder(parent, name, all.remove));
    if (!listing) return errno == ENOENT ? 0 : errno;
    if (depth == 0) all.top = listing.fd();
    struct stat st {};
    if (::fstat(listing.fd(), &st) == 0)
        all.bytes += static_cast<std::uint64_t>(st.st_blocks) * 512;
    // Nothing can be removed from a folder that its owner may not write.
    if (all.remove && (st.st_mode & S_IRWXU) != S_IRWXU) ::fchmod(listing.fd(), S_IRWXU);
    for (int pass = 0; pass < max_passes;) {
        const unsigned moved_before = all.moved;
        while (const char* entry = listing.next())
            if (const int err = clear_entry(listing.fd(), entry, depth + 1, all)) return err;
        if (!all.remove || ::unlinkat(parent, name, AT_REMOVEDIR) == 0 || errno == ENOENT) return 0;
        if (errno != ENOTEMPTY && errno != EEXIST) return errno;
        listing.rewind();
        if (depth > 0 || all.moved == moved_before) ++pass; // else it is less deep than before
    }
    return ENOTEMPTY;
}

std::string name_of(int root_fd, TaskId id)
{
    if (const auto status = read_status_at(root_fd, id)) return status->name;
    const Fd dir = open_below(root_fd, ("tasks/" + to_string(id)).c_str(), O_PATH | O_DIRECTORY);
    if (!dir) return {};
    const auto spec = read_spec(dir.get());
    return spec ? spec->name : std::string();
}

} // namespace

Result<std::uint64_t> clear_tree(int parent, const char* name, bool remove)
{
    Clearing all{remove};
    if (const int err = clear_entry(parent, name, 0, all))
        return explain(std::string(remove ? "can't remove " : "can't look through ") + name, err);
    return all.bytes;
}

bool is_still_open(const Error& error)
{
    return error.sys_errno == ENOTEMPTY || error.sys_errno == EBUSY;
}

Result<std::uint64_t> remove_task_folder(Root& root, TaskId id, TaskDir held)
{
    const Fd tasks = open_below(root.fd(), "tasks", O_PATH | O_DIRECTORY);
    if (!tasks && errno != ENOENT) return explain("can't open " + root.path() + "/tasks", errno);
    if (!tasks) return Error::not_found("no such task " + to_string(id));
    // The name first: a crash after this leaves a task without its name, which the next pruning
    // removes.
    if (const std::string name = name_of(root.fd(), id); !name.empty())
        if (auto released = root.release_name(name, id); !released) return released.error();
    const std::string here = to_string(id);
    const std::string gone = std::string(gone_prefix) + here;
    // Moved away whole, so that no reader ever sees half a task.
    int err = ::renameat(tasks.get(), here.c_str(), tasks.get(), gone.c_str()) == 0 ? 0 : errno;
    if (err == ENOTEMPTY || err == EEXIST ||
        err == ENOTDIR) { // ENOTDIR: no folder, but a link perhaps
        if (auto cleared = clear_tree(tasks.get(), gone.c_str(), true); !cleared)
            return cleared.error();
        err = ::renameat(tasks.get(), here.c_str(), tasks.get(), gone.c_str()) == 0 ? 0 : errno;
    }
    if (err == ENOENT) return Error{ErrorKind::not_found, "no such task " + here, ENOENT};
    if (err != 0)
        return explain("can't remove the task's folder " + root.path() + "/tasks/" + here, err);
    if (auto unmarked = root.unmark_active(id); !unmarked) return unmarked.error();
    held = TaskDir{};
    auto cleared = clear_tree(tasks.get(), gone.c_str(), true);
    if (!cleared && is_still_open(cleared.error())) return 0;
    return cleared;
}

} // namespace bgt::store::detail

namespace bgt::store {

Result<void> Root::remove_task(TaskId id)
{
    if (!exists()) return Error::not_found("no such task " + to_string(id));
    const auto removed = detail::remove_task_folder(*this, id, {});
    if (!removed) return removed.error();
    return {};
}

Result<void> remove_task(Root& root, TaskId id, TaskDir held, const BootId& boot)
{
    BGT_TRY(EndTeller(root, boot).tell(held));
    const auto removed = detail::remove_task_folder(root, id, std::move(held));
    if (!removed) return removed.error();
    return {};
}

namespace {

std::string begun_name(TaskId id)
{
    return std::string(detail::new_prefix) + to_string(id);
}

} // namespace

Result<void> unpublish_task(Root& root, TaskId id)
{
    const Fd tasks = detail::open_below(root.fd(), "tasks", O_PATH | O_DIRECTORY);
    const std::string name = to_string(id), begun = begun_name(id);
    if (!tasks || ::renameat(tasks.get(), name.c_str(), tasks.get(), begun.c_str()) != 0)
        return detail::explain(
            "can't take back the task's folder " + root.path() + "/tasks/" + name, errno);
    return root.unmark_active(id);
}

bool is_begun(const Root& root, TaskId id)
{
    return root.exists() && ::faccessat(root.fd(), ("tasks/" + begun_name(id)).c_str(), F_OK,
                                        AT_SYMLINK_NOFOLLOW) == 0;
}

} // namespace bgt::store
