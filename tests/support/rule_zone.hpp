#pragma once
/// A made-up time zone: a list of changes.
#include <bgt/core/time_zone.hpp>

#include <utility>
#include <vector>

namespace bgt::test {

class RuleZone final : public core::TimeZone {
public:
    /// `changes`: from that second (since 1970) on, that offset; ascending.
    RuleZone(std::int64_t first, std::vector<std::pair<std::int64_t, std::int64_t>> changes)
        : first_(first), changes_(std::move(changes))
    {}

    std::chrono::seconds offset(WallTime utc) const override
    {
        const auto at = std::chrono::floor<std::chrono::seconds>(utc).time_since_epoch().count();
        std::int64_t offset = first_;
        for (const auto& [since, changed] : changes_)
            if (since <= at) offset = changed;
        return std::chrono::seconds(offset);
    }

private:
    std::int64_t first_;
    std::vector<std::pair<std::int64_t, std::int64_t>> changes_;
};

} // namespace bgt::test
