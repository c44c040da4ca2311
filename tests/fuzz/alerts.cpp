// Conditions of alerts as people write them, and the file that says how the alerts stand.
#include "fuzz.hpp"

#include <bgt/base/text.hpp>
#include <bgt/core/alert.hpp>
#include <bgt/store/alert_book.hpp>

using namespace bgt;
using fuzz::is_message;

namespace {

void check_alert_condition(std::string_view text, WallTime now)
{
    const auto read = core::parse_alert_condition(text);
    if (!read) {
        FUZZ_CHECK(is_message(read.error().message) && display_width(read.error().message) < 400);
        return;
    }
    const std::string words = core::to_string(*read);
    FUZZ_CHECK(fuzz::is_clean(words));
    const auto again = core::parse_alert_condition(words);
    FUZZ_CHECK(again && *again == *read);
    core::AlertRule rule;
    rule.when = *read;
    const core::FixedZone zone;
    core::AlertFacts facts(rule, now, {}, zone);
    core::PastRun run;
    run.outcome.kind = core::OutcomeKind::exited;
    run.started = run.ended = now;
    run.ran = Duration(1);
    for (int i = 0; i < 3; ++i) facts.add(run);
    FUZZ_CHECK(fuzz::is_clean(facts.finding().value));
}

void check_alert_book(std::string_view bytes)
{
    const auto book = store::decode_alerts(bytes);
    if (!book) return;
    const std::string line = store::encode_alerts(*book);
    const auto again = store::decode_alerts(line);
    FUZZ_CHECK(again && store::encode_alerts(*again) == line);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    fuzz::Input in(data, size);
    const WallTime now{Duration(in.number() >> 2)};
    const std::string_view text = in.rest();
    check_alert_condition(text, now);
    check_alert_book(text);
    return 0;
}
