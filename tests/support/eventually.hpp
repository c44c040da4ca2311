#pragma once
/// Waiting for a condition instead of sleeping and hoping.
#include <chrono>
#include <thread>

namespace bgt::test {

using std::chrono::milliseconds;
using namespace std::chrono_literals;

/// Longer than anything takes on a loaded machine: for conditions that a correct program always
/// meets.
inline constexpr milliseconds test_timeout = 20s;

/// True as soon as `condition` is; false when it was not within `deadline`.
template <class Condition>
bool eventually(milliseconds deadline, Condition condition)
{
    const auto end = std::chrono::steady_clock::now() + deadline;
    while (!condition()) {
        if (std::chrono::steady_clock::now() > end) return condition();
        std::this_thread::sleep_for(2ms); // between two looks; how long is of no consequence
    }
    return true;
}

/// How long something takes.
class Stopwatch {
public:
    milliseconds elapsed() const
    {
        return std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - start_);
    }

private:
    std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

} // namespace bgt::test
