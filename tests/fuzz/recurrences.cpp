// Cron, calendar expressions and intervals as people write them, and what follows from them.
#include "fuzz.hpp"

#include <bgt/base/text.hpp>
#include <bgt/core/recurrence.hpp>

using namespace bgt;
using fuzz::is_message;

namespace {

void check(const Result<core::Recurrence>& read, WallTime time)
{
    if (!read) {
        FUZZ_CHECK(is_message(read.error().message) && display_width(read.error().message) < 400);
        return;
    }
    FUZZ_CHECK(fuzz::is_clean(core::in_words(*read)) || !fuzz::is_clean(read->zone));
    const core::FixedZone zone;
    const auto before = core::previous(*read, zone, time);
    const auto after = core::next(*read, zone, time);
    FUZZ_CHECK(!before || *before <= time);
    FUZZ_CHECK(!after || *after > time);
    if (before) FUZZ_CHECK(core::next(*read, zone, *before) == after);
    if (before) FUZZ_CHECK(core::missed(*read, zone, *before, time).count == 0);
    if (before && after) FUZZ_CHECK(core::missed(*read, zone, time, *after).count == 1);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    fuzz::Input in(data, size);
    const WallTime time{Duration(in.number())};
    const std::string_view text = in.rest();
    check(core::parse_cron(text), time);
    check(core::parse_calendar(text), time);
    check(core::parse_recurrence(text), time);
    return 0;
}
