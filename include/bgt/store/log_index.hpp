#pragma once
/// `out.idx`: when the bytes of the log came, and where some are missing. Entries of 16 bytes,
/// little-endian: 62 bits of nanoseconds since 1970 and two of type, then 64 bits of value.
#include <array>
#include <bgt/base/fd.hpp>
#include <bgt/base/time.hpp>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace bgt::store {

struct IndexEntry {
    enum class Type : std::uint8_t {
        bytes = 0,   ///< `value`: the bytes from this offset on came at `at`
        dropped = 1, ///< `value`: this many bytes were dropped here (at the end of the log as it
                     ///< then was)
    };
    WallTime at{};
    Type type = Type::bytes;
    std::uint64_t value = 0;
};

std::array<std::byte, 16> encode_index_entry(const IndexEntry&);
IndexEntry decode_index_entry(std::span<const std::byte, 16>);

/// Reads an index by binary search, never whole. A torn last entry is passed over.
class LogIndex {
public:
    /// An index that is not there reads as empty.
    static Result<LogIndex> open(int task_dir_fd, const char* name);

    std::size_t size() const { return count_; }
    IndexEntry at(std::size_t i) const;
    /// Up to `most` entries from `first` on, in one read.
    std::vector<IndexEntry> read(std::size_t first, std::size_t most) const;
    /// When the byte at `offset` came, as far as known.
    std::optional<WallTime> time_of(std::uint64_t offset) const;
    /// The offset of the first byte that came at `t` or later; nullopt when none has.
    std::optional<std::uint64_t> first_at_or_after(WallTime t) const;

private:
    Fd fd_;
    std::size_t count_ = 0;
};

} // namespace bgt::store
