#pragma once
/// The bytes of the history: records, each in a frame (queue_format.hpp), and totals.
#include <bgt/core/past_run.hpp>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace bgt::store::detail {

/// A record in its frame. Tags that do not fit into it are left out.
std::string encode_run(const core::PastRun&);

enum class RunDecoded : std::uint8_t { run, newer, damaged };
/// Of a record without its frame. The texts point into `record`.
RunDecoded decode_run(std::string_view record, core::PastRun&);

struct RunScan {
    std::uint64_t damaged_places = 0;
    std::uint64_t damaged_bytes = 0;
    std::uint64_t from_newer = 0;
    std::uint64_t unread_bytes = 0; ///< of scan_runs(): none
};
/// Finds the records among these bytes, behind damage too. `frame` is where one stands. The effort
/// is bounded: what is too costly to look through counts as damaged.
RunScan scan_runs(std::string_view bytes,
                  const std::function<void(const core::PastRun&, std::string_view frame)>& take);

/// history/totals: what the dropped records add up to, and up to which file they were dropped.
struct Totals {
    std::int64_t dropped_files = 0; ///< files of this number and below count no more
    std::uint64_t damaged_places = 0;
    core::RunTotals runs;
};
std::string encode_totals(const Totals&);
enum class TotalsDecoded : std::uint8_t { totals, newer, damaged };
/// What is not `totals` leaves them as they were.
TotalsDecoded decode_totals(std::string_view bytes, Totals&);

} // namespace bgt::store::detail
