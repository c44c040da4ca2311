// Where the root is, whether it can be trusted, and the folders of its tasks. Ids: ids.cpp; names:
// names.cpp; removal: remove.cpp.
#include <bgt/store/root.hpp>

#include <bgt/base/descriptor.hpp>
#include <bgt/base/writers.hpp>

#include "files.hpp"

#include <bgt/store/task_place.hpp>

#include <cerrno>
#include <climits>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace bgt::store {
namespace {

constexpr int folder_flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;

Result<std::string> absolute(std::string path)
{
    if (path.empty())
        return Error::usage("the state root's path is empty: name a folder with --root");
    if (path.find('\0') != std::string::npos)
        return Error::usage("the state root's path holds a NUL byte");
    if (path.front() != '/') {
        char cwd[PATH_MAX];
        if (!::getcwd(cwd, sizeof cwd))
            return detail::explain("can't tell the working folder, and the root " + path +
                                       " is relative to it",
                                   errno);
        path = std::string(cwd) + "/" + path;
    }
    while (path.size() > 1 && path.back() == '/') path.pop_back();
    return path;
}

/// mkdir -p with 0700 for what is made here. 0 or the errno.
int make_folders(const std::string& path)
{
    const PrivateUmask files;
    if (::mkdir(path.c_str(), 0700) == 0 || errno == EEXIST) return 0;
    if (errno != ENOENT) return errno;
    for (std::size_t slash = path.find('/', 1); slash != std::string::npos;
         slash = path.find('/', slash + 1))
        if (::mkdir(path.substr(0, slash).c_str(), 0700) != 0 && errno != EEXIST) {
            const int err = errno;
            // Some file systems answer EROFS or EACCES before EEXIST.
            struct stat st {};
            if (::stat(path.substr(0, slash).c_str(), &st) != 0 || !S_ISDIR(st.st_mode)) return err;
        }
    return ::mkdir(path.c_str(), 0700) == 0 || errno == EEXIST ? 0 : errno;
}

Result<void> check_owner_and_mode(const Fd& dir, const std::string& path)
{
    struct stat st {};
    if (::fstat(dir.get(), &st) != 0)
        return detail::explain("can't look at the state root " + path, errno);
    if (st.st_uid != ::geteuid())
        return Error::failed("the state root " + path + " belongs to user " +
                             std::to_string(st.st_uid) + ", not to you (user " +
                             std::to_string(::geteuid()) +
                             "): name a folder of your own with --root");
    if (Groups(::geteuid()).writers_of(st) != Writers::owner)
        return Error::failed("the state root " + path +
                             " is writable by others, who could plant files in it: chmod go-w " +
                             path);
    return {};
}

Error cannot_open(const std::string& path, int err)
{
    struct stat st {};
    if ((err == ENOTDIR || err == ELOOP) && ::lstat(path.c_str(), &st) == 0 && S_ISLNK(st.st_mode))
        return Error{ErrorKind::failed,
                     "the state root " + path +
                         " is a symbolic link, which somebody else might turn round: name the "
                         "folder it leads to with --root",
                     err};
    if (err == ENOTDIR)
        return Error{ErrorKind::failed,
                     "the state root " + path +
                         " is not a folder: move it away, or name another with --root",
                     err};
    return detail::explain("can't open the state root " + path, err);
}

std::string in_tasks(TaskId id)
{
    return "tasks/" + to_string(id);
}

/// Of a task's folder until it is published.
std::string name_before(TaskId id)
{
    return std::string(detail::new_prefix) + to_string(id);
}

Error cannot_create(const std::string& path, int err)
{
    return detail::explain("can't create the task's folder " + path, err);
}

/// Below tasks/, with its lock held, under the name that it has until it is published.
Result<TaskDir> begin_in(const Fd& tasks, TaskId id, const std::string& path)
{
    const std::string made_as = name_before(id);
    if (!tasks) return cannot_create(path, errno);
    if (::mkdirat(tasks.get(), made_as.c_str(), 0700) != 0) {
        if (errno != EEXIST) return cannot_create(path, errno);
        (void)detail::clear_tree(tasks.get(), made_as.c_str(), true);
        if (::mkdirat(tasks.get(), made_as.c_str(), 0700) != 0) return cannot_create(path, errno);
    }
    TaskDir task(id, path, detail::open_below(tasks.get(), made_as.c_str(), folder_flags));
    if (task.fd() < 0) {
        const int err = errno;
        ::unlinkat(tasks.get(), made_as.c_str(), AT_REMOVEDIR);
        return cannot_create(path, err);
    }
    auto locked = task.try_lock();
    if (locked && *locked) return task;
    const Error error = !locked ? locked.error() : cannot_create(path, EBUSY);
    task = TaskDir();
    (void)detail::clear_tree(tasks.get(), made_as.c_str(), true);
    return error;
}

/// tasks/, made where it is missing; never through a symlink.
Fd open_tasks(int root)
{
    Fd tasks = detail::open_below(root, "tasks", O_PATH | O_DIRECTORY);
    if (!tasks && errno == ENOENT && (::mkdirat(root, "tasks", 0700) == 0 || errno == EEXIST))
        tasks = detail::open_below(root, "tasks", O_PATH | O_DIRECTORY);
    return tasks;
}

} // namespace

Result<std::string> locate_root(std::string_view explicit_root, std::string_view xdg_state_home,
                                std::string_view home)
{
    if (!explicit_root.empty()) return std::string(explicit_root);
    if (!xdg_state_home.empty() && xdg_state_home.front() == '/')
        return std::string(xdg_state_home) + "/bgt";
    if (!home.empty() && home.front() == '/') return std::string(home) + "/.local/state/bgt";
    return Error::usage("can't tell where the tasks are kept: HOME is not set; name a folder with "
                        "--root or BGT_ROOT");
}

Result<Root> Root::open(std::string path, IfMissing if_missing)
{
    auto whole = absolute(std::move(path));
    if (!whole) return whole.error();
    Root root;
    root.path_ = std::move(*whole);
    root.dir_.reset(::open(root.path_.c_str(), folder_flags | O_NOFOLLOW));
    if (!root.dir_ && errno == ENOENT) {
        if (if_missing == IfMissing::empty) return root;
        if (auto trusted = detail::check_way(root.path_); !trusted) return trusted.error();
        if (const int err = make_folders(root.path_))
            return detail::explain("can't create the state root " + root.path_, err);
        root.dir_.reset(::open(root.path_.c_str(), folder_flags | O_NOFOLLOW));
    }
    if (!root.dir_) return cannot_open(root.path_, errno);
    if (auto trusted = check_owner_and_mode(root.dir_, root.path_); !trusted)
        return trusted.error();
    if (auto trusted = detail::check_way(root.path_); !trusted) return trusted.error();
    return root;
}

Result<TaskDir> Root::create_task(TaskId id)
{
    const Fd tasks = open_tasks(dir_.get());
    BGT_TRY_ASSIGN(TaskDir task, begin_in(tasks, id, path_ + "/" + in_tasks(id)));
    // It gets its name only now, so that nobody ever sees it without its lock held.
    if (::renameat(tasks.get(), name_before(id).c_str(), tasks.get(), to_string(id).c_str()) == 0)
        return task;
    const Error error = cannot_create(task.path(), errno);
    task = TaskDir(); // gives back descriptors: clearing takes one, and they may be what was short
    forget_task(id);
    return error;
}

Result<TaskDir> Root::begin_task(TaskId id)
{
    return begin_in(open_tasks(dir_.get()), id, path_ + "/" + in_tasks(id));
}

Result<void> Root::publish_task(const TaskDir& task)
{
    const Fd tasks = open_tasks(dir_.get());
    if (tasks && ::renameat(tasks.get(), name_before(task.id()).c_str(), tasks.get(),
                            to_string(task.id()).c_str()) == 0)
        return {};
    if (errno != EEXIST && errno != ENOTEMPTY && errno != ENOTDIR && errno != EISDIR)
        return cannot_create(task.path(), errno);
    return place_taken(task.path(), task.id());
}

void Root::forget_task(TaskId id)
{
    if (const Fd tasks = open_tasks(dir_.get()))
        (void)detail::clear_tree(tasks.get(), name_before(id).c_str(), true);
}

Result<TaskDir> Root::open_task(TaskId id) const
{
    const Error none{ErrorKind::not_found, "no such task " + to_string(id), ENOENT};
    if (!exists()) return none;
    const std::string name = in_tasks(id);
    Fd dir = detail::open_below(dir_.get(), name.c_str(), folder_flags);
    if (!dir && errno == ENOENT) return none;
    if (!dir) return detail::explain("can't open the task's folder " + path_ + "/" + name, errno);
    return TaskDir(id, path_ + "/" + name, std::move(dir));
}

} // namespace bgt::store
