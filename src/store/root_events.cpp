// Lines and cursors of the event stream. Who writes it: root_events_writer.cpp; who reads it:
// root_events_reader.cpp.
#include <bgt/store/root_events.hpp>

#include <bgt/base/text.hpp>

#include "crc32c.hpp"

#include <array>
#include <boost/json.hpp>
#include <charconv>
#include <cstdio>
#include <span>

namespace bgt::store {
namespace {

namespace json = boost::json;

constexpr std::size_t checksum_size = 8; ///< hexadecimal digits
constexpr std::size_t max_text = 4096;

std::uint32_t checksum(std::string_view text)
{
    return detail::crc32c(std::as_bytes(std::span(text.data(), text.size())));
}

std::string hexadecimal(std::uint32_t number)
{
    std::array<char, checksum_size + 1> text{};
    std::snprintf(text.data(), text.size(), "%08x", static_cast<unsigned>(number));
    return text.data();
}

template <class Number>
std::optional<Number> parse_hexadecimal(std::string_view text)
{
    Number number{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, 16);
    if (text.empty() || error != std::errc{} || end != text.data() + text.size())
        return std::nullopt;
    return number;
}

/// Cut between two characters.
std::string text_of(std::string_view text)
{
    if (text.size() > max_text) {
        std::size_t size = max_text;
        while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xC0u) == 0x80u) --size;
        text = text.substr(0, size);
    }
    return to_valid_utf8(text);
}

std::string text_of(const json::value& value)
{
    return std::string(value.get_string());
}

/// False: the value has a type that the field never has.
bool take_data(const json::value& value, RootEvent& event)
{
    if (!value.is_object()) return false;
    for (const auto& field : value.get_object()) {
        std::string key(field.key());
        if (field.value().is_int64())
            event.data.emplace_back(std::move(key), field.value().get_int64());
        else if (field.value().is_string())
            event.data.emplace_back(std::move(key), text_of(field.value()));
        else // what a newer bgt may write, as its JSON text
            event.data.emplace_back(std::move(key), json::serialize(field.value()));
    }
    return true;
}

std::optional<RootEvent> event_of(const json::object& from)
{
    RootEvent event;
    bool has_time = false;
    for (const auto& field : from) {
        const std::string_view key = field.key();
        const json::value& value = field.value();
        if (key == "at" && value.is_string()) {
            const auto at = parse_rfc3339(text_of(value));
            if (!at) return std::nullopt;
            event.at = *at;
            has_time = true;
        } else if (key == "type" && value.is_string()) {
            event.type = text_of(value);
        } else if (key == "level" && value.is_string()) {
            // A level that only a newer bgt knows is one for people, and not for debugging.
            event.level = core::parse_event_level(text_of(value)).value_or(core::EventLevel::info);
        } else if (key == "task" && value.is_int64() && value.get_int64() > 0) {
            event.task.value = value.get_int64();
        } else if (key == "name" && value.is_string()) {
            event.name = text_of(value);
        } else if (key == "data" && !take_data(value, event)) {
            return std::nullopt;
        }
    }
    if (!has_time || event.type.empty()) return std::nullopt;
    return event;
}

} // namespace

RootEvent queued_event(TaskId first, std::uint32_t count, std::string name,
                       const std::string& queue, WallTime now)
{
    RootEvent event;
    event.at = now;
    event.type = "queued";
    event.task = first;
    event.name = std::move(name);
    event.data.emplace_back("queue", queue);
    if (count > 1) event.data.emplace_back("count", std::int64_t{count});
    return event;
}

std::string encode_root_event(const RootEvent& event)
{
    json::object line;
    line["at"] = format_rfc3339(event.at);
    line["type"] = text_of(event.type);
    line["level"] = core::to_string(event.level);
    if (event.task.value > 0) line["task"] = event.task.value;
    if (!event.name.empty()) line["name"] = text_of(event.name);
    json::object data;
    for (const auto& [key, value] : event.data) {
        if (const auto* number = std::get_if<std::int64_t>(&value)) data[text_of(key)] = *number;
        else data[text_of(key)] = text_of(std::get<std::string>(value));
    }
    if (!data.empty()) line["data"] = std::move(data);
    const std::string text = json::serialize(line);
    return hexadecimal(checksum(text)) + " " + text + "\n";
}

std::optional<RootEvent> decode_root_event(std::string_view line)
{
    if (line.size() < checksum_size + 2 || line[checksum_size] != ' ' ||
        line.size() > max_event_line)
        return std::nullopt;
    const std::string_view text = line.substr(checksum_size + 1);
    if (parse_hexadecimal<std::uint32_t>(line.substr(0, checksum_size)) != checksum(text))
        return std::nullopt;
    try {
        boost::system::error_code ec;
        const json::value whole = json::parse(json::string_view(text.data(), text.size()), ec);
        if (ec || !whole.is_object()) return std::nullopt;
        return event_of(whole.get_object());
    } catch (const std::exception&) { // a line that is hostile to the parser is a damaged line
        return std::nullopt;
    }
}

std::string to_string(const EventCursor& cursor)
{
    std::array<char, 64> text{};
    std::snprintf(
        text.data(), text.size(), "e%llx-%llx-%x", static_cast<unsigned long long>(cursor.segment),
        static_cast<unsigned long long>(cursor.offset), static_cast<unsigned>(cursor.identity));
    return text.data();
}

std::optional<EventCursor> parse_event_cursor(std::string_view text)
{
    if (!text.starts_with('e')) return std::nullopt;
    const std::vector<std::string> parts = split(text.substr(1), '-');
    if (parts.size() != 3) return std::nullopt;
    const auto segment = parse_hexadecimal<std::uint64_t>(parts[0]);
    const auto offset = parse_hexadecimal<std::uint64_t>(parts[1]);
    const auto identity = parse_hexadecimal<std::uint32_t>(parts[2]);
    if (!segment || !offset || !identity) return std::nullopt;
    constexpr std::uint64_t most = std::uint64_t{1} << 62;
    if (*segment > most || *offset > most || (*segment == 0 && *offset != 0)) return std::nullopt;
    return EventCursor{*segment, *offset, *identity};
}

} // namespace bgt::store
