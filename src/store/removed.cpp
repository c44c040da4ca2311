// removed/<id>: the records of tasks that removed themselves a moment ago.
#include <bgt/store/root.hpp>

#include "files.hpp"

#include <ctime>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace bgt::store {
namespace {

constexpr const char* folder = "removed";
constexpr std::time_t kept_seconds = 60;

bool is_old(const struct stat& record)
{
    return std::time(nullptr) - record.st_mtim.tv_sec >
           kept_seconds; // written last at the end of the task
}

std::string path_of(TaskId id)
{
    return std::string(folder) + "/" + to_string(id);
}

} // namespace

void Root::keep_record(TaskId id) const
{
    if (::mkdirat(dir_.get(), folder, 0700) != 0 && errno != EEXIST) return;
    // A link: the record stays whole in its own folder, should the removal not come.
    (void)::linkat(dir_.get(), ("tasks/" + to_string(id) + "/status").c_str(), dir_.get(),
                   path_of(id).c_str(), 0);
    detail::Listing records(detail::open_below(dir_.get(), folder, O_RDONLY | O_DIRECTORY));
    if (!records) return;
    while (const char* name = records.next()) {
        struct stat info {};
        if (::fstatat(records.fd(), name, &info, AT_SYMLINK_NOFOLLOW) == 0 && is_old(info))
            (void)::unlinkat(records.fd(), name, 0);
    }
}

Result<Status> Root::removed_status(TaskId id) const
{
    const Error none = Error::not_found("no such task " + to_string(id));
    if (!exists()) return none;
    const Fd record = open_file(dir_.get(), path_of(id).c_str(), O_RDONLY);
    struct stat info {};
    if (!record || ::fstat(record.get(), &info) != 0 || is_old(info)) return none;
    return read_open_status(record.get());
}

} // namespace bgt::store
