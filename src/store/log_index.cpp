#include <bgt/store/log_index.hpp>

#include "files.hpp"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>

namespace bgt::store {
namespace {

constexpr std::size_t entry_size = 16;
constexpr std::int64_t latest = (std::int64_t{1} << 62) - 1; ///< in the year 2116
static_assert(std::endian::native == std::endian::little);

/// The first index in [from, to) that is a `bytes` entry, with the entry; `to` when there is none.
struct Found {
    std::size_t at = 0;
    IndexEntry entry;
};
Found next_bytes(const LogIndex& index, std::size_t from, std::size_t to)
{
    for (; from < to; ++from)
        if (const IndexEntry entry = index.at(from); entry.type == IndexEntry::Type::bytes)
            return {from, entry};
    return {to, {}};
}

/// The first `bytes` entry of which `reached` is true, where it is false of all before it and true
/// of all behind.
template <class Reached>
std::optional<Found> first_reached(const LogIndex& index, Reached reached)
{
    std::size_t low = 0;
    std::size_t high = index.size();
    std::optional<Found> best;
    while (low < high) {
        const std::size_t middle = low + (high - low) / 2;
        const Found found = next_bytes(index, middle, high);
        if (found.at == high) high = middle; // only drops from the middle on
        else if (reached(found.entry)) {
            best = found;
            high = middle;
        } else low = found.at + 1;
    }
    return best;
}

} // namespace

std::array<std::byte, entry_size> encode_index_entry(const IndexEntry& entry)
{
    const auto ns = static_cast<std::uint64_t>(
        std::clamp<std::int64_t>(entry.at.time_since_epoch().count(), 0, latest));
    const std::uint64_t words[2] = {ns << 2 | static_cast<std::uint64_t>(entry.type), entry.value};
    std::array<std::byte, entry_size> bytes{};
    std::memcpy(bytes.data(), words, sizeof words);
    return bytes;
}

IndexEntry decode_index_entry(std::span<const std::byte, entry_size> bytes)
{
    std::uint64_t words[2];
    std::memcpy(words, bytes.data(), sizeof words);
    IndexEntry entry;
    entry.at = WallTime(Duration(static_cast<std::int64_t>(words[0] >> 2)));
    entry.type = static_cast<IndexEntry::Type>(
        words[0] & 3); // 2 and 3: of a newer bgt, neither bytes nor drops
    entry.value = words[1];
    return entry;
}

Result<LogIndex> LogIndex::open(int task_dir_fd, const char* name)
{
    LogIndex index;
    index.fd_ = open_file(task_dir_fd, name, O_RDONLY);
    if (!index.fd_ && errno == ENOENT) return index;
    struct stat st {};
    if (!index.fd_ || ::fstat(index.fd_.get(), &st) != 0)
        return detail::explain(std::string("can't open the log's index ") + name, errno);
    index.count_ = static_cast<std::size_t>(st.st_size) / entry_size;
    return index;
}

IndexEntry LogIndex::at(std::size_t i) const
{
    std::array<std::byte, entry_size> bytes{};
    if (detail::read_at(fd_.get(), bytes, i * entry_size) != entry_size) return {};
    return decode_index_entry(bytes);
}

std::vector<IndexEntry> LogIndex::read(std::size_t first, std::size_t most) const
{
    if (first >= count_) return {};
    std::vector<std::byte> bytes(std::min(most, count_ - first) * entry_size);
    const std::size_t got = detail::read_at(fd_.get(), bytes, first * entry_size) / entry_size;
    std::vector<IndexEntry> entries;
    entries.reserve(got);
    for (std::size_t i = 0; i < got; ++i)
        entries.push_back(decode_index_entry(
            std::span<const std::byte, entry_size>(&bytes[i * entry_size], entry_size)));
    return entries;
}

std::optional<WallTime> LogIndex::time_of(std::uint64_t offset) const
{
    // The chunk that holds the byte is the last that begins at or before it: the one before the
    // first that is beyond.
    const auto beyond =
        first_reached(*this, [&](const IndexEntry& entry) { return entry.value > offset; });
    for (std::size_t i = beyond ? beyond->at : count_; i > 0; --i)
        if (const IndexEntry entry = at(i - 1); entry.type == IndexEntry::Type::bytes)
            return entry.at;
    return std::nullopt;
}

std::optional<std::uint64_t> LogIndex::first_at_or_after(WallTime t) const
{
    const auto found = first_reached(*this, [&](const IndexEntry& entry) { return entry.at >= t; });
    return found ? std::optional(found->entry.value) : std::nullopt;
}

} // namespace bgt::store
