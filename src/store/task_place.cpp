#include <bgt/store/task_place.hpp>

#include <bgt/store/queue_file.hpp>
#include <bgt/store/status.hpp>

#include <fcntl.h>
#include <sys/stat.h>

namespace bgt::store {

Error place_taken(const std::string& path, TaskId id)
{
    return {ErrorKind::failed,
            "something else is in the place of the task's folder " + path +
                ": move it away, then bgt release " + to_string(id),
            damaged_file};
}

Result<void> check_place(const Root& root, TaskId id)
{
    const std::string name = "tasks/" + to_string(id);
    struct stat st {};
    if (!root.exists() || ::fstatat(root.fd(), name.c_str(), &st, AT_SYMLINK_NOFOLLOW) != 0)
        return {};
    if (S_ISDIR(st.st_mode) && read_status_at(root.fd(), id)) return {};
    return place_taken(root.path() + "/" + name, id);
}

} // namespace bgt::store
