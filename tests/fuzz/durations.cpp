// Times as people and files write them: durations, limits, dates, and the ladder of stop signals.
#include "fuzz.hpp"

#include <bgt/base/signal_name.hpp>
#include <bgt/base/text.hpp>
#include <bgt/base/time.hpp>
#include <bgt/core/task.hpp>

using namespace bgt;
using fuzz::is_message;

namespace {

constexpr Duration century = std::chrono::hours(24) * 36'525;

void check_duration(std::string_view text)
{
    const auto read = parse_duration(text);
    const auto limit = parse_limit(text);
    if (!read) {
        FUZZ_CHECK(is_message(read.error().message) && display_width(read.error().message) < 400);
        FUZZ_CHECK(limit ? !*limit : is_message(limit.error().message));
        return;
    }
    FUZZ_CHECK(*read >= Duration::zero() && *read <= century);
    FUZZ_CHECK(limit ? **limit == *read : *read == Duration::zero());
    const auto again = parse_duration(format_duration(*read));
    FUZZ_CHECK(again && *again == *read);
}

void check_date(std::string_view text)
{
    const auto read = parse_rfc3339(text);
    if (!read) {
        FUZZ_CHECK(is_message(read.error().message) && display_width(read.error().message) < 400);
        return;
    }
    const auto again = parse_rfc3339(format_rfc3339(*read));
    FUZZ_CHECK(again && *again == std::chrono::floor<std::chrono::milliseconds>(*read));
}

void check_ladder(std::string_view text)
{
    const auto grace = std::chrono::seconds(5);
    const auto read = core::parse_stop_signals(text, grace);
    if (!read) {
        FUZZ_CHECK(is_message(read.error().message));
        return;
    }
    FUZZ_CHECK(!read->empty() && read->size() <= 8);
    for (const core::StopStep& step : *read)
        FUZZ_CHECK(step.signal > 0 && step.signal <= 64 && step.signal != 9 && step.signal != 19 &&
                   step.wait >= Duration::zero());
    const auto again = core::parse_stop_signals(core::format_stop_signals(*read), Duration::zero());
    FUZZ_CHECK(again && *again == *read);
}

void check_signal(std::string_view text)
{
    const auto read = parse_signal(text);
    if (!read) {
        FUZZ_CHECK(is_message(read.error().message));
        return;
    }
    const auto again = parse_signal(signal_name(*read));
    FUZZ_CHECK(again ? *again == *read : signal_name(*read).starts_with("SIG"));
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    fuzz::Input in(data, size);
    const std::string_view text = in.rest();
    check_duration(text);
    check_date(text);
    check_ladder(text);
    check_signal(text);
    const std::int64_t count = fuzz::Input(data, size).number();
    FUZZ_CHECK(fuzz::is_clean(format_duration(Duration(count))));
    FUZZ_CHECK(format_age(Duration(count)).size() <= 6);
    FUZZ_CHECK(fuzz::is_clean(format_rfc3339(WallTime(Duration(count)))));
    FUZZ_CHECK(fuzz::is_clean(signal_name(static_cast<int>(count))));
    return 0;
}
