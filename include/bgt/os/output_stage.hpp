#pragma once
/// A pipe between the FIFO of a command of high throughput and its log.
#include <bgt/base/fd.hpp>
#include <bgt/base/result.hpp>
#include <cstdint>
#include <functional>
#include <sys/types.h>
#include <vector>

namespace bgt::os {

/// splice(2) into a file holds the lock of the pipe that it reads until the file has the bytes, so
/// the command stands still meanwhile. From pipe to pipe only pages are handed over: the command
/// writes on while the stage goes into the log.
///
/// What is in the stage must survive a SIGKILL of the supervisor, so a second process, the keeper,
/// holds it open. It sleeps for the whole of its life, unless the supervisor dies: then it saves
/// what is in the stage, and ends.
class OutputStage {
public:
    /// In the keeper: `stage` is the pipe's end for reading, which comes to end-of-file behind the
    /// last byte.
    using Save = std::function<void(int stage)>;
    /// Forks the keeper, with the descriptors in `keep`: those that `save` needs, and the task's
    /// lock, so that nobody takes the task over before the bytes are saved. Error: no pipe of
    /// `capacity` bytes, or no process was to be had. Hazards: as of fork_helper().
    static Result<OutputStage> start(std::size_t capacity, std::vector<int> keep, const Save& save);

    OutputStage(OutputStage&&) noexcept;
    OutputStage& operator=(OutputStage&&) = delete;
    /// Ends the keeper, and waits for it: it is gone within microseconds. The stage must be empty.
    ~OutputStage();

    int reader() const { return reader_.get(); } ///< non-blocking, as the writer
    int writer() const { return writer_.get(); }
    /// Hands over up to `max` bytes of what is in the pipe; how many, or negative: none.
    std::int64_t fill(int pipe, std::size_t max);
    pid_t keeper() const { return keeper_; }

private:
    OutputStage() = default;
    Fd reader_, writer_;
    Fd life_; ///< the keeper reads the other end: it ends when this one is closed, by us or by our
              ///< death
    pid_t keeper_ = 0;
};

} // namespace bgt::os
