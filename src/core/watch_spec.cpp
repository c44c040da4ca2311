#include <bgt/core/watch_spec.hpp>

#include <bgt/base/signal_name.hpp>
#include <bgt/base/text.hpp>

namespace bgt::core {

std::string format_on_change(const WatchSpec& watch)
{
    switch (watch.on_change) {
    case OnChange::restart: return "restart";
    case OnChange::queue: return "queue";
    case OnChange::signal: return "signal:" + signal_name(watch.signal).substr(3); // without "SIG"
    case OnChange::ignore: return "ignore-while-busy";
    }
    return "restart";
}

Result<void> parse_on_change(std::string_view text, WatchSpec& watch)
{
    constexpr std::string_view signal = "signal:";
    if (text.starts_with(signal)) {
        auto number = parse_signal(text.substr(signal.size()));
        if (!number) return number.error();
        watch.on_change = OnChange::signal;
        watch.signal = *number;
        return {};
    }
    for (const OnChange what : {OnChange::restart, OnChange::queue, OnChange::ignore}) {
        WatchSpec wanted;
        wanted.on_change = what;
        if (format_on_change(wanted) != text) continue;
        watch.on_change = what;
        return {};
    }
    return Error::usage("'" + fit(printable(text), 40) +
                        "': expected restart, queue, signal:NAME or ignore-while-busy");
}

} // namespace bgt::core
