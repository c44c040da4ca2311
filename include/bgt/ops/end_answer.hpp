#pragma once
/// What came of ending several tasks at once (`bgt scope`, `bgt shutdown`).
#include <bgt/base/time.hpp>
#include <bgt/store/task_id.hpp>
#include <string>
#include <vector>

namespace bgt::ops {

/// A task that could not be ended.
struct Remaining {
    store::TaskId id;
    std::string label; ///< id and name, as printable text
    std::string why;   ///< "2 processes are not ended by SIGKILL: ..."
};

struct EndAnswer {
    std::size_t initial = 0;   ///< tasks that lived or waited
    std::size_t completed = 0; ///< of them, those of which nothing is left
    std::vector<Remaining> remaining;
    Duration took{};
};

} // namespace bgt::ops
