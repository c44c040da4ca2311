#include <bgt/store/queue_settings.hpp>

#include "files.hpp"
#include "json_fields.hpp"

#include <bgt/base/text.hpp>

#include <algorithm>
#include <boost/json.hpp>
#include <fcntl.h>
#include <unistd.h>

namespace bgt::store {
namespace {

namespace json = boost::json;
using namespace fields;

constexpr const char* file_name = "settings";
constexpr const char* next_name = ".new-settings";
constexpr std::size_t largest = 4u << 20;

json::object encode(const OneQueue& queue)
{
    json::object out;
    if (queue.slots) out["slots"] = *queue.slots;
    if (queue.auto_slots) out["auto_slots"] = true;
    if (queue.limit) out["limit"] = *queue.limit;
    if (queue.priority != 0) out["priority"] = queue.priority;
    if (queue.paused) out["paused"] = true;
    if (queue.draining) out["draining"] = true;
    return out;
}

OneQueue decode_queue(const json::object& from)
{
    OneQueue queue;
    if (find(from, "slots")) take(from, "slots", queue.slots.emplace());
    take(from, "auto_slots", queue.auto_slots);
    if (find(from, "limit")) take(from, "limit", queue.limit.emplace());
    take(from, "priority", queue.priority);
    take(from, "paused", queue.paused);
    take(from, "draining", queue.draining);
    return queue;
}

std::string name_of(std::string_view name, std::string_view key)
{
    if (!check_queue_name(name)) bad(key, "named as queues are");
    return std::string(name);
}

QueueSettings decode(const json::object& from)
{
    QueueSettings settings;
    if (const auto* queues = find(from, "queues"))
        for (const auto& queue : as_object(*queues, "queues"))
            settings.queues[name_of(queue.key(), "queues")] =
                decode_queue(as_object(queue.value(), "queues"));
    if (find(from, "total_slots")) take(from, "total_slots", settings.total_slots.emplace());
    if (const auto* resources = find(from, "resources")) {
        const json::object& all = as_object(*resources, "resources");
        for (const auto& resource : all)
            take(all, resource.key(), settings.resources[name_of(resource.key(), "resources")]);
    }
    return settings;
}

} // namespace

Result<QueueSettings> read_settings(const QueueFile& queue)
{
    if (queue.folder() < 0) return QueueSettings{};
    const std::string path = queue.folder_path() + "/" + file_name;
    const auto damaged = [&](const std::string& why) {
        return Error{ErrorKind::failed,
                     path + " is damaged (" + why +
                         "): no queue goes on until bgt queue repair has moved it away, and slots, "
                         "limits and resources are set again (bgt queue set)",
                     damaged_file};
    };
    const auto text = detail::read_file(queue.folder(), file_name, largest, "can't read " + path);
    if (!text && text.error().sys_errno == ENOENT) return QueueSettings{};
    if (!text && text.error().sys_errno == EFBIG) return damaged("it is too large");
    if (!text) return text.error();
    try {
        boost::system::error_code ec;
        const json::value whole = json::parse(*text, ec);
        if (ec) return damaged(ec.message());
        return decode(as_object(whole, "settings"));
    } catch (const std::exception& problem) { // BadField, and those of Boost.JSON
        return damaged(fields::words_of(problem));
    }
}

Result<void> write_settings(const QueueFile& queue, const QueueSettings& settings)
{
    json::object queues, resources, out;
    for (const auto& [name, one] : settings.queues) queues[name] = encode(one);
    for (const auto& [name, capacity] : settings.resources) resources[name] = capacity;
    out["schema"] = 1;
    out["queues"] = std::move(queues);
    if (settings.total_slots) out["total_slots"] = *settings.total_slots;
    out["resources"] = std::move(resources);
    if (const int err =
            detail::replace_file(queue.folder(), next_name, file_name, json::serialize(out)))
        return detail::explain("can't write the settings of the queues", err);
    return {};
}

void apply_settings(core::QueueState& state, const QueueSettings& settings,
                    std::uint32_t processors)
{
    for (const auto& [name, queue] : settings.queues)
        state.set_queue(name, {queue.slots_on(processors), queue.paused});
    state.set_total_slots(settings.total_slots);
    for (const auto& [name, capacity] : settings.resources) state.set_resource(name, capacity);
}

Result<void> check_queue_name(std::string_view name)
{
    const auto is_plain = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    };
    const bool good = !name.empty() && name.size() <= 64 && name[0] != '-' && name[0] != '.' &&
                      std::ranges::all_of(name, [&](char c) {
                          return is_plain(c) || c == '-' || c == '_' || c == '.';
                      });
    if (good) return {};
    return Error::usage("'" + fit(printable(name), 40) +
                        "' is no name of a queue: letters, digits, - _ . and at most 64 of them");
}

} // namespace bgt::store
