#include "history_format.hpp"

#include "byte_text.hpp"
#include "queue_format.hpp"

#include <algorithm>

namespace bgt::store::detail {
namespace {

/// The first number of a record: which bgt can read it. Fields are only ever added behind those
/// that there are.
constexpr std::uint64_t readable_by = 1;
constexpr std::size_t max_run_size = 4096;
/// Bytes of checksums that are tried to find out where a record begins behind damage.
constexpr std::uint64_t max_tried = 64u << 20;
/// Dates and durations beyond are those of damage or of a broken clock. Half of what fits, so that
/// a difference of two fits.
constexpr std::int64_t max_time = std::int64_t{1} << 62;

/// What of it is known, as bits.
constexpr std::uint64_t knows_start = 1, knows_ran = 2, knows_cpu = 4;

std::int64_t within(std::int64_t time)
{
    return std::clamp<std::int64_t>(time, 0, max_time);
}

void put_outcome(ByteWriter& out, const core::Outcome& outcome)
{
    out.number(static_cast<std::uint64_t>(outcome.kind));
    out.whole(outcome.code);
    out.number(static_cast<std::uint64_t>(std::max(outcome.signal, 0)));
    out.number(static_cast<std::uint64_t>(outcome.reason));
}

bool take_outcome(ByteReader& in, core::Outcome& outcome)
{
    const auto kind = core::by_number(core::outcome_kinds, static_cast<std::int64_t>(in.number()));
    outcome.code = static_cast<int>(in.whole());
    outcome.signal = static_cast<int>(in.number());
    const auto reason = core::by_number(core::reasons, static_cast<std::int64_t>(in.number()));
    if (!kind || !reason) return false;
    outcome.kind = *kind;
    outcome.reason = *reason;
    return true;
}

std::uint64_t known_of(const core::PastRun& run)
{
    return (run.started ? knows_start : 0u) | (run.ran ? knows_ran : 0u) |
           (run.cpu ? knows_cpu : 0u);
}

void put_tags(ByteWriter& out, const core::PastRun& run)
{
    std::size_t room = max_run_size / 2, count = 0;
    for (const auto& [key, value] : run.tags) {
        if (key.size() + value.size() + 8 > room) break;
        room -= key.size() + value.size() + 8;
        ++count;
    }
    out.number(count);
    for (std::size_t i = 0; i < count; ++i) {
        out.text(run.tags[i].first);
        out.text(run.tags[i].second);
    }
}

/// Checked dates and durations; false: one is none.
bool take_times(ByteReader& in, core::PastRun& run)
{
    const std::uint64_t known = in.number();
    bool good = true;
    const auto time = [&] {
        const auto value = static_cast<std::int64_t>(in.number());
        good = good && value >= 0 && value <= max_time;
        return Duration(value);
    };
    run.created = WallTime(time());
    run.ended = WallTime(time());
    run.started.reset();
    run.ran.reset();
    run.cpu.reset();
    if ((known & knows_start) != 0) run.started = WallTime(time());
    if ((known & knows_ran) != 0) run.ran = time();
    if ((known & knows_cpu) != 0) run.cpu = time();
    return good;
}

/// How far the next frame is at least: zeros, of which a crash may leave many, begin none, but for
/// the one that may be the low byte of its size. At least 1.
std::size_t zeros_before_a_frame(std::string_view bytes)
{
    const std::size_t zeros = std::min(bytes.find_first_not_of('\0'), bytes.size());
    return std::max<std::size_t>(
        zeros < bytes.size() ? zeros - std::min<std::size_t>(zeros, 1) : zeros, 1);
}

} // namespace

std::string encode_run(const core::PastRun& run)
{
    ByteWriter out;
    out.number(readable_by);
    out.number(static_cast<std::uint64_t>(run.id));
    out.number(run.attempts);
    out.number(static_cast<std::uint64_t>(run.kind));
    put_outcome(out, run.outcome);
    out.number(known_of(run));
    const auto time = [&](Duration value) {
        out.number(static_cast<std::uint64_t>(within(value.count())));
    };
    time(run.created.time_since_epoch());
    time(run.ended.time_since_epoch());
    if (run.started) time(run.started->time_since_epoch());
    if (run.ran) time(*run.ran);
    if (run.cpu) time(*run.cpu);
    out.number(run.max_memory);
    out.number(run.hangs);
    out.text(run.name.substr(0, 255));
    out.text(run.queue.substr(0, 255));
    put_tags(out, run);
    return frame(out.take());
}

RunDecoded decode_run(std::string_view record, core::PastRun& run)
{
    ByteReader in(record);
    if (in.number() > readable_by) return RunDecoded::newer;
    run.id = static_cast<std::int64_t>(in.number());
    run.attempts = static_cast<std::uint32_t>(in.number());
    const auto kind = core::by_number(core::kinds, static_cast<std::int64_t>(in.number()));
    if (!take_outcome(in, run.outcome) || !kind) // by a bgt that knows more of them
        return in.good() ? RunDecoded::newer : RunDecoded::damaged;
    run.kind = *kind;
    const bool has_times = take_times(in, run);
    run.max_memory = in.number();
    run.hangs = static_cast<std::uint32_t>(in.number());
    run.name = in.view();
    run.queue = in.view();
    run.tags.clear();
    for (std::size_t count = in.count(); count > 0 && in.good(); --count) {
        const std::string_view key = in.view();
        run.tags.emplace_back(key, in.view());
    }
    return in.good() && has_times && run.id > 0 ? RunDecoded::run : RunDecoded::damaged;
}

RunScan scan_runs(std::string_view bytes,
                  const std::function<void(const core::PastRun&, std::string_view frame)>& take)
{
    RunScan scan;
    core::PastRun run;
    std::uint64_t tried = 0;
    bool in_damage = false;
    while (!bytes.empty()) {
        const auto size = framed_size(bytes);
        std::optional<std::string_view> record;
        if (size && *size <= max_run_size && tried <= max_tried) record = framed(bytes);
        RunDecoded decoded = RunDecoded::damaged;
        if (record) decoded = decode_run(*record, run);
        if (decoded == RunDecoded::damaged && size && *size <= max_run_size)
            tried += *size + journal_frame_size;
        if (decoded == RunDecoded::damaged) {
            if (!in_damage) ++scan.damaged_places;
            in_damage = true;
            const std::size_t step = tried > max_tried ? bytes.size() : zeros_before_a_frame(bytes);
            scan.damaged_bytes += step;
            bytes.remove_prefix(step);
            continue;
        }
        in_damage = false;
        const std::size_t whole = journal_frame_size + record->size();
        if (decoded == RunDecoded::newer) ++scan.from_newer;
        else take(run, bytes.substr(0, whole));
        bytes.remove_prefix(whole);
    }
    return scan;
}

std::string encode_totals(const Totals& totals)
{
    ByteWriter out;
    out.number(readable_by);
    out.number(static_cast<std::uint64_t>(totals.dropped_files));
    out.number(totals.damaged_places);
    out.number(totals.runs.rows().size());
    for (const auto& [key, counts] : totals.runs.rows()) {
        out.text(key.first);
        out.text(key.second);
        for (const std::uint64_t count : counts.by_result) out.number(count);
        for (const std::uint64_t count : {counts.hung, counts.retried}) out.number(count);
        for (const auto sum : {counts.ran, counts.waited, counts.cpu})
            out.number(static_cast<std::uint64_t>(sum.count()));
    }
    return frame(out.take());
}

TotalsDecoded decode_totals(std::string_view bytes, Totals& into)
{
    const auto record = framed(bytes);
    if (!record) return TotalsDecoded::damaged;
    ByteReader in(*record);
    const std::uint64_t needed = in.number();
    if (!in.good()) return TotalsDecoded::damaged;
    if (needed > readable_by) return TotalsDecoded::newer;
    Totals totals;
    totals.dropped_files = static_cast<std::int64_t>(in.number());
    totals.damaged_places = in.number();
    for (std::size_t rows = in.count(); rows > 0 && in.good(); --rows) {
        core::RunTotals::Key key;
        key.first = in.text();
        key.second = in.text();
        core::RunCounts counts;
        for (std::uint64_t& count : counts.by_result) count = in.number();
        for (std::uint64_t* count : {&counts.hung, &counts.retried}) *count = in.number();
        for (auto* sum : {&counts.ran, &counts.waited, &counts.cpu})
            *sum = std::chrono::microseconds(static_cast<std::int64_t>(in.number()));
        totals.runs.add(key, counts);
    }
    if (!in.good() || totals.dropped_files < 0) return TotalsDecoded::damaged;
    into = std::move(totals);
    return TotalsDecoded::totals;
}

} // namespace bgt::store::detail
