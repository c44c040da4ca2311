#include <bgt/ops/cpu_since_last.hpp>

#include <algorithm>

namespace bgt::ops {

void CpuSinceLast::update(std::vector<Snapshot>& tasks, Instant now)
{
    std::map<store::TaskId, Spent> seen;
    for (auto& task : tasks) {
        if (!task.cpu || !task.status.started_at) continue;
        const double age = std::chrono::duration<double>(now - *task.status.started_at).count();
        const Spent spent{now, *task.cpu * age};
        seen[task.id] = spent;
        const auto it = before_.find(task.id);
        if (it == before_.end() || now <= it->second.at) continue;
        // A process that ended takes its seconds along, so the difference can be negative.
        const double seconds = std::max(0.0, spent.seconds - it->second.seconds);
        task.cpu = seconds / std::chrono::duration<double>(now - it->second.at).count();
    }
    before_ = std::move(seen);
}

} // namespace bgt::ops
