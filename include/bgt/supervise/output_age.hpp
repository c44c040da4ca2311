#pragma once
#include <bgt/base/time.hpp>
#include <bgt/store/log_file.hpp>
#include <optional>

namespace bgt::supervise {

/// How long a task has not written anything to its log.
class OutputAge {
public:
    static Result<OutputAge> open(const store::TaskDir&);
    /// When it last wrote, or started to be able to; never after `now`, never before an earlier
    /// answer. A look at two sizes; the time of the file is asked where they changed, so setting
    /// the calendar moves it only then.
    Instant last(Instant now, WallTime wall_now);

private:
    store::TaskDir dir_; ///< for a log that is not there yet
    store::LogFile out_, err_;
    std::optional<std::uint64_t> size_;
    Instant last_{};
};

} // namespace bgt::supervise
