#pragma once
/// `results.jsonl` of a task: what it said of its results (`bgt notify --summary`, `--artifact`,
/// `--metric`), a line each as in events.jsonl, and after its end what became of its artefacts.
#include <bgt/base/fd.hpp>
#include <bgt/base/result.hpp>
#include <bgt/base/time.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace bgt::store {

struct Artifact {
    std::string path; ///< absolute
    /// Once the task is over: its size; of a folder, 0.
    std::optional<std::uint64_t> bytes = {};
    std::string problem = {}; ///< "it is not there"; empty: none, or nobody has looked yet
    bool is_checked() const { return bytes || !problem.empty(); }
};

struct TaskResults {
    std::string summary;
    std::map<std::string, double> metrics; ///< the newest value of each
    std::vector<Artifact> artifacts;       ///< in the order in which they were named first
    std::uint64_t dropped = 0;             ///< metrics and artefacts for which there was no room
    std::string problem;                   ///< why they can't be read; empty: none
    std::size_t damaged_lines = 0;
    std::uint64_t unread_bytes = 0; ///< of a file that is larger than any of bgt
    bool empty() const { return summary.empty() && metrics.empty() && artifacts.empty(); }
};

/// Beyond that many metrics or artefacts, or 512 KiB of them, a task is told of no more.
inline constexpr std::size_t max_results = 1000;

/// Of a folder without the file: nothing. Reads at most the last 4 MiB.
Result<TaskResults> read_results(int task_dir_fd);

/// The writer's side, in the supervisor. The newest value of a metric counts however often it is
/// told: the file is written anew when it has 1 MiB. What has no room is counted (`dropped`). After
/// an error nothing is lost: the next call that can write writes all.
class ResultsWriter {
public:
    /// Makes the file where it is missing. The folder must stay open.
    static Result<ResultsWriter> open(int task_dir_fd);
    Result<void> summary(WallTime, const std::string& text);
    Result<void> metric(WallTime, const std::string& name, double value);
    Result<void> artifact(WallTime, const std::string& path);
    /// By who writes nothing else.
    Result<void> checked(WallTime, const Artifact&);

private:
    std::string whole(WallTime) const;
    Result<void> rewrite(WallTime);
    Result<void> append(WallTime, const std::string& line);
    bool has_room(std::size_t told, const std::string& line);
    Result<void> drop(WallTime);

    int folder_ = -1;
    Fd fd_;
    TaskResults kept_;             ///< what the file says, once all of it could be written
    std::uint64_t size_ = 0;       ///< of the file
    std::uint64_t kept_bytes_ = 0; ///< of the lines of kept_, each of them once
    bool is_behind_ = false;       ///< something of kept_ could not be written
};

} // namespace bgt::store
