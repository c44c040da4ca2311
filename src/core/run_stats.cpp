#include <bgt/core/run_stats.hpp>

#include <algorithm>

namespace bgt::core {
namespace {

/// Rearranges the values.
std::int64_t nth(std::vector<std::int64_t>& values, std::size_t n)
{
    const auto at = values.begin() + static_cast<std::ptrdiff_t>(n);
    std::ranges::nth_element(values, at);
    return *at;
}

Duration median_of(std::vector<std::int64_t>& values)
{
    const std::size_t half = values.size() / 2;
    const std::int64_t upper = nth(values, half);
    if (values.size() % 2 != 0) return Duration(upper);
    const std::int64_t lower = *std::ranges::max_element(
        values.begin(), values.begin() + static_cast<std::ptrdiff_t>(half));
    return Duration(lower + (upper - lower) / 2);
}

Duration percentile_95_of(std::vector<std::int64_t>& values)
{
    return Duration(nth(values, (values.size() * 95 + 99) / 100 - 1));
}

Duration mean_of(std::chrono::microseconds sum, std::uint64_t count)
{
    return Duration(std::chrono::microseconds(sum.count() / static_cast<std::int64_t>(count)));
}

} // namespace

void RunGroup::add(const PastRun& run)
{
    counts_.add(run);
    if (run.ran) ran_.push_back(std::max<std::int64_t>(run.ran->count(), 0));
    if (const auto wait = waited(run)) {
        ++waits_;
        wait_max_ = std::max(wait_max_, *wait);
    }
    knows_cpu_ = knows_cpu_ || run.cpu.has_value();
    max_memory_ = std::max(max_memory_, run.max_memory);
    if (!first_ || run.ended < *first_) first_ = run.ended;
    if (!last_ || run.ended > *last_) last_ = run.ended;
}

RunSummary RunGroup::summary() const
{
    RunSummary out;
    out.counts = counts_;
    const std::uint64_t ok = counts_.of(RunResult::ok), failed = counts_.of(RunResult::failed);
    if (ok + failed > 0)
        out.success_rate = static_cast<double>(ok) / static_cast<double>(ok + failed);
    if (!ran_.empty()) {
        std::vector<std::int64_t> values = ran_;
        out.mean = mean_of(counts_.ran, values.size());
        out.median = median_of(values);
        out.p95 = percentile_95_of(values);
        const auto [least, most] = std::ranges::minmax(values);
        out.min = Duration(least);
        out.max = Duration(most);
    }
    if (waits_ > 0) {
        out.wait_mean = mean_of(counts_.waited, waits_);
        out.wait_max = wait_max_;
    }
    if (knows_cpu_)
        out.cpu = std::min<std::chrono::microseconds>(
            counts_.cpu, std::chrono::duration_cast<std::chrono::microseconds>(Duration::max()));
    out.max_memory = max_memory_;
    out.first = first_;
    out.last = last_;
    return out;
}

void RunStats::add(std::string_view group, const PastRun& run)
{
    auto known = groups_.find(group);
    if (known == groups_.end()) known = groups_.try_emplace(std::string(group)).first;
    known->second.add(run);
}

std::vector<std::pair<std::string, RunSummary>> RunStats::summaries() const
{
    std::vector<std::pair<std::string, RunSummary>> out;
    out.reserve(groups_.size());
    for (const auto& [word, group] : groups_) out.emplace_back(word, group.summary());
    std::ranges::sort(out, {}, &std::pair<std::string, RunSummary>::first);
    return out;
}

void RunTrend::add(const PastRun& run)
{
    const std::int64_t since = (run.ended - origin_).count(), width = width_.count();
    const std::int64_t span = since / width - (since % width < 0 ? 1 : 0);
    groups_[span].add(run);
}

std::uint64_t RunTrend::count() const
{
    if (groups_.empty()) return 0;
    return static_cast<std::uint64_t>(groups_.rbegin()->first - groups_.begin()->first) + 1;
}

std::vector<RunTrend::Span> RunTrend::spans() const
{
    std::vector<Span> out;
    if (groups_.empty()) return out;
    for (std::int64_t at = groups_.begin()->first; at <= groups_.rbegin()->first; ++at) {
        const auto group = groups_.find(at);
        out.push_back({origin_ + at * width_,
                       group == groups_.end() ? RunSummary{} : group->second.summary()});
    }
    return out;
}

Result<RunGrouping> parse_grouping(std::string_view text)
{
    using By = RunGrouping::By;
    if (text == "name") return RunGrouping{By::name, {}};
    if (text == "queue") return RunGrouping{By::queue, {}};
    constexpr std::string_view tag = "tag:";
    if (text.starts_with(tag) && text.size() > tag.size())
        return RunGrouping{By::tag, std::string(text.substr(tag.size()))};
    return Error::usage("it is one of name, queue and tag:KEY");
}

std::optional<std::string_view> group_of(const PastRun& run, const RunGrouping& grouping)
{
    switch (grouping.by) {
    case RunGrouping::By::name: return run.name;
    case RunGrouping::By::queue: return run.queue;
    case RunGrouping::By::tag: break;
    }
    for (const auto& [key, value] : run.tags)
        if (key == grouping.key) return value;
    return std::nullopt;
}

} // namespace bgt::core
