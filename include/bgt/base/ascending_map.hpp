#pragma once
/// A map in one block of memory, for keys that come in ascending order: a sorted vector.
#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

namespace bgt {

/// Hazard: a key that is not above all others costs as many moves as there are keys above it.
template <typename Value>
class AscendingMap {
public:
    using Entry = std::pair<std::int64_t, Value>;

    /// Takes the place of the value that the key had.
    void put(std::int64_t key, const Value& value)
    {
        const auto at =
            entries_.empty() || entries_.back().first < key ? entries_.end() : first_at_least(key);
        if (at != entries_.end() && at->first == key) at->second = value;
        else entries_.insert(at, {key, value});
    }
    /// Null: the key has no value. Valid until the next change.
    const Value* find(std::int64_t key) const
    {
        const Entry* entry = at_or_below(key);
        return entry && entry->first == key ? &entry->second : nullptr;
    }
    /// The entry with the largest key that is not above `key`; null: all are above.
    const Entry* at_or_below(std::int64_t key) const
    {
        const auto above = std::ranges::upper_bound(entries_, key, {}, &Entry::first);
        return above == entries_.begin() ? nullptr : &*(above - 1);
    }
    const std::vector<Entry>& entries() const { return entries_; }
    void clear() { entries_.clear(); }

private:
    typename std::vector<Entry>::iterator first_at_least(std::int64_t key)
    {
        return std::ranges::lower_bound(entries_, key, {}, &Entry::first);
    }

    std::vector<Entry> entries_;
};

} // namespace bgt
