#include <bgt/core/policy.hpp>

#include <algorithm>
#include <array>

namespace bgt::core {

namespace {

/// The enumerator of this name, out of a list of all.
template <class Enum, std::size_t N>
std::optional<Enum> by_name(const std::array<Enum, N>& all, std::string_view name)
{
    const auto found =
        std::find_if(all.begin(), all.end(), [&](Enum e) { return to_string(e) == name; });
    if (found == all.end()) return std::nullopt;
    return *found;
}

} // namespace

std::string_view to_string(Activity value)
{
    switch (value) {
    case Activity::unknown: return "unknown";
    case Activity::busy: return "busy";
    case Activity::trickle: return "trickle";
    case Activity::blocked: return "blocked";
    case Activity::waiting_input: return "waiting-input";
    case Activity::stopped: return "stopped";
    case Activity::unkillable: return "unkillable";
    case Activity::zombie: return "zombie";
    }
    return "unknown"; // a number that a newer bgt wrote
}

std::string_view to_string(OnHang value)
{
    switch (value) {
    case OnHang::kill: return "kill";
    case OnHang::restart: return "restart";
    case OnHang::report: return "report";
    case OnHang::exec: return "exec";
    }
    return "unknown";
}

std::string_view to_string(Restart value)
{
    switch (value) {
    case Restart::no: return "no";
    case Restart::on_failure: return "on-failure";
    case Restart::on_hang: return "on-hang";
    case Restart::always: return "always";
    }
    return "unknown";
}

std::optional<Activity> parse_activity(std::string_view name)
{
    using enum Activity;
    return by_name(
        std::array{unknown, busy, trickle, blocked, waiting_input, stopped, unkillable, zombie},
        name);
}

std::optional<OnHang> parse_on_hang(std::string_view name)
{
    return by_name(std::array{OnHang::kill, OnHang::restart, OnHang::report, OnHang::exec}, name);
}

std::optional<Restart> parse_restart(std::string_view name)
{
    return by_name(std::array{Restart::no, Restart::on_failure, Restart::on_hang, Restart::always},
                   name);
}

} // namespace bgt::core
