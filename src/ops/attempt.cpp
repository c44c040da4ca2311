#include <bgt/ops/attempt.hpp>

#include <bgt/base/text.hpp>
#include <bgt/store/events.hpp>

#include <algorithm>
#include <charconv>

namespace bgt::ops {
namespace {

constexpr std::size_t max_events = 100'000; ///< all that the end of the file holds which is read

/// -1: it has no such number. (An optional of it is more than g++ 12 and 14 can follow.)
std::int64_t number_in(const store::TaskEvent& event, std::string_view key)
{
    const auto field =
        std::ranges::find(event.fields, key, [](const auto& pair) { return pair.first; });
    const auto* value =
        field == event.fields.end() ? nullptr : std::get_if<std::int64_t>(&field->second);
    return value != nullptr && *value >= 0 ? *value : -1;
}

/// How the attempt with that number ended; for nullopt the last one that ended.
const store::TaskEvent* find_end(const std::vector<store::TaskEvent>& events,
                                 std::optional<std::uint32_t> number)
{
    const auto found =
        std::find_if(events.rbegin(), events.rend(), [&](const store::TaskEvent& event) {
            return event.event == "attempt-ended" &&
                   (!number || number_in(event, "attempt") == std::int64_t{*number});
        });
    return found == events.rend() ? nullptr : &*found;
}

} // namespace

Result<Attempt> parse_attempt(const std::string& text)
{
    if (text == "all") return Attempt{Attempt::Which::all};
    if (text == "last") return Attempt{Attempt::Which::last};
    Attempt attempt{Attempt::Which::numbered};
    const auto [end, error] =
        std::from_chars(text.data(), text.data() + text.size(), attempt.number);
    if (error != std::errc() || end != text.data() + text.size() || attempt.number == 0)
        return Error::usage("--attempt needs the number of an attempt, last or all, not " +
                            shell_quote(fit(printable(text), 40)));
    return attempt;
}

Result<AttemptBytes> find_attempt(const store::TaskDir& dir, const store::Status& status,
                                  store::WhichLog stream, const Attempt& wanted,
                                  const std::string& label)
{
    // While it waits for a change of its files its last run is what there is.
    const bool watches = status.lifecycle == core::Lifecycle::backing_off && !status.next_attempt;
    const std::uint32_t newest = std::max(status.attempt - (watches ? 1u : 0u), 1u);
    if (wanted.which == Attempt::Which::all || (newest == 1 && wanted.number <= 1))
        return AttemptBytes{};
    if (wanted.number > newest)
        return Error::usage("there was no attempt " + std::to_string(wanted.number) + " of task " +
                            label + ": the last was " + std::to_string(newest));
    const bool is_newest = wanted.which == Attempt::Which::last || wanted.number == newest;
    const Result<store::EventsRead> read = store::read_events(dir.fd(), max_events);
    if (!read) return read.error();
    const store::TaskEvent* const end =
        find_end(read->events, is_newest ? std::nullopt : std::optional(wanted.number));
    if (end == nullptr && is_newest) return AttemptBytes{}; // nothing says that there was another
    const bool out = stream == store::WhichLog::out;
    const std::int64_t from = end != nullptr ? number_in(*end, out ? "log_from" : "err_from") : -1;
    const std::int64_t to = end != nullptr ? number_in(*end, out ? "log_to" : "err_to") : -1;
    if (is_newest && to >= 0 && number_in(*end, "attempt") != std::int64_t{newest})
        return AttemptBytes{static_cast<std::uint64_t>(to)};
    if (is_newest && watches && from >= 0) return AttemptBytes{static_cast<std::uint64_t>(from)};
    if (from >= 0 && to >= 0)
        return AttemptBytes{static_cast<std::uint64_t>(from), static_cast<std::uint64_t>(to)};
    if (is_newest) return AttemptBytes{}; // of an older bgt, which did not note it of stderr
    return Error::failed("where the output of attempt " + std::to_string(wanted.number) +
                         " of task " + label + " is in its log is not on record: --attempt all");
}

} // namespace bgt::ops
