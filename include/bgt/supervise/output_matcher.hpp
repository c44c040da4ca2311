#pragma once
#include <bgt/os/watch.hpp>
#include <bgt/store/log_file.hpp>
#include <bgt/store/log_lines.hpp>
#include <functional>
#include <limits>
#include <optional>
#include <vector>

namespace bgt::supervise {

/// Hands out the rendered lines of a task's output (of err.log too, with --split) as they come,
/// each byte read once.
class OutputMatcher {
public:
    static Result<OutputMatcher> open(const store::TaskDir&, std::uint64_t freed_out,
                                      std::uint64_t freed_err);

    /// Leaves out what comes before these places of out.log and err.log. To be called before the
    /// first scan.
    void skip_to(std::uint64_t out, std::uint64_t err);
    /// Leaves out what comes from these places on.
    void stop_at(std::uint64_t out, std::uint64_t err);
    /// Wakes `watch` when there is more.
    Result<void> watch(os::Watch&, const store::TaskDir&);
    void unwatch(os::Watch&);
    /// Opens a log that was not there yet.
    Result<void> renew(os::Watch&, const store::TaskDir&);
    /// Reads what is new, up to 16 MiB, and calls `line` for each line, for the unfinished last one
    /// too (which so may be given several times as it grows); of a line longer than
    /// store::max_line, for that much of it. True: there is more to read now.
    Result<bool> scan(const std::function<void(std::string_view)>& line);

private:
    struct Stream {
        store::LogFile file;
        store::LineCutter cutter{store::LineText::rendered};
        std::uint64_t at = 0;
        std::uint64_t end = std::numeric_limits<std::uint64_t>::max();
        std::optional<int> token;
    };
    static Result<bool> scan_stream(Stream&, const std::function<void(std::string_view)>& line);

    std::vector<Stream> streams_; ///< out.log first, which may not be there yet
};

} // namespace bgt::supervise
