#pragma once
/// The output of one attempt of a task, as a part of its log.
#include <bgt/store/log_file.hpp>
#include <bgt/store/status.hpp>
#include <limits>
#include <string>

namespace bgt::ops {

/// Which attempts are meant.
struct Attempt {
    enum class Which : std::uint8_t { all, last, numbered };
    Which which = Which::all;
    std::uint32_t number = 0; ///< of `numbered`: 1 or more
};

/// `2`, `last`, `all`. Error (usage): anything else.
Result<Attempt> parse_attempt(const std::string& text);

struct AttemptBytes {
    std::uint64_t begin = 0;
    std::uint64_t end =
        std::numeric_limits<std::uint64_t>::max(); ///< the largest number while the attempt goes on
};

/// By the record and the events of the task. The last attempt of a task that waits for a change of
/// its files is the one that ended, and what follows it; of one that waits to be retried, the one
/// that follows. `label` names the task in messages. Error: (usage) there was no such
/// attempt; its place is not on record any more.
Result<AttemptBytes> find_attempt(const store::TaskDir&, const store::Status&, store::WhichLog,
                                  const Attempt&, const std::string& label);

} // namespace bgt::ops
