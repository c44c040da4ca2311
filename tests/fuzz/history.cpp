// The history and its totals, and what is shown of records that anybody may have written. The first
// byte says whether the rest is a file as it stands, one record, or totals, which get their frame.
#include "fuzz.hpp"
#include "store/history_format.hpp"
#include "store/queue_format.hpp"

#include <bgt/core/run_stats.hpp>
#include <bgt/render/stats.hpp>

using namespace bgt;

namespace {

void check_run(const core::PastRun& run)
{
    FUZZ_CHECK(run.id > 0);
    const std::string frame = store::detail::encode_run(run);
    const auto record = store::detail::framed(frame);
    FUZZ_CHECK(record.has_value());
    core::PastRun again;
    FUZZ_CHECK(store::detail::decode_run(*record, again) == store::detail::RunDecoded::run);
    FUZZ_CHECK(store::detail::encode_run(again) == frame);
    std::string json = render::run_json(run);
    FUZZ_CHECK(json.ends_with('\n'));
    json.pop_back();
    FUZZ_CHECK(fuzz::is_json_line(json));
}

/// A sum of times that anybody may have written.
void check_shown(const core::RunStats& stats, const core::RunTrend& trend)
{
    ops::StatsAnswer answer;
    answer.rows = stats.summaries();
    if (trend.count() <= ops::max_spans) answer.trend = trend.spans();
    ops::StatsRequest request;
    request.trend = std::chrono::hours(1);
    std::string json = render::stats_json(answer, request);
    json.pop_back();
    FUZZ_CHECK(fuzz::is_json_line(json));
    FUZZ_CHECK(fuzz::is_clean(render::stats_table(answer.rows, "NAME"), "\n"));
    for (const auto& [word, row] : answer.rows)
        if (row.mean) FUZZ_CHECK(*row.median <= *row.p95 && *row.p95 <= *row.max);
}

void check_totals(std::string_view bytes)
{
    using store::detail::TotalsDecoded;
    store::detail::Totals totals, same;
    if (store::detail::decode_totals(bytes, totals) != TotalsDecoded::totals) return;
    const std::string again = store::detail::encode_totals(totals);
    FUZZ_CHECK(store::detail::decode_totals(again, same) == TotalsDecoded::totals);
    FUZZ_CHECK(same.runs == totals.runs);
    ops::MetricsAnswer metrics;
    metrics.totals = totals.runs;
    FUZZ_CHECK(fuzz::is_utf8(render::metrics_text(metrics)));
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    fuzz::Input in(data, size);
    const unsigned kind = in.byte() % 3;
    std::string bytes(in.rest());
    if (kind != 0) bytes = store::detail::frame(bytes);
    if (kind == 2) check_totals(bytes);
    core::RunStats stats;
    core::RunTrend trend(WallTime(std::chrono::hours(24 * 20'000)), std::chrono::hours(1));
    std::size_t whole = 0;
    const auto scan =
        store::detail::scan_runs(bytes, [&](const core::PastRun& run, std::string_view frame) {
            whole += frame.size();
            check_run(run);
            stats.add(run.name, run);
            trend.add(run);
        });
    FUZZ_CHECK(scan.damaged_bytes + whole <= bytes.size());
    check_shown(stats, trend);
    return 0;
}
