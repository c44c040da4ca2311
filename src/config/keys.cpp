#include "keys.hpp"

#include <bgt/base/size.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace bgt::config {

namespace {

template <class T, class Target>
Result<void> store(Result<T> value, Target& target)
{
    if (!value) return value.error();
    target = std::move(*value);
    return {};
}

std::string print_limit(const std::optional<Duration>& limit)
{
    return limit ? format_duration(*limit) : "off";
}

Result<void> set_root(Settings& s, std::string_view text)
{
    if (text.starts_with('~'))
        return Error::usage("`~` is not expanded here: write the whole path");
    if (text.find('\0') != text.npos) return Error::usage("a path has no NUL");
    s.root = text;
    return {};
}

Result<void> set_stop_signals(Settings& s, std::string_view text)
{
    auto ladder = core::parse_stop_signals(
        text, s.grace); // only to refuse a bad one here, where its place is known
    if (!ladder) return ladder.error();
    s.stop_signals = text;
    return {};
}

Result<void> set_leftover(Settings& s, std::string_view text)
{
    const auto leftover = core::parse_leftover(text);
    if (!leftover) return Error::usage("it is one of kill, wait, keep");
    s.leftover = *leftover;
    return {};
}

Result<void> set_log_max(Settings& s, std::string_view text)
{
    if (text != "off") return store(parse_size(text), s.log_max);
    s.log_max = 0;
    return {};
}

Result<void> set_log_level(Settings& s, std::string_view text)
{
    const auto level = core::parse_event_level(text);
    if (!level) return Error::usage("it is one of error, warning, info, debug");
    s.log_level = *level;
    return {};
}

Result<void> set_count(std::size_t& target, std::string_view text, const char* of_what)
{
    std::uint32_t count = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
    if (text.empty() || error != std::errc{} || end != text.data() + text.size())
        return Error::usage(std::string("it is a whole number of ") + of_what);
    target = count;
    return {};
}

template <std::string Settings::*Member>
Result<void> set_text(Settings& s, std::string_view text)
{
    if (text.find('\0') != text.npos) return Error::usage("a command has no NUL");
    s.*Member = text;
    return {};
}

Result<void> set_notify(Settings& s, std::string_view text)
{
    if (text != "off" && text != "desktop" && text != "bell")
        return Error::usage("it is one of off, desktop, bell");
    s.notify = text;
    return {};
}

// What each needs in a bgt.toml:
// - `root` decides which records are believed, so which processes are signalled and which commands
// of them are run.
// - `keep_*` removes tasks of every folder, `history_max` what is known of them: a folder has no
// say in that.
// - `shutdown_timeout` is about tasks of every folder, too.
// - `on_end`, `on_fail` and `notify` run commands.
// - The rest is about tasks that are started in the folder, and only says how they end and how much
// of their output and of their events is kept. `leftover` lets live only what the task itself has
// started.
constexpr std::array keys{
    Key{"root", false, Needs::trust, set_root, [](const Settings& s) { return s.root; }},
    Key{"grace", true, Needs::nothing,
        [](Settings& s, std::string_view text) { return store(parse_duration(text), s.grace); },
        [](const Settings& s) { return format_duration(s.grace); }},
    Key{"stop_signals", false, Needs::nothing, set_stop_signals,
        [](const Settings& s) { return s.stop_signals; }},
    Key{"leftover", false, Needs::nothing, set_leftover,
        [](const Settings& s) { return std::string(to_string(s.leftover)); }},
    Key{"timeout", true, Needs::nothing,
        [](Settings& s, std::string_view text) { return store(parse_limit(text), s.timeout); },
        [](const Settings& s) { return print_limit(s.timeout); }},
    Key{"cpu_limit", true, Needs::nothing,
        [](Settings& s, std::string_view text) { return store(parse_limit(text), s.cpu_limit); },
        [](const Settings& s) { return print_limit(s.cpu_limit); }},
    Key{"log_max", true, Needs::nothing, set_log_max,
        [](const Settings& s) {
            return s.log_max == 0 ? std::string("off") : format_size_exact(s.log_max);
        }},
    Key{"log_level", false, Needs::nothing, set_log_level,
        [](const Settings& s) { return std::string(core::to_string(s.log_level)); }},
    Key{"shutdown_timeout", true, Needs::own_settings,
        [](Settings& s, std::string_view text) {
            return store(parse_limit(text), s.shutdown_timeout);
        },
        [](const Settings& s) { return print_limit(s.shutdown_timeout); }},
    Key{"on_end", false, Needs::trust, set_text<&Settings::on_end>,
        [](const Settings& s) { return s.on_end; }},
    Key{"on_fail", false, Needs::trust, set_text<&Settings::on_fail>,
        [](const Settings& s) { return s.on_fail; }},
    Key{"notify", false, Needs::trust, set_notify, [](const Settings& s) { return s.notify; }},
    Key{"notify_after", true, Needs::nothing,
        [](Settings& s, std::string_view text) {
            return store(parse_duration(text), s.notify_after);
        },
        [](const Settings& s) {
            return format_duration(s.notify_after.value_or(default_notify_after));
        }},
    Key{"keep_ended", true, Needs::own_settings,
        [](Settings& s, std::string_view text) { return set_count(s.keep_ended, text, "tasks"); },
        [](const Settings& s) { return std::to_string(s.keep_ended); }},
    Key{"keep_age", true, Needs::own_settings,
        [](Settings& s, std::string_view text) { return store(parse_limit(text), s.keep_age); },
        [](const Settings& s) { return print_limit(s.keep_age); }},
    Key{"history_max", true, Needs::own_settings,
        [](Settings& s, std::string_view text) {
            return set_count(s.history_max, text, "records; 0 turns the history off");
        },
        [](const Settings& s) { return std::to_string(s.history_max); }},
};

} // namespace

std::span<const Key> all_keys()
{
    return keys;
}

const Key* find_key(std::string_view name)
{
    const auto* found =
        std::find_if(keys.begin(), keys.end(), [=](const Key& key) { return key.name == name; });
    return found == keys.end() ? nullptr : found;
}

std::string variable_of(const Key& key)
{
    std::string name = "BGT_";
    for (const char c : key.name)
        name += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    return name;
}

} // namespace bgt::config
