#include "schedule_options.hpp"

#include "run_table.hpp"

#include <bgt/base/text.hpp>
#include <bgt/core/recurrence.hpp>
#include <bgt/ops/moment.hpp>
#include <bgt/render/words.hpp>

#include <algorithm>
#include <array>
#include <climits>

namespace bgt::cli {
namespace {

constexpr int max_made_up = 1000;

using O = ScheduleOptions;
constexpr std::array<std::pair<std::string_view, O::Word O::*>, 10> by_keys{
    {{"every", &O::every},
     {"cron", &O::cron},
     {"calendar", &O::calendar},
     {"missed", &O::missed},
     {"missed_within", &O::missed_within},
     {"overlap", &O::overlap},
     {"jitter", &O::jitter},
     {"until", &O::until},
     {"times", &O::times},
     {"tz", &O::tz}}};

Error in_option(const char* option, const Error& error)
{
    return Error::usage(std::string(option) + ": " + error.message);
}

Result<void> take_missed(core::SchedulePolicy& policy, const std::string& text)
{
    if (text == "once" || text == "skip") {
        policy.on_missed = text == "once" ? core::OnMissed::once : core::OnMissed::skip;
        return {};
    }
    if (!text.starts_with("all:"))
        return Error::usage("--missed: '" + fit(printable(text), 40) +
                            "' is none of once, skip and all:N");
    const auto count = parse_int(text.substr(4), 1, max_made_up);
    if (!count) return in_option("--missed", count.error());
    policy.on_missed = core::OnMissed::all;
    policy.max_missed = static_cast<std::uint32_t>(*count);
    return {};
}

Result<void> take_overlap(core::SchedulePolicy& policy, const std::string& text)
{
    for (const auto way : {core::OnOverlap::skip, core::OnOverlap::queue, core::OnOverlap::replace,
                           core::OnOverlap::allow})
        if (core::to_string(way) == text) {
            policy.on_overlap = way;
            return {};
        }
    return Error::usage("--overlap: '" + fit(printable(text), 40) +
                        "' is none of skip, queue, replace and allow");
}

} // namespace

void ScheduleOptions::declare(Parser& parser)
{
    parser.group("Schedule");
    parser.option("--every", every, "D", Value::duration, "run it every D, such as 5m or 1h30m");
    parser.option("--cron", cron, "EXPR", Value::text,
                  "run it when a cron expression says: '0 2 * * *', @daily");
    parser.option("--calendar", calendar, "EXPR", Value::text,
                  "run it when a calendar expression says: 'Mon..Fri 02:00'");
    parser.option("--missed", missed, "once|skip|all:N", Value::text,
                  "what to do about times that passed while nobody could run it (once)");
    parser.option("--missed-within", missed_within, "D", Value::duration,
                  "do not make up for a time that passed more than D ago");
    parser.choice("--overlap", overlap, "skip|queue|replace|allow",
                  "when its last task has not ended (skip)");
    parser.option("--jitter", jitter, "D", Value::duration,
                  "run it up to D later than its time; the delay differs each time");
    parser.option("--until", until, "TIME", Value::text, "the last time at which it may run");
    parser.option("--times", times, "N", Value::number, "run it N times");
}

bool ScheduleOptions::is_any_set() const
{
    return std::ranges::any_of(by_keys,
                               [&](const auto& row) { return (this->*row.second).has_value(); });
}

ScheduleOptions::Word* ScheduleOptions::by_key(std::string key)
{
    std::replace(key.begin(), key.end(), '-', '_');
    for (const auto& [name, member] : by_keys)
        if (name == key) return &(this->*member);
    return nullptr;
}

std::vector<std::string> ScheduleOptions::keys()
{
    std::vector<std::string> out;
    for (const auto& [name, member] : by_keys) out.emplace_back(name);
    return out;
}

Result<std::optional<std::string>> ScheduleOptions::when() const
{
    if (int(every.has_value()) + int(cron.has_value()) + int(calendar.has_value()) > 1)
        return Error::usage("--every, --cron and --calendar exclude each other");
    if (every) {
        if (const auto read = core::parse_every(*every); !read)
            return in_option("--every", read.error());
        return std::optional("every " + *every);
    }
    if (cron) {
        if (const auto read = core::parse_cron(*cron); !read)
            return in_option("--cron", read.error());
        return std::optional("cron " + *cron);
    }
    if (!calendar) return std::optional<std::string>();
    const auto read = core::parse_calendar(*calendar);
    if (!read) return in_option("--calendar", read.error());
    if (tz && !read->zone.empty())
        return Error::usage("--tz: the calendar expression names a zone already");
    return std::optional("calendar " + *calendar);
}

Result<void> ScheduleOptions::apply(core::SchedulePolicy& policy) const
{
    if (missed) BGT_TRY(take_missed(policy, *missed));
    if (missed_within) {
        const auto time = parse_duration(*missed_within);
        if (!time) return in_option("--missed-within", time.error());
        policy.missed_within = *time;
    }
    if (overlap) BGT_TRY(take_overlap(policy, *overlap));
    if (jitter) {
        const auto time = parse_duration(*jitter);
        if (!time) return in_option("--jitter", time.error());
        policy.jitter = *time;
    }
    if (times) {
        const auto count = parse_int(*times, 1, INT_MAX);
        if (!count) return in_option("--times", count.error());
        policy.times = static_cast<std::uint64_t>(*count);
    }
    if (const auto known = ops::check_zone(tz.value_or("")); !known)
        return in_option("--tz", known.error());
    if (!until) return {};
    const auto time = ops::parse_start_time(*until, render::Moment::now().wall, tz.value_or(""));
    if (!time) return in_option("--until", time.error());
    policy.until = *time;
    return {};
}

} // namespace bgt::cli
