#include "units.hpp"

#include <bgt/store/environment.hpp>

#include <cctype>

namespace bgt::dispatch {
namespace {

/// The lowest number from `first` on from which `count` in a row are free.
std::uint32_t lowest_free(const std::set<std::uint32_t>& used, std::uint32_t first,
                          std::uint32_t count)
{
    std::uint32_t at = first, free = 0;
    while (free < count) {
        if (used.contains(at + free)) {
            at += free + 1;
            free = 0;
        } else {
            ++free;
        }
    }
    return at;
}

std::string variable_of(const std::string& resource)
{
    std::string name = store::resource_prefix;
    for (const char c : resource)
        name += std::isalnum(static_cast<unsigned char>(c))
                    ? static_cast<char>(std::toupper(static_cast<unsigned char>(c)))
                    : '_';
    return name;
}

} // namespace

void Units::assign(store::TaskSpec& spec, const store::QueueSettings& settings)
{
    spec.slot = spec.slots > 0 ? lowest_free(slots_[spec.queue], 1, spec.slots) : 0;
    spec.units.clear();
    for (const auto& [name, amount] : spec.needs) {
        const auto capacity = settings.resources.find(name);
        if (capacity == settings.resources.end() || capacity->second > max_counted) continue;
        std::set<std::uint32_t> used = units_[name];
        for (std::uint64_t at = 0; at < amount; ++at) {
            const std::uint32_t unit = lowest_free(used, 0, 1);
            used.insert(unit);
            spec.units[name].push_back(unit);
        }
    }
    take(spec);
}

void Units::take(const store::TaskSpec& spec)
{
    Place place{spec.queue, {}, spec.units};
    for (std::uint32_t at = 0; spec.slot > 0 && at < spec.slots; ++at)
        place.slots.insert(spec.slot + at);
    slots_[spec.queue].insert(place.slots.begin(), place.slots.end());
    for (const auto& [name, units] : place.units) units_[name].insert(units.begin(), units.end());
    by_task_[spec.id.value] = std::move(place);
}

void Units::give_back(store::TaskId id)
{
    const auto found = by_task_.find(id.value);
    if (found == by_task_.end()) return;
    for (const std::uint32_t slot : found->second.slots) slots_[found->second.queue].erase(slot);
    for (const auto& [name, units] : found->second.units)
        for (const std::uint32_t unit : units) units_[name].erase(unit);
    by_task_.erase(found);
}

std::vector<std::string> Units::environment(const store::TaskSpec& spec)
{
    std::vector<std::string> env{store::queue_prefix + spec.queue};
    if (spec.slot > 0) env.push_back(store::slot_prefix + std::to_string(spec.slot));
    for (const auto& [name, units] : spec.units) {
        std::string list;
        for (const std::uint32_t unit : units)
            list += (list.empty() ? "" : ",") + std::to_string(unit);
        env.push_back(variable_of(name) + "=" + list);
    }
    return env;
}

} // namespace bgt::dispatch
