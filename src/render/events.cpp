#include <bgt/render/events.hpp>

#include <bgt/base/text.hpp>
#include <bgt/render/json.hpp>

#include <boost/json.hpp>
#include <fmt/format.h>

namespace bgt::render {
namespace {

namespace json = boost::json;

constexpr std::size_t max_value = 200; ///< columns
constexpr std::size_t max_name = 64, max_type = 32;
constexpr std::string_view no_time = "-";

json::object object_of(const ops::EventRecord& record)
{
    const store::RootEvent& event = record.event;
    const auto text_or_null = [](const std::string& text) {
        return text.empty() ? json::value(nullptr) : json::value(to_valid_utf8(text));
    };
    json::object data;
    for (const auto& [key, value] : event.data) {
        if (const auto* number = std::get_if<std::int64_t>(&value))
            data[to_valid_utf8(key)] = *number;
        else data[to_valid_utf8(key)] = to_valid_utf8(std::get<std::string>(value));
    }
    const bool has_time = event.at != WallTime{};
    return {{"at", has_time ? json::value(format_rfc3339(event.at)) : json::value(nullptr)},
            {"type", to_valid_utf8(event.type)},
            {"level", core::to_string(event.level)},
            {"task", event.task.value > 0 ? json::value(event.task.value) : json::value(nullptr)},
            {"name", text_or_null(event.name)},
            {"data", std::move(data)},
            {"cursor", record.cursor}};
}

/// What says nothing: no signal, nobody else who ended it, or what the exit code says, too.
bool is_default(const store::RootEvent& event, std::string_view key,
                const std::variant<std::int64_t, std::string>& value)
{
    const auto* number = std::get_if<std::int64_t>(&value);
    if (key == "code" && number && event.number("exit_code") == *number) return true;
    if (const auto* text = std::get_if<std::string>(&value))
        return key == "reason" && *text == core::to_string(core::Reason::self);
    return (key == "code" || key == "signal") && *number == 0;
}

std::string details(const store::RootEvent& event)
{
    std::string out;
    for (const auto& [key, value] : event.data) {
        if (key == "tail" || is_default(event, key, value)) continue;
        const auto* number = std::get_if<std::int64_t>(&value);
        const std::string text =
            number ? std::to_string(*number)
                   : fit(printable(shell_quote(std::get<std::string>(value))), max_value);
        out += fmt::format("{}{}={}", out.empty() ? ": " : " ", printable(key), text);
    }
    return out;
}

std::string_view color_of(core::EventLevel level)
{
    switch (level) {
    case core::EventLevel::error: return "\x1b[31m";
    case core::EventLevel::warning: return "\x1b[33m";
    case core::EventLevel::info: return "";
    case core::EventLevel::debug: return "\x1b[2m";
    }
    return "";
}

} // namespace

std::string events_json(const std::vector<ops::EventRecord>& records, const std::string& cursor)
{
    json::array events;
    for (const ops::EventRecord& record : records) events.push_back(object_of(record));
    return answer_json({{"events", std::move(events)}, {"cursor", cursor}});
}

std::string event_line_json(const ops::EventRecord& record)
{
    return answer_json(object_of(record));
}

std::string event_sentence(const store::RootEvent& event)
{
    std::string line;
    if (event.task.value > 0) {
        line += std::to_string(event.task.value);
        if (!event.name.empty()) line += " (" + fit(printable(event.name), max_name) + ")";
        line += ' ';
    }
    const core::EventType* type = core::find_event_type(event.type);
    line += type != nullptr ? std::string(type->text) : fit(printable(event.type), max_type);
    return line + details(event);
}

std::string event_text(const store::RootEvent& event,
                       const std::function<std::string(WallTime)>& clock, bool color,
                       std::optional<std::size_t> width)
{
    const auto cut = [&](std::string text) { return width ? fit(text, *width) : text; };
    std::string line = fmt::format(
        "{}  {:7}  {:12}  ", event.at == WallTime{} ? std::string(no_time) : clock(event.at),
        core::to_string(event.level), fit(printable(event.type), max_type));
    line = cut(line + event_sentence(event));
    const std::string_view begin = color ? color_of(event.level) : "";
    if (!begin.empty()) line = std::string(begin) + line + "\x1b[0m";
    line += '\n';
    if (const std::string* tail = event.text("tail"))
        for (const std::string& one : split(*tail, '\n'))
            line += cut("    | " + printable(one)) + "\n";
    return line;
}

} // namespace bgt::render
