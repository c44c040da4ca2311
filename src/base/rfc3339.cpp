#include <bgt/base/time.hpp>

#include <bgt/base/text.hpp>
#include <fmt/format.h>

namespace bgt {

namespace {

using namespace std::chrono_literals;
namespace chrono = std::chrono;

/// Takes the text apart from its front; once something did not fit, `ok` stays false.
class Reader {
public:
    explicit Reader(std::string_view text) : rest_(text) {}

    bool ok = true;

    bool at_end() const { return rest_.empty(); }
    bool next_is(std::string_view any) const
    {
        return !rest_.empty() && any.find(rest_.front()) != any.npos;
    }
    char take()
    {
        if (rest_.empty()) {
            ok = false;
            return '\0';
        }
        const char c = rest_.front();
        rest_.remove_prefix(1);
        return c;
    }
    void expect(std::string_view any)
    {
        if (!next_is(any)) ok = false;
        take();
    }
    int number(int digits, int most)
    {
        int value = 0;
        for (int i = 0; i < digits; ++i) value = value * 10 + digit();
        if (value > most) ok = false;
        return value;
    }
    /// The digits after the point as nanoseconds; those beyond are dropped.
    Duration fraction()
    {
        if (!next_is("0123456789")) ok = false;
        Duration value{}, place = 100ms;
        for (; next_is("0123456789"); place /= 10) value += digit() * place;
        return value;
    }

private:
    int digit()
    {
        const char c = take();
        if (c < '0' || c > '9') ok = false;
        return c - '0';
    }

    std::string_view rest_;
};

Error bad_time(std::string_view text)
{
    return Error::usage(fmt::format("bad time {}: write e.g. 2026-01-31T12:00:00Z",
                                    shell_quote(fit(printable(text), 40))));
}

chrono::minutes read_zone(Reader& in)
{
    if (in.next_is("Zz")) {
        in.take();
        return 0min;
    }
    const bool west = in.next_is("-");
    in.expect("+-");
    chrono::minutes offset = chrono::hours(in.number(2, 23));
    in.expect(":");
    offset += chrono::minutes(in.number(2, 59));
    return west ? -offset : offset;
}

} // namespace

std::string format_rfc3339(WallTime t)
{
    const auto day = chrono::floor<chrono::days>(t);
    const chrono::year_month_day date(day);
    const chrono::hh_mm_ss time(chrono::floor<chrono::milliseconds>(t) - day);
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", int(date.year()),
                       unsigned(date.month()), unsigned(date.day()), time.hours().count(),
                       time.minutes().count(), time.seconds().count(), time.subseconds().count());
}

Result<WallTime> parse_rfc3339(std::string_view text)
{
    Reader in(text);
    const chrono::year year(in.number(4, 9999));
    in.expect("-");
    const chrono::month month(static_cast<unsigned>(in.number(2, 12)));
    in.expect("-");
    const chrono::day day(static_cast<unsigned>(in.number(2, 31)));
    in.expect("Tt ");
    chrono::seconds time = chrono::hours(in.number(2, 23));
    in.expect(":");
    time += chrono::minutes(in.number(2, 59));
    in.expect(":");
    time +=
        chrono::seconds(in.number(2, 60)); // 60: a leap second, here the first of the next minute
    Duration fraction{};
    if (in.next_is(".")) {
        in.take();
        fraction = in.fraction();
    }
    time -= read_zone(in);
    const chrono::year_month_day date(year, month, day);
    if (!in.ok || !in.at_end() || !date.ok()) return bad_time(text);
    const auto seconds = chrono::sys_days(date).time_since_epoch() + time;
    // A count of nanoseconds in 64 bits reaches from 1677 to 2262.
    constexpr auto most = chrono::duration_cast<chrono::seconds>(Duration::max()) - 1s;
    if (seconds > most || seconds < -most) return bad_time(text);
    return WallTime(seconds + fraction);
}

} // namespace bgt
