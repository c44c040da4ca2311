#pragma once
/// `bgt run --watch`, as it was asked for.
#include <bgt/base/result.hpp>
#include <bgt/base/time.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace bgt::core {

/// What a change does to a task whose command runs. One that waits is started, whatever this is.
enum class OnChange : std::uint8_t {
    restart, ///< it is stopped, and started again
    queue,   ///< it is started again once this run has ended
    signal,  ///< it gets a signal
    ignore,  ///< nothing, and the change is forgotten
};

/// `--watch` and the options that go with it.
struct WatchSpec {
    std::vector<std::string> globs;   ///< each one that parse_globs() takes
    std::vector<std::string> ignored; ///< lines as in a .gitignore of the working folder
    Duration debounce = std::chrono::milliseconds(100);
    OnChange on_change = OnChange::restart;
    int signal = 0; ///< OnChange::signal
    bool operator==(const WatchSpec&) const = default;
};

/// "restart", "queue", "signal:HUP", "ignore-while-busy".
std::string format_on_change(const WatchSpec&);
/// Reads one of these into the spec. Error (usage): none of them.
Result<void> parse_on_change(std::string_view, WatchSpec&);

} // namespace bgt::core
