#pragma once
/// Everything about one task, for a person (`bgt show`).
#include <bgt/render/words.hpp>
#include <bgt/store/events.hpp>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace bgt::render {

/// A living process of the tree.
struct ProcessRow {
    std::int32_t pid = 0;
    std::int32_t ppid = 0;
    char state = '?';          ///< as in /proc/PID/stat: R S D Z T
    std::optional<Duration> age;
    std::string command;
};

struct DetailsInput {
    const supervise::Snapshot& task;        ///< with spec, usage and ports
    const std::vector<ProcessRow>& processes;
    const std::vector<store::TaskEvent>& events;   ///< the newest, oldest first
    const std::vector<store::TaskEvent>& attempts; ///< all that are "attempt-ended"
};

struct DetailsStyle {
    std::optional<std::size_t> width; ///< lines of processes and events are cut to it
    bool color = false;
};

/// Several lines. What is not known or was not asked for is left out; the environment is never there.
std::string task_details(const DetailsInput&, const Moment& now, const DetailsStyle&);

} // namespace bgt::render
