#include <bgt/render/queues.hpp>

#include <bgt/base/text.hpp>
#include <bgt/render/columns.hpp>
#include <bgt/render/json.hpp>

#include <boost/json.hpp>
#include <fmt/format.h>

namespace bgt::render {
namespace {

namespace json = boost::json;

std::string state_of(const ops::QueueInfo& queue)
{
    if (queue.settings.paused) return queue.settings.draining ? "paused, takes nothing" : "paused";
    if (queue.settings.draining) return "takes nothing";
    if (queue.next && !queue.idle_because.empty())
        return "next: " + to_string(*queue.next) + " (" + printable(queue.idle_because) + ")";
    return "-";
}

json::object worker_json(const ops::Worker& worker)
{
    return {
        {"slot", worker.slot},
        {"task", worker.task.value},
        {"name", worker.name.empty() ? json::value(nullptr) : json::value(printable(worker.name))},
        {"supervisor", worker.supervisor},
        {"damaged", worker.damaged},
        {"since",
         worker.since ? json::value(format_rfc3339(*worker.since)) : json::value(nullptr)}};
}

json::object queue_json(const ops::QueueInfo& queue)
{
    json::array workers;
    for (const ops::Worker& worker : queue.workers) workers.push_back(worker_json(worker));
    return {
        {"name", to_valid_utf8(queue.name)},
        {"slots", queue.slots},
        {"limit", queue.settings.limit ? json::value(*queue.settings.limit) : json::value(nullptr)},
        {"priority", queue.settings.priority},
        {"paused", queue.settings.paused},
        {"draining", queue.settings.draining},
        {"running", queue.counts.running},
        {"waiting", queue.counts.waiting},
        {"held", queue.counts.held},
        {"used_slots", queue.counts.used_slots},
        {"next", queue.next ? json::value(queue.next->value) : json::value(nullptr)},
        {"idle_because", queue.idle_because.empty()
                             ? json::value(nullptr)
                             : json::value(to_valid_utf8(queue.idle_because))},
        {"workers", std::move(workers)}};
}

} // namespace

std::string queues_table(const ops::QueuesAnswer& answer, std::optional<std::size_t> width)
{
    std::vector<Cells> cells{{"QUEUE", "SLOTS", "RUNNING", "WAITING", "HELD", "STATE"}};
    for (const ops::QueueInfo& queue : answer.queues)
        cells.push_back({printable(queue.name), std::to_string(queue.slots),
                         std::to_string(queue.counts.running), std::to_string(queue.counts.waiting),
                         std::to_string(queue.counts.held), state_of(queue)});
    std::string out = columns(cells, {.width = width, .free = {5, 0}, .last_number = 4});
    std::string shared;
    if (answer.settings.total_slots)
        shared += fmt::format(" slots={}", *answer.settings.total_slots);
    for (const auto& [name, capacity] : answer.settings.resources)
        shared += fmt::format(" {}={}", printable(name), capacity);
    if (!shared.empty()) out += "in total:" + shared + "\n";
    return out;
}

std::string queue_details(const ops::QueueInfo& queue)
{
    std::string out = fmt::format(
        "queue     {}\nslots     {}{}\nlimit     {}\npriority  {}\nstate     {}\nrunning   "
        "{}\nwaiting   {}{}\n",
        printable(queue.name), queue.slots, queue.settings.auto_slots ? " (auto)" : "",
        queue.settings.limit ? std::to_string(*queue.settings.limit) : "off",
        queue.settings.priority, state_of(queue), queue.counts.running, queue.counts.waiting,
        queue.counts.held > 0 ? fmt::format(" ({} held)", queue.counts.held) : "");
    if (queue.workers.empty()) return out;
    out += fmt::format("\n{:>4}  {:>6}  {:>10}  {:<24}  {}\n", "SLOT", "TASK", "SUPERVISOR",
                       "SINCE", "NAME");
    for (const ops::Worker& worker : queue.workers)
        out += fmt::format("{:>4}  {:>6}  {:>10}  {:<24}  {}\n", worker.slot, worker.task.value,
                           worker.supervisor, worker.since ? format_rfc3339(*worker.since) : "-",
                           (worker.name.empty() ? "-" : printable(worker.name)) +
                               (worker.damaged ? " (damaged)" : ""));
    return out;
}

std::string queues_json(const ops::QueuesAnswer& answer)
{
    json::array queues;
    for (const ops::QueueInfo& queue : answer.queues) queues.push_back(queue_json(queue));
    json::object total, resources;
    for (const auto& [name, capacity] : answer.settings.resources)
        resources[to_valid_utf8(name)] = capacity;
    total["slots"] = answer.settings.total_slots ? json::value(*answer.settings.total_slots)
                                                 : json::value(nullptr);
    total["resources"] = std::move(resources);
    return answer_json({{"queues", std::move(queues)}, {"total", std::move(total)}});
}

} // namespace bgt::render
