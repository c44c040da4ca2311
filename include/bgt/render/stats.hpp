#pragma once
/// The answers of `bgt stats`.
#include <bgt/ops/stats.hpp>
#include <optional>
#include <string>

namespace bgt::render {

/// One row a group. `title` stands over their words: "NAME". In a terminal that is too narrow
/// (`width`), some columns are left out.
std::string stats_table(const std::vector<std::pair<std::string, core::RunSummary>>&,
                        const std::string& title, std::optional<std::size_t> width = {});
/// One row a span of time, with a bar for its mean duration. Times are those of the local zone.
std::string trend_table(const std::vector<core::RunTrend::Span>&, Duration width,
                        std::optional<std::size_t> columns_there = {});
/// "2 active, queue build: 1 of 2 slots in use, 5 waiting".
std::string load_words(const ops::RootLoad&);
/// {"schema":1,"stats":[...],"trend":[...],...}; without request.trend, "trend" is null.
std::string stats_json(const ops::StatsAnswer&, const ops::StatsRequest&);
/// The text format of Prometheus and OpenMetrics.
std::string metrics_text(const ops::MetricsAnswer&);
/// One line of `bgt stats export`: {"schema":1,"id":7,...} and a newline.
std::string run_json(const core::PastRun&);

} // namespace bgt::render
