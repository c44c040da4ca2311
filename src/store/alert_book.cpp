#include <bgt/store/alert_book.hpp>

#include "crc32c.hpp"
#include "files.hpp"
#include "json_fields.hpp"

#include <bgt/base/descriptor.hpp>
#include <bgt/base/text.hpp>
#include <bgt/store/queue_file.hpp>

#include <algorithm>
#include <boost/json.hpp>
#include <fcntl.h>
#include <fmt/format.h>
#include <span>
#include <unistd.h>

namespace bgt::store {
namespace {

namespace json = boost::json;
using namespace fields;

constexpr const char* lock_file = "alerts.lock";
constexpr const char* room_file = "alerts.next"; ///< held by the one who waits to look
constexpr const char* new_file = "alerts.new";
constexpr std::size_t largest = 16u << 20;
constexpr std::size_t checksum_size = 8; ///< hexadecimal digits
constexpr int schema = 1;

std::string checksum(std::string_view text)
{
    return fmt::format("{:08x}",
                       detail::crc32c(std::as_bytes(std::span(text.data(), text.size()))));
}

std::int64_t count_of(WallTime time)
{
    return time.time_since_epoch().count();
}

json::object encode(const AlertTold& told)
{
    json::object out{{"what", core::to_string(told.what)},     {"at_ns", count_of(told.at)},
                     {"value", to_valid_utf8(told.value)},     {"pid", told.teller.pid},
                     {"start_ticks", told.teller.start_ticks}, {"done", told.is_done}};
    if (told.code) out["code"] = *told.code;
    if (!told.error.empty()) out["error"] = to_valid_utf8(told.error);
    if (!told.output.empty()) out["output"] = to_valid_utf8(told.output);
    return out;
}

json::object encode(const KnownAlert& alert)
{
    const AlertDefinition& is = alert.is;
    json::object out{{"number", alert.number},
                     {"when", core::to_string(is.rule.when)},
                     {"min_runs", is.rule.min_runs},
                     {"match", to_valid_utf8(is.rule.match)},
                     {"run", to_valid_utf8(is.run)},
                     {"webhook", to_valid_utf8(is.webhook)},
                     {"file", to_valid_utf8(is.file)},
                     {"folder", to_valid_utf8(is.folder)},
                     {"known_since_ns", count_of(alert.known_since)},
                     {"state", core::to_string(alert.state.is)},
                     {"since_ns", count_of(alert.state.since)}};
    if (is.rule.over) out["over_ns"] = is.rule.over->count();
    if (alert.told) out["told"] = encode(*alert.told);
    return out;
}

WallTime time_of(const json::object& from, std::string_view key)
{
    std::int64_t count = 0;
    take(from, key, count);
    return WallTime(Duration(count));
}

std::optional<core::AlertChange> parse_change(std::string_view text)
{
    for (const auto change : {core::AlertChange::begins, core::AlertChange::over})
        if (core::to_string(change) == text) return change;
    return std::nullopt;
}

AlertTold decode_told(const json::object& from)
{
    AlertTold told;
    take_word(from, "what", parse_change, told.what);
    told.at = time_of(from, "at_ns");
    take(from, "value", told.value);
    take(from, "pid", told.teller.pid);
    take(from, "start_ticks", told.teller.start_ticks);
    take(from, "done", told.is_done);
    if (find(from, "code")) take(from, "code", told.code.emplace());
    take(from, "error", told.error);
    take(from, "output", told.output);
    return told;
}

KnownAlert decode_alert(const json::object& from)
{
    KnownAlert alert;
    take(from, "number", alert.number);
    std::string when;
    take(from, "when", when);
    const auto condition = core::parse_alert_condition(when);
    if (!condition || alert.number <= 0) bad("when", "a condition");
    AlertDefinition& is = alert.is;
    is.rule.when = *condition;
    take(from, "min_runs", is.rule.min_runs);
    take(from, "match", is.rule.match);
    if (find(from, "over_ns")) take(from, "over_ns", is.rule.over.emplace());
    if (!core::check(is.rule)) bad("when", "an alert");
    take(from, "run", is.run);
    take(from, "webhook", is.webhook);
    take(from, "file", is.file);
    take(from, "folder", is.folder);
    alert.known_since = time_of(from, "known_since_ns");
    take_word(from, "state", core::parse_alert_is, alert.state.is);
    alert.state.since = time_of(from, "since_ns");
    if (const auto* told = find(from, "told")) alert.told = decode_told(as_object(*told, "told"));
    return alert;
}

AlertBook decode_book(const json::object& from)
{
    AlertBook book;
    take(from, "last_number", book.last_number);
    if (const auto* all = find(from, "alerts"))
        for (const json::value& one : as_array(*all, "alerts"))
            book.alerts.push_back(decode_alert(as_object(one, "alerts")));
    std::ranges::sort(book.alerts, {}, &KnownAlert::number);
    for (const KnownAlert& alert : book.alerts)
        book.last_number = std::max(book.last_number, alert.number);
    return book;
}

Error cannot_lock(const Root& root, int err)
{
    return detail::explain("can't lock " + root.path() + "/" + alerts_file, err);
}

} // namespace

KnownAlert* AlertBook::find(std::int64_t number)
{
    const auto found = std::ranges::find(alerts, number, &KnownAlert::number);
    return found == alerts.end() ? nullptr : &*found;
}

bool update_definitions(AlertBook& book, const std::vector<AlertDefinition>& now,
                        const std::vector<std::string>& files, WallTime at)
{
    const auto is_of_files = [&](const KnownAlert& alert) {
        return std::ranges::find(files, alert.is.file) != files.end();
    };
    std::vector<KnownAlert> before;
    std::ranges::copy_if(book.alerts, std::back_inserter(before), is_of_files);
    bool has_changed = false;
    std::vector<KnownAlert> after;
    for (const AlertDefinition& definition : now) {
        const auto known = std::ranges::find_if(before, [&](const KnownAlert& alert) {
            return alert.is.rule == definition.rule && alert.is.file == definition.file;
        });
        KnownAlert alert;
        if (known != before.end()) {
            alert = *known;
            before.erase(known);
        } else {
            alert.number = ++book.last_number;
            alert.known_since = at;
        }
        has_changed = has_changed || alert.is != definition;
        alert.is = definition;
        after.push_back(std::move(alert));
    }
    if (!has_changed && before.empty()) return false;
    std::erase_if(book.alerts, is_of_files);
    std::ranges::move(after, std::back_inserter(book.alerts));
    std::ranges::sort(book.alerts, {}, &KnownAlert::number);
    return true;
}

std::string encode_alerts(const AlertBook& book)
{
    json::array alerts;
    for (const KnownAlert& alert : book.alerts) alerts.push_back(encode(alert));
    const std::string text = json::serialize(json::object{
        {"schema", schema}, {"last_number", book.last_number}, {"alerts", std::move(alerts)}});
    return checksum(text) + " " + text + "\n";
}

std::optional<AlertBook> decode_alerts(std::string_view line)
{
    if (line.size() < checksum_size + 2 || !line.ends_with('\n') || line[checksum_size] != ' ')
        return std::nullopt;
    const std::string_view text = line.substr(checksum_size + 1, line.size() - checksum_size - 2);
    if (line.substr(0, checksum_size) != checksum(text)) return std::nullopt;
    try {
        boost::system::error_code ec;
        const json::value whole = json::parse(json::string_view(text.data(), text.size()), ec);
        if (ec) return std::nullopt;
        return decode_book(as_object(whole, "alerts"));
    } catch (const std::exception&) { // BadField, and those of Boost.JSON
        return std::nullopt;
    }
}

Result<AlertBook> read_alerts(const Root& root)
{
    if (!root.exists()) return AlertBook{};
    const std::string path = root.path() + "/" + alerts_file;
    const auto text = detail::read_file(root.fd(), alerts_file, largest, "can't read " + path);
    if (!text && text.error().sys_errno == ENOENT) return AlertBook{};
    if (!text) return text.error();
    auto book = decode_alerts(*text);
    if (!book)
        return Error{ErrorKind::failed,
                     path + " is damaged: whether an alert has been told already is not known any "
                            "more (bgt alerts begins anew)",
                     damaged_file};
    return *std::move(book);
}

Result<AlertLock> AlertLock::take(const Root& root)
{
    Fd fd = open_lock_file(root.fd(), lock_file, O_RDWR | O_CREAT);
    if (!fd) return cannot_lock(root, errno);
    if (const int err = detail::lock_waiting(fd.get())) return cannot_lock(root, err);
    return AlertLock(std::move(fd));
}

Result<std::optional<AlertLock>> AlertLock::take_to_look(const Root& root)
{
    const Fd room = open_lock_file(root.fd(), room_file, O_RDWR | O_CREAT);
    if (!room) return cannot_lock(root, errno);
    const int err = detail::lock_waiting(room.get(), Duration::zero());
    if (err == detail::lock_timed_out) return std::optional<AlertLock>();
    if (err != 0) return cannot_lock(root, err);
    BGT_TRY_ASSIGN(AlertLock lock, take(root));
    return std::optional<AlertLock>(std::move(lock)); // the room is free before anything is read
}

Result<void> AlertLock::write(const Root& root, const AlertBook& book) const
{
    const PrivateUmask umask;
    if (const int err = detail::replace_file(root.fd(), new_file, alerts_file, encode_alerts(book)))
        return detail::explain("can't write " + root.path() + "/" + alerts_file, err);
    return {};
}

} // namespace bgt::store
