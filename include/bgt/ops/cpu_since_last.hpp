#pragma once
#include <bgt/base/time.hpp>
#include <bgt/ops/snapshot.hpp>
#include <map>
#include <vector>

namespace bgt::ops {

/// CPU since the last look instead of over the tree's life: the difference of the seconds spent.
class CpuSinceLast {
public:
    void update(std::vector<Snapshot>&, Instant now);

private:
    struct Spent {
        Instant at{};
        double seconds = 0;
    };
    std::map<store::TaskId, Spent> before_;
};

} // namespace bgt::ops
