// out.idx: when the bytes of a log came. The first number is the place or the time that is looked
// for.
#include "fuzz.hpp"

#include <bgt/store/log_file.hpp>

#include <algorithm>
#include <span>

using namespace bgt;

namespace {

using Entries = std::vector<store::IndexEntry>;

Entries entries_of(const store::LogIndex& index)
{
    Entries entries;
    for (std::size_t i = 0; i < index.size(); ++i) entries.push_back(index.at(i));
    return entries;
}

bool is_bytes(const store::IndexEntry& entry)
{
    return entry.type == store::IndexEntry::Type::bytes;
}

/// Whatever order they stand in: an answer is always one of the entries.
void check_search(const store::LogIndex& index, const Entries& entries, std::int64_t wanted)
{
    if (const auto time = index.time_of(static_cast<std::uint64_t>(wanted)))
        FUZZ_CHECK(std::ranges::any_of(
            entries, [&](const auto& entry) { return is_bytes(entry) && entry.at == *time; }));
    const WallTime moment{Duration(wanted)};
    if (const auto offset = index.first_at_or_after(moment))
        FUZZ_CHECK(std::ranges::any_of(entries, [&](const auto& e) {
            return is_bytes(e) && e.value == *offset && e.at >= moment;
        }));
}

void check_entry(const store::IndexEntry& entry)
{
    const auto bytes = store::encode_index_entry(entry);
    const auto again = store::decode_index_entry(bytes);
    FUZZ_CHECK(again.at == entry.at && again.type == entry.type && again.value == entry.value);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    static const fuzz::Folder folder;
    fuzz::Input in(data, size);
    const std::int64_t wanted = in.number();
    const std::string_view bytes = in.rest();
    folder.write("out.idx", bytes);
    auto index = store::LogIndex::open(folder.fd(), "out.idx");
    FUZZ_CHECK(index && index->size() == bytes.size() / 16);
    const Entries entries = entries_of(*index);
    for (const auto& entry : entries) check_entry(entry);
    check_search(*index, entries, wanted);

    auto other = store::LogIndex::open(folder.fd(), "out.idx");
    store::IndexCursor cursor(std::move(*other), 0);
    for (std::uint64_t offset = 0; offset < 4096; offset = offset * 3 + 1) {
        static_cast<void>(cursor.time_of(offset));
        static_cast<void>(cursor.dropped_before(offset, false));
    }
    static_cast<void>(cursor.dropped_before(static_cast<std::uint64_t>(wanted), true));
    return 0;
}
