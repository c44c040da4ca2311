#pragma once
#include <algorithm>
#include <bgt/base/time.hpp>
#include <cstdint>

namespace bgt::core {

/// How many events of a kind a task may cause: some at once, and then one each `pause`, so that no
/// flood of them pushes all others out of what is kept.
class EventBudget {
public:
    constexpr EventBudget(std::int64_t burst, Duration pause)
        : burst_(burst), pause_(pause), left_(burst)
    {}

    /// False: it is one too many.
    bool take(Instant now)
    {
        if (left_ == burst_) since_ = now;
        const std::int64_t back = std::max<std::int64_t>((now - since_) / pause_, 0);
        since_ += pause_ * back;
        left_ = std::min(burst_, left_ + std::min(back, burst_));
        if (left_ == 0) return false;
        if (left_ == burst_) since_ = now;
        --left_;
        return true;
    }

private:
    std::int64_t burst_;
    Duration pause_;
    std::int64_t left_;
    Instant since_{}; ///< from then on the next one is waited for; while all are left: not used
};

} // namespace bgt::core
