#include <bgt/store/events.hpp>

#include "event_file.hpp"
#include "files.hpp"

#include <algorithm>
#include <bgt/base/descriptor.hpp>
#include <bgt/base/text.hpp>
#include <bgt/store/task_dir.hpp>
#include <boost/json.hpp>
#include <cerrno>
#include <fcntl.h>
#include <optional>
#include <sys/stat.h>
#include <unistd.h>

namespace bgt::store {
namespace {

namespace json = boost::json;

constexpr std::size_t max_read = 1u << 20;

/// Whether the file's last line was cut, or can't be told: then a newline must come first.
bool needs_newline(int fd)
{
    struct stat st {};
    if (::fstat(fd, &st) != 0) return true;
    if (st.st_size == 0) return false;
    std::byte last{};
    return detail::read_at(fd, {&last, 1}, static_cast<std::uint64_t>(st.st_size) - 1) != 1 ||
           last != std::byte{'\n'};
}

std::optional<TaskEvent> decode_event(std::string_view line)
{
    try {
        boost::system::error_code ec;
        const json::value whole = json::parse(json::string_view(line.data(), line.size()), ec);
        if (ec || !whole.is_object()) return std::nullopt;
        TaskEvent event;
        bool has_time = false;
        for (const auto& field : whole.get_object()) {
            const json::value& value = field.value();
            const std::string_view key(field.key().data(), field.key().size());
            if (key == "at" && value.is_string()) {
                const auto at =
                    parse_rfc3339({value.get_string().data(), value.get_string().size()});
                if (!at) return std::nullopt;
                event.at = *at;
                has_time = true;
            } else if (key == "event" && value.is_string()) {
                event.event = value.get_string();
            } else if (value.is_int64()) {
                event.fields.emplace_back(key, value.get_int64());
            } else if (value.is_string()) {
                event.fields.emplace_back(key, std::string(value.get_string()));
            } else {
                event.fields.emplace_back(
                    key, json::serialize(value)); // what a newer bgt may write, as its JSON text
            }
        }
        if (!has_time || event.event.empty()) return std::nullopt;
        return event;
    } catch (const std::exception&) { // a line that is hostile to the parser is a damaged line
        return std::nullopt;
    }
}

/// The end of the file, from the start of a line. `before`: bytes in front of it.
Result<std::string> read_tail(int fd, const char* name, std::uint64_t max_bytes,
                              std::uint64_t& before)
{
    struct stat st {};
    if (::fstat(fd, &st) != 0) return detail::explain(std::string("can't read ") + name, errno);
    const auto size = static_cast<std::uint64_t>(st.st_size);
    const std::uint64_t from = size > max_bytes ? size - max_bytes : 0;
    std::string text(static_cast<std::size_t>(size - from), '\0');
    const auto n = detail::read_at(fd, std::as_writable_bytes(std::span(text)), from);
    if (n < 0) return detail::explain(std::string("can't read ") + name, errno);
    text.resize(static_cast<std::size_t>(n));
    const std::size_t cut = from > 0 ? std::min(text.find('\n'), text.size()) : 0;
    text.erase(0, cut);
    before = from + cut;
    return text;
}

} // namespace

const std::string* text_in(const EventValues& values, std::string_view key)
{
    for (const auto& [field, value] : values)
        if (field == key) return std::get_if<std::string>(&value);
    return nullptr;
}

std::optional<std::int64_t> number_in(const EventValues& values, std::string_view key)
{
    for (const auto& [field, value] : values)
        if (const auto* number = std::get_if<std::int64_t>(&value); number && field == key)
            return *number;
    return std::nullopt;
}

std::string encode_event(WallTime at, std::string_view event, const std::vector<EventField>& fields)
{
    json::object line;
    line["at"] = format_rfc3339(at);
    line["event"] = to_valid_utf8(event);
    for (const EventField& field : fields) {
        const std::string key = to_valid_utf8(field.key);
        if (const auto* number = std::get_if<std::int64_t>(&field.value)) line[key] = *number;
        else line[key] = to_valid_utf8(std::get<std::string>(field.value));
    }
    return json::serialize(line);
}

Result<void> append_event(int events_fd, WallTime at, std::string_view event,
                          const std::vector<EventField>& fields)
{
    return detail::append_line(events_fd, file::events, encode_event(at, event, fields) + "\n");
}

Result<void> detail::append_line(int fd, const char* name, std::string line)
{
    if (needs_newline(fd)) line.insert(line.begin(), '\n');
    const ssize_t n = retry_on_eintr([&] { return ::write(fd, line.data(), line.size()); });
    if (n < 0) return explain(std::string("can't append to ") + name, errno);
    // Not gone on with: another process's line may have come behind the part. The next line mends
    // it.
    if (static_cast<std::size_t>(n) < line.size())
        return explain(std::string("can't append to ") + name, ENOSPC);
    return {};
}

Result<EventsRead> read_events(int task_dir_fd, std::size_t most)
{
    return detail::read_event_file(task_dir_fd, file::events, most, max_read);
}

Result<EventsRead> detail::read_event_file(int task_dir_fd, const char* name, std::size_t most,
                                           std::uint64_t max_bytes)
{
    EventsRead read;
    const Fd fd = open_file(task_dir_fd, name, O_RDONLY);
    if (!fd && errno == ENOENT) return read;
    if (!fd) return detail::explain(std::string("can't open ") + name, errno);
    const auto text = read_tail(fd.get(), name, max_bytes, read.unread_bytes);
    if (!text) return text.error();
    std::string_view rest = *text;
    while (!rest.empty() && read.events.size() < most) {
        const std::size_t newline = rest.rfind('\n');
        const std::string_view line =
            rest.substr(newline == std::string_view::npos ? 0 : newline + 1);
        rest = rest.substr(0, newline == std::string_view::npos ? 0 : newline);
        if (line.empty()) continue;
        if (auto event = decode_event(line)) read.events.push_back(std::move(*event));
        else ++read.damaged_lines;
    }
    std::reverse(read.events.begin(), read.events.end());
    return read;
}

} // namespace bgt::store
