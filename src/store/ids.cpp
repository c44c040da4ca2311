// Ids given out, and the listings of active/ and tasks/.
#include <bgt/store/history.hpp>
#include <bgt/store/queue_view.hpp>
#include <bgt/store/root.hpp>
#include <bgt/store/root_events.hpp>

#include "files.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace bgt::store {
namespace {

constexpr const char* counter = "next-id";
/// Tasks that one event can tell of, as far as that may be true.
constexpr std::int64_t max_queued = 1 << 24;

Result<std::vector<TaskId>> list_ids(int root, const char* folder, const std::string& path)
{
    std::vector<TaskId> ids;
    if (root < 0) return ids;
    detail::Listing listing(detail::open_below(root, folder, O_RDONLY | O_DIRECTORY));
    if (!listing && errno == ENOENT) return ids;
    if (!listing) return detail::explain("can't list " + path + "/" + folder, errno);
    while (const char* name = listing.next())
        if (const TaskId id = detail::id_of_entry(name); id.value > 0) ids.push_back(id);
    std::sort(ids.begin(), ids.end());
    return ids;
}

/// The largest number in the folder, those of folders being made or removed included.
Result<std::int64_t> largest_in(int root, const char* folder, const std::string& path)
{
    std::int64_t largest = 0;
    detail::Listing listing(detail::open_below(root, folder, O_RDONLY | O_DIRECTORY));
    if (!listing && errno == ENOENT) return largest;
    if (!listing) return detail::explain("can't list " + path + "/" + folder, errno);
    while (const char* entry = listing.next()) {
        std::string_view name = entry;
        for (const auto prefix : {detail::new_prefix, detail::gone_prefix})
            if (name.starts_with(prefix)) name.remove_prefix(prefix.size());
        largest = std::max(largest, detail::id_of_entry(name).value);
    }
    return largest;
}

Result<std::int64_t> largest_seen(int root, const std::string& path)
{
    const auto tasks = largest_in(root, "tasks", path);
    if (!tasks) return tasks.error();
    const auto active = largest_in(root, "active", path);
    if (!active) return active.error();
    return std::max(*tasks, *active);
}

/// Of the tasks that are over, whose folders may be gone; 0: none. What is damaged there is passed
/// over.
Result<std::int64_t> largest_in_history(const Root& root)
{
    std::int64_t largest = 0;
    BGT_TRY(
        read_history(root, [&](const core::PastRun& run) { largest = std::max(largest, run.id); }));
    return largest;
}

/// Of the tasks that the event stream tells of: those of which no record was to stay, too. A stream
/// that can't be read keeps nobody from starting a task.
std::int64_t largest_in_events(const Root& root)
{
    std::int64_t largest = 0;
    EventReader reader(root.fd());
    while (true) {
        const auto item = reader.next();
        if (!item || !*item) return largest;
        const RootEvent& event = (*item)->event;
        std::int64_t count = 1;
        if (event.type == "queued") count = event.number("count").value_or(1);
        const std::int64_t before_last = std::clamp<std::int64_t>(count, 1, max_queued) - 1;
        largest = std::max(largest, event.task.value + before_last);
    }
}

/// What the counter says; 0 when it is empty or damaged; -1 with errno set.
std::int64_t read_counter(int fd)
{
    char text[32];
    const auto n = detail::read_at(fd, std::as_writable_bytes(std::span(text)), 0);
    if (n < 0) return -1;
    if (n > 0 && text[n - 1] != '\n') return 0; // the beginning of a number is another number
    return detail::id_of_text({text, static_cast<std::size_t>(n)}).value;
}

bool folder_exists(int root, std::int64_t id)
{
    struct stat info {}; // and not faccessat(2), whose flags some sandboxes refuse
    return ::fstatat(root, ("tasks/" + std::to_string(id)).c_str(), &info, AT_SYMLINK_NOFOLLOW) ==
           0;
}

} // namespace

Result<TaskId> Root::allocate_ids(std::uint32_t count)
{
    const auto fail = [&](int err) {
        return detail::explain("can't give out a task id in " + path_ + "/" + counter, err);
    };
    const Fd fd = open_file(dir_.get(), counter, O_RDWR | O_CREAT);
    if (!fd) return fail(errno);
    if (const int err = detail::lock_waiting(fd.get())) return fail(err);
    const std::int64_t last = read_counter(fd.get());
    if (last < 0) return fail(errno);
    std::int64_t next = last + 1;
    // Damaged, lost, or brought back from an old copy: above everything that is there.
    const bool rebuilt = last == 0 || folder_exists(dir_.get(), next);
    if (rebuilt) {
        const auto seen = largest_seen(dir_.get(), path_);
        if (!seen) return seen.error();
        const auto waiting = QueueView::load(*this, {}); // tasks that have no folder yet
        if (!waiting) return waiting.error();
        BGT_TRY_ASSIGN(const std::int64_t past, largest_in_history(*this));
        next = std::max({last, *seen, waiting->last_id(), past, largest_in_events(*this)}) + 1;
    }
    const auto id = parse_task_id(std::to_string(next));
    if (!id)
        return Error::failed("no task ids are left in " + path_ + ": use another root with --root");
    const auto newest = parse_task_id(std::to_string(next + count - 1));
    if (!newest)
        return Error::failed("not enough task ids are left in " + path_ +
                             ": use another root with --root");
    const std::string text = to_string(*newest) + "\n";
    if (const int err = detail::write_all_at(fd.get(), std::as_bytes(std::span(text)), 0))
        return fail(err);
    if (rebuilt && ::ftruncate(fd.get(), static_cast<off_t>(text.size())) != 0) return fail(errno);
    return *id;
}

Result<std::int64_t> Root::last_id() const
{
    if (!exists()) return std::int64_t{0};
    const Fd fd = open_file(dir_.get(), counter, O_RDONLY);
    if (!fd && errno != ENOENT)
        return detail::explain("can't open " + path_ + "/" + counter, errno);
    const std::int64_t last = fd ? read_counter(fd.get()) : 0;
    if (last < 0) return detail::explain("can't read " + path_ + "/" + counter, errno);
    return last > 0 ? Result<std::int64_t>(last) : largest_seen(dir_.get(), path_);
}

Result<void> Root::mark_active(TaskId id)
{
    const std::string name = to_string(id);
    const auto fail = [&] {
        return detail::explain("can't create the marker " + path_ + "/active/" + name, errno);
    };
    Fd active = detail::open_below(dir_.get(), "active", O_PATH | O_DIRECTORY);
    if (!active && errno == ENOENT &&
        (::mkdirat(dir_.get(), "active", 0700) == 0 || errno == EEXIST))
        active = detail::open_below(dir_.get(), "active", O_PATH | O_DIRECTORY);
    if (!active) return fail();
    // A second name of the task's lock costs a directory entry; a file of its own costs an inode
    // besides.
    const std::string lock = "tasks/" + name + "/" + file::lock;
    if (::linkat(dir_.get(), lock.c_str(), active.get(), name.c_str(), 0) == 0 || errno == EEXIST)
        return {};
    if (!open_lock_file(active.get(), name.c_str(), O_WRONLY | O_CREAT)) return fail();
    return {};
}

Result<void> Root::unmark_active(TaskId id)
{
    if (!exists()) return {};
    const Fd active = detail::open_below(dir_.get(), "active", O_PATH | O_DIRECTORY);
    if ((!active || ::unlinkat(active.get(), to_string(id).c_str(), 0) != 0) && errno != ENOENT)
        return detail::explain("can't remove the marker " + path_ + "/active/" + to_string(id),
                               errno);
    return {};
}

Result<std::vector<TaskId>> Root::active_ids() const
{
    return list_ids(dir_.get(), "active", path_);
}
Result<std::vector<TaskId>> Root::all_ids() const
{
    return list_ids(dir_.get(), "tasks", path_);
}

} // namespace bgt::store
