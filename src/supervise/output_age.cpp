#include <bgt/supervise/output_age.hpp>

#include <bgt/os/descriptors.hpp>

#include <algorithm>
#include <cerrno>
#include <sys/stat.h>

namespace bgt::supervise {
namespace {

/// When the file was written to; nullopt: there is none.
std::optional<WallTime> written(const store::LogFile& file)
{
    struct stat info {};
    if (!file.exists() || fstat(file.fd(), &info) != 0) return std::nullopt;
    return WallTime(std::chrono::seconds(info.st_mtim.tv_sec) +
                    std::chrono::nanoseconds(info.st_mtim.tv_nsec));
}

} // namespace

Result<OutputAge> OutputAge::open(const store::TaskDir& dir)
{
    OutputAge age;
    Fd copy = os::duplicate(dir.fd());
    if (!copy) return Error::system("opening the task's folder", errno);
    age.dir_ = store::TaskDir(dir.id(), dir.path(), std::move(copy));
    Result<store::LogFile> out = store::LogFile::open(dir, store::WhichLog::out);
    if (!out) return out.error();
    age.out_ = std::move(*out);
    if (Result<store::LogFile> err = store::LogFile::open(dir, store::WhichLog::err))
        age.err_ = std::move(*err);
    return age;
}

Instant OutputAge::last(Instant now, WallTime wall_now)
{
    if (!out_.exists()) {
        if (Result<store::LogFile> out = store::LogFile::open(dir_, store::WhichLog::out))
            out_ = std::move(*out);
    }
    const std::uint64_t size =
        (out_.exists() ? out_.size() : 0) + (err_.exists() ? err_.size() : 0);
    if (size_ == size) return last_;
    const bool first = !size_;
    size_ = size;
    const std::optional<WallTime> at = std::max(written(out_), written(err_));
    const Duration age = at ? std::max(wall_now - *at, Duration::zero()) : Duration::zero();
    last_ = first ? now - age : std::max(last_, now - age);
    return last_;
}

} // namespace bgt::supervise
