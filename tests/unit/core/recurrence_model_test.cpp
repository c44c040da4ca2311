// Recurrences against a naive model that asks of every minute whether it matches, over random
// expressions and made-up zones; and properties over all of time.
#include "support/catch.hpp"
#include "support/rule_zone.hpp"

#include <bgt/core/recurrence.hpp>

#include <chrono>
#include <random>
#include <set>

using namespace bgt;
using namespace bgt::core;
namespace chrono = std::chrono;

namespace {

using Random = std::mt19937;

int pick(Random& random, int low, int high)
{
    return std::uniform_int_distribution(low, high)(random);
}

/// One field of cron as text, and what it means as a plain list of values.
struct Field {
    std::string text;
    std::set<int> values;
    bool star = false, wild = false;
};

Field random_field(Random& random, int low, int high)
{
    Field field;
    const auto add = [&](int first, int last, int step) {
        for (int v = first; v <= last; v += step) field.values.insert(v);
    };
    const int kind = pick(random, 0, 9);
    if (kind < 4) {
        const int step = kind < 3 ? 1 : pick(random, 1, high - low + 1);
        field.text = kind < 3 ? "*" : "*/" + std::to_string(step);
        field.star = field.wild = true;
        add(low, high, step);
        return field;
    }
    for (int parts = pick(random, 1, 3); parts > 0; --parts) {
        const int first = pick(random, low, high), last = pick(random, first, high);
        const int step = pick(random, 1, high - low + 1);
        if (!field.text.empty()) field.text += ",";
        field.text += std::to_string(first);
        const int shape = pick(random, 0, 5);
        if (shape < 3) add(first, first, 1);
        else if (shape == 3) add(first, last, 1);
        else if (shape == 4) add(first, last, step);
        else add(first, high, step), field.wild = true;
        if (shape == 3 || shape == 4) field.text += "-" + std::to_string(last);
        if (shape >= 4) field.text += "/" + std::to_string(step);
    }
    return field;
}

struct Expression {
    Field minute, hour, day, month, weekday;

    explicit Expression(Random& random)
        : minute(random_field(random, 0, 59)),
          hour(random_field(random, 0, 23)),
          day(random_field(random, 1, 31)),
          month(random_field(random, 1, 12)),
          weekday(random_field(random, 0, 6))
    {}
    std::string text() const
    {
        return minute.text + " " + hour.text + " " + day.text + " " + month.text + " " +
               weekday.text;
    }
    bool fixed() const { return !minute.wild && !hour.wild; }

    /// Whether clocks that show this (seconds since 1970 as if in UTC) match.
    bool matches(std::int64_t local) const
    {
        const auto days = chrono::floor<chrono::days>(chrono::sys_seconds(chrono::seconds(local)));
        const chrono::year_month_day date(days);
        const auto second = static_cast<int>(local - days.time_since_epoch().count() * 86'400);
        const bool by_date = day.values.contains(static_cast<int>(unsigned(date.day())));
        const bool by_week =
            weekday.values.contains(static_cast<int>(chrono::weekday(days).c_encoding()));
        const bool either = !day.star && !weekday.star;
        return minute.values.contains(second / 60 % 60) && hour.values.contains(second / 3600) &&
               month.values.contains(static_cast<int>(unsigned(date.month()))) &&
               (either ? by_date || by_week : by_date && by_week);
    }
};

/// What happens from `begin` to `end`, by looking at every minute. Clocks that skip at most three
/// hours make fixed times up; of minutes that come twice, fixed times take the first.
std::vector<WallTime> naive(const Expression& expression, const TimeZone& zone, std::int64_t begin,
                            std::int64_t end)
{
    std::vector<WallTime> fires;
    const std::int64_t warm_up = begin - 3 * 86'400;
    std::int64_t shown = -1; // the latest time that the clocks have shown
    for (std::int64_t utc = warm_up; utc < end; utc += 60) {
        const WallTime now{chrono::seconds(utc)};
        const std::int64_t local = utc + zone.offset(now).count();
        bool fire = false;
        if (!expression.fixed()) fire = expression.matches(local);
        else if (shown < 0 || local > shown) {
            const bool skips_date = shown >= 0 && local - shown > 3 * 3600 + 60;
            for (std::int64_t t = shown < 0 || skips_date ? local : shown + 60; t <= local; t += 60)
                fire = fire || expression.matches(t);
        }
        shown = std::max(shown, local);
        if (fire && utc >= begin) fires.push_back(now);
    }
    return fires;
}

std::vector<std::string> dates(const std::vector<WallTime>& times)
{
    std::vector<std::string> texts;
    for (const WallTime time : times) texts.push_back(format_rfc3339(time));
    return texts;
}

/// A zone that changes its clocks some times within those days, by up to a day.
test::RuleZone random_zone(Random& random, std::int64_t begin)
{
    constexpr int sizes[] = {1800, 3600, 3600, 3600, 7200, 10'800, 14'400, 86'400};
    std::vector<std::pair<std::int64_t, std::int64_t>> changes;
    const std::int64_t first = pick(random, -20, 20) * 1800;
    std::int64_t offset = first, at = begin - 86'400;
    for (int n = pick(random, 0, 5); n > 0; --n) {
        at += 4 * 86'400 + pick(random, 0, 6 * 24 * 2) * 1800;
        const int size = sizes[pick(random, 0, 7)];
        const bool forward =
            offset + size > 50'400 ? false : offset - size < -43'200 || pick(random, 0, 1) == 0;
        offset += forward ? size : -size;
        changes.emplace_back(at, offset);
    }
    return {first, std::move(changes)};
}

} // namespace

TEST_CASE("next, previous and missed agree with a model that looks at every minute")
{
    Random random(20270328);
    for (int round = 0; round < 120; ++round) {
        const Expression expression(random);
        const auto recurrence = parse_cron(expression.text());
        if (!recurrence) continue; // never happens
        const std::int64_t begin = 86'400LL * pick(random, 0, 40'000) + 60 * pick(random, 0, 1439);
        const std::int64_t end = begin + 20 * 86'400;
        const test::RuleZone zone = random_zone(random, begin);
        const auto fires = naive(expression, zone, begin, end);
        INFO(expression.text() << " from " << begin << " round " << round);

        std::vector<WallTime> found;
        const WallTime last{chrono::seconds(end - 60)};
        for (WallTime t{chrono::seconds(begin - 1)};;) {
            const auto fire = next(*recurrence, zone, t);
            if (!fire || *fire > last || found.size() > fires.size()) break;
            found.push_back(t = *fire);
        }
        REQUIRE(dates(found) == dates(fires));

        // Between any two moments.
        const std::int64_t a = begin + 60LL * pick(random, 0, 20 * 1440 - 1);
        const std::int64_t b = a + 60LL * pick(random, 0, static_cast<int>((end - a) / 60) - 1);
        const WallTime after{chrono::seconds(a)}, until{chrono::seconds(b)};
        std::vector<WallTime> between;
        for (const WallTime fire : fires)
            if (fire > after && fire <= until) between.push_back(fire);
        const Missed lost = missed(*recurrence, zone, after, until, 50);
        CHECK(lost.count == between.size());
        if (between.size() > 50) between.erase(between.begin(), between.end() - 50);
        CHECK(dates(lost.newest) == dates(between));
    }
}

TEST_CASE("the next time is later, and nothing lies between it and the one before")
{
    Random random(4711);
    std::uniform_int_distribution<std::int64_t> all(WallTime::min().time_since_epoch().count(),
                                                    WallTime::max().time_since_epoch().count());
    for (int round = 0; round < 1000; ++round) {
        const Expression expression(random);
        const auto recurrence = parse_cron(expression.text());
        if (!recurrence) continue;
        const WallTime time{Duration(all(random))};
        const auto seconds = chrono::floor<chrono::seconds>(time.time_since_epoch()).count();
        const test::RuleZone zone = random_zone(random, seconds < 0 ? 0 : seconds);
        INFO(expression.text() << " at " << time.time_since_epoch().count());
        const auto after = next(*recurrence, zone, time);
        const auto before = previous(*recurrence, zone, time);
        if (after) CHECK(*after > time);
        if (before) CHECK(*before <= time);
        if (before && after) {
            CHECK(*next(*recurrence, zone, *before) == *after);
            CHECK(*previous(*recurrence, zone, *after) == *after);
            CHECK(missed(*recurrence, zone, *before, time).count == 0);
        }
    }
}
