// Messages of the sd_notify protocol: whatever a task sends.
#include "fuzz.hpp"

#include <bgt/core/notify.hpp>
#include <cmath>

using namespace bgt;

namespace {

void check_time(const std::optional<Duration>& time)
{
    if (time) FUZZ_CHECK(*time >= Duration::zero() && *time <= std::chrono::hours(24) * 365 * 100);
}

void check_text(const std::optional<std::string>& text, std::size_t most)
{
    if (text) FUZZ_CHECK(text->size() <= most && fuzz::is_clean(*text));
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const std::string_view text = fuzz::Input(data, size).rest();
    const auto read = core::parse_notification(text);
    if (!read) return 0;
    FUZZ_CHECK(text.find('\0') == std::string_view::npos &&
               text.find('=') != std::string_view::npos);
    check_time(read->watchdog);
    check_time(read->extend);
    check_text(read->status, 127);
    check_text(read->step, 63);
    check_text(read->summary, 4096);
    if (read->log) check_text(read->log->text, 4096);
    for (const std::string& path : read->artifacts)
        FUZZ_CHECK(path.starts_with('/') && fuzz::is_utf8(path));
    for (const core::Metric& metric : read->metrics)
        FUZZ_CHECK(core::is_metric_name(metric.name) && std::isfinite(metric.value));
    if (read->main_pid) FUZZ_CHECK(*read->main_pid > 0);
    if (read->progress) FUZZ_CHECK(*read->progress >= 0 && *read->progress <= 1);
    FUZZ_CHECK(read->bad_fields <= text.size());
    return 0;
}
