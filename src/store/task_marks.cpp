#include <bgt/store/task_marks.hpp>

#include <bgt/base/siphash.hpp>

#include "files.hpp"

#include <cerrno>
#include <cstring>
#include <fmt/format.h>
#include <sys/stat.h>

namespace bgt::store {
namespace {

/// What is hashed: which mark, and of which folder.
KeyedHash hash_of(const Secret& secret, std::uint64_t mark, const struct stat& folder)
{
    const std::array<std::uint64_t, 3> words{mark, folder.st_dev, folder.st_ino};
    std::array<std::uint8_t, sizeof words> bytes{};
    std::memcpy(bytes.data(), words.data(), bytes.size());
    return siphash(secret, bytes);
}

} // namespace

Result<TaskMarks> make_marks(const Secret& secret, const TaskDir& task)
{
    struct stat folder {};
    if (::fstat(task.fd(), &folder) != 0)
        return detail::explain("can't look at the task's folder", errno);
    const KeyedHash mark = hash_of(secret, 2, folder);
    TaskMarks marks;
    marks.cookie = fmt::format("{:02x}", fmt::join(hash_of(secret, 1, folder), ""));
    std::memcpy(&marks.mark_bits, mark.data(), sizeof marks.mark_bits);
    marks.mark_bits |= 1;
    return marks;
}

} // namespace bgt::store
