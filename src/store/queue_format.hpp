#pragma once
/// The bytes of queue/journal: a head, then records, each in a frame.
#include <array>
#include <bgt/base/process_key.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace bgt::store::detail {

/// Device, inode and birth: by what a folder is told from its copies, and can't be known beforehand
/// (man 2 statx). The birth is 0 where the file system knows none.
using FolderIdentity = std::array<std::uint64_t, 3>;
FolderIdentity identity_of(int folder);

/// "BGTQ", schema (u32), the bytes that count (u64), the boot in which it was written last, the
/// folder for which it was written, and a CRC-32C of all that, which stands there in every schema.
/// What waits in a copy waits there no more: it would be started twice.
struct JournalHead {
    std::uint64_t end = 0;
    BootId boot{};
    FolderIdentity folder{};
    bool is_journal = false; ///< it begins as one does
    bool is_whole = false;   ///< it is what was written
    bool is_known = false;   ///< this bgt knows the schema
};

inline constexpr std::size_t journal_head_size = 60;
/// Before each record: its size and its checksum (u32 each).
inline constexpr std::size_t journal_frame_size = 8;

std::array<char, journal_head_size> encode_head(const JournalHead&);
JournalHead decode_head(const std::array<char, journal_head_size>&);
/// What a damaged head said, where one byte of it was changed: its checksum leads back to it.
/// nullopt: more was.
std::optional<JournalHead> mend_head(std::array<char, journal_head_size>);

std::string frame(std::string_view record);
/// The record at the front of these bytes; nullopt: they do not begin with a whole one.
std::optional<std::string_view> framed(std::string_view bytes);
/// The size that the frame at the front names, whether or not its record is whole; nullopt: no
/// record has such a size.
std::optional<std::uint32_t> framed_size(std::string_view bytes);

} // namespace bgt::store::detail
