#pragma once
/// How many tasks the queues of a root may run at once: queue/settings, replaced as a whole under
/// the journal's lock.
#include <bgt/base/result.hpp>
#include <bgt/core/queue.hpp>
#include <bgt/store/queue_file.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace bgt::store {

struct OneQueue {
    std::optional<std::uint32_t>
        slots; ///< as many as there are processors where `auto_slots`; else 1
    bool auto_slots = false;
    std::optional<std::uint64_t>
        limit;                 ///< of waiting tasks; what is submitted beyond it is refused
    std::int32_t priority = 0; ///< of tasks that name none
    bool paused = false;       ///< starts nothing
    bool draining = false;     ///< takes nothing
    bool operator==(const OneQueue&) const = default;

    std::uint32_t slots_on(std::uint32_t processors) const
    {
        return auto_slots ? processors : slots.value_or(1);
    }
};

struct QueueSettings {
    std::map<std::string, OneQueue> queues;
    std::optional<std::uint32_t> total_slots; ///< of all queues together
    std::map<std::string, std::uint64_t> resources;
    bool operator==(const QueueSettings&) const = default;

    OneQueue of(const std::string& queue) const
    {
        const auto found = queues.find(queue);
        return found != queues.end() ? found->second : OneQueue{};
    }
};

/// None set where the file is missing. Error (damaged_file): it is damaged.
Result<QueueSettings> read_settings(const QueueFile&);
/// The caller holds the journal's lock.
Result<void> write_settings(const QueueFile&, const QueueSettings&);
/// `processors`: what slots=auto means.
void apply_settings(core::QueueState&, const QueueSettings&, std::uint32_t processors);
/// Letters, digits, `-`, `_` and `.`, at most 64 bytes, no `-` or `.` in front. Error (usage).
Result<void> check_queue_name(std::string_view name);

} // namespace bgt::store
