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
    std::size_t damaged_lines = 0;
    bool empty() const { return summary.empty() && metrics.empty() && artifacts.empty(); }
};

/// Beyond that many metrics or artefacts, a task is told of no more.
inline constexpr std::size_t max_results = 1000;

/// Of a folder without the file: nothing. Reads at most the last 1 MiB.
Result<TaskResults> read_results(int task_dir_fd);

/// The writer's side, in the supervisor.
class ResultsWriter {
public:
    /// Makes the file where it is missing.
    static Result<ResultsWriter> open(int task_dir_fd);
    Result<void> summary(WallTime, const std::string& text);
    Result<void> metric(WallTime, const std::string& name, double value);
    Result<void> artifact(WallTime, const std::string& path);
    Result<void> checked(WallTime, const Artifact&);

private:
    Fd fd_;
};

} // namespace bgt::store
