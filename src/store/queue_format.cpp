#include "queue_format.hpp"

#include "crc32c.hpp"

#include <cstring>
#include <fcntl.h>
#include <span>
#include <sys/stat.h>

namespace bgt::store::detail {
namespace {

constexpr std::string_view magic = "BGTQ";
constexpr std::uint32_t schema = 1;
constexpr std::size_t at_schema = 4, at_end = 8, at_boot = 16, at_folder = 32, at_checksum = 56;
constexpr std::uint32_t max_record_size = 256u << 20;

template <class T>
T load(const char* from)
{
    T value{};
    std::memcpy(&value, from, sizeof value);
    return value;
}

template <class T>
void store(char* to, T value)
{
    std::memcpy(to, &value, sizeof value);
}

std::uint32_t checksum(std::string_view bytes)
{
    return crc32c(std::as_bytes(std::span(bytes)));
}

} // namespace

FolderIdentity identity_of(int folder)
{
    struct statx info {};
    if (::statx(folder, "", AT_EMPTY_PATH, STATX_INO | STATX_BTIME, &info) != 0) {
        struct stat older {};
        if (::fstat(folder, &older) != 0) return {};
        return {older.st_dev, older.st_ino, 0};
    }
    const std::uint64_t device = (std::uint64_t{info.stx_dev_major} << 32) | info.stx_dev_minor;
    if ((info.stx_mask & STATX_BTIME) == 0) return {device, info.stx_ino, 0};
    return {device, info.stx_ino,
            static_cast<std::uint64_t>(info.stx_btime.tv_sec) * 1'000'000'000 +
                info.stx_btime.tv_nsec};
}

std::array<char, journal_head_size> encode_head(const JournalHead& head)
{
    std::array<char, journal_head_size> bytes{};
    std::memcpy(bytes.data(), magic.data(), magic.size());
    store(bytes.data() + at_schema, schema);
    store(bytes.data() + at_end, head.end);
    std::memcpy(bytes.data() + at_boot, head.boot.data(), head.boot.size());
    std::memcpy(bytes.data() + at_folder, head.folder.data(), sizeof head.folder);
    store(bytes.data() + at_checksum, checksum({bytes.data(), at_checksum}));
    return bytes;
}

JournalHead decode_head(const std::array<char, journal_head_size>& bytes)
{
    JournalHead head;
    head.is_journal = std::string_view(bytes.data(), magic.size()) == magic;
    head.is_whole =
        load<std::uint32_t>(bytes.data() + at_checksum) == checksum({bytes.data(), at_checksum});
    head.is_known = load<std::uint32_t>(bytes.data() + at_schema) == schema;
    head.end = load<std::uint64_t>(bytes.data() + at_end);
    std::memcpy(head.boot.data(), bytes.data() + at_boot, head.boot.size());
    std::memcpy(head.folder.data(), bytes.data() + at_folder, sizeof head.folder);
    return head;
}

std::optional<JournalHead> mend_head(std::array<char, journal_head_size> bytes)
{
    constexpr int values = 256;
    for (char& byte : bytes) {
        const char before = byte;
        for (int value = 0; value < values; ++value) {
            byte = static_cast<char>(value);
            const JournalHead head = decode_head(bytes);
            if (head.is_whole && head.is_journal) return head;
        }
        byte = before;
    }
    return std::nullopt;
}

std::string frame(std::string_view record)
{
    std::string out(journal_frame_size, '\0');
    store(out.data(), static_cast<std::uint32_t>(record.size()));
    store(out.data() + 4, checksum(record));
    out += record;
    return out;
}

std::optional<std::uint32_t> framed_size(std::string_view bytes)
{
    if (bytes.size() < journal_frame_size) return std::nullopt;
    const auto size = load<std::uint32_t>(bytes.data());
    // A record is never empty: zeros, as a crash of the machine leaves them, are none.
    return size > 0 && size <= max_record_size ? std::optional(size) : std::nullopt;
}

std::optional<std::string_view> framed(std::string_view bytes)
{
    const auto size = framed_size(bytes);
    if (!size || bytes.size() - journal_frame_size < *size) return std::nullopt;
    const std::string_view record = bytes.substr(journal_frame_size, *size);
    if (checksum(record) != load<std::uint32_t>(bytes.data() + 4)) return std::nullopt;
    return record;
}

} // namespace bgt::store::detail
