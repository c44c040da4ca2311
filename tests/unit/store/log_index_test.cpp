#include "temp_folder.hpp"

#include <bgt/store/log_index.hpp>

#include <random>

using namespace bgt;
using namespace bgt::store;
using namespace bgt::store::test;
using namespace std::chrono_literals;
using Type = IndexEntry::Type;

namespace {

WallTime at(std::int64_t ns)
{
    return WallTime(Duration(ns));
}

struct IndexFile {
    TempFolder temp;
    Root root = open_root(temp / "root");
    TaskDir task = must(root.create_task(TaskId{1}));

    LogIndex with(const std::vector<IndexEntry>& entries, const std::string& rest = {})
    {
        std::string text;
        for (const IndexEntry& entry : entries) {
            const auto bytes = encode_index_entry(entry);
            text.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
        }
        put(task.path() + "/out.idx", text + rest);
        return must(LogIndex::open(task.fd(), file::out_index));
    }
};

} // namespace

TEST_CASE("an entry is 16 bytes, little-endian")
{
    const auto bytes = encode_index_entry({at(1), Type::dropped, 0x0102});
    CHECK(bytes[0] == std::byte{5}); // 1 << 2 | 1
    CHECK(bytes[8] == std::byte{2});
    CHECK(bytes[9] == std::byte{1});
    const IndexEntry back =
        decode_index_entry(encode_index_entry({at(1769860800123456789), Type::bytes, ~0ull}));
    CHECK(back.at == at(1769860800123456789));
    CHECK(back.type == Type::bytes);
    CHECK(back.value == ~0ull);
    CHECK(decode_index_entry(encode_index_entry({at(-5), Type::bytes, 0})).at == at(0));
    CHECK(decode_index_entry(encode_index_entry({WallTime::max(), Type::dropped, 0})).at ==
          at((1LL << 62) - 1));
}

TEST_CASE("times and offsets are found from one another")
{
    IndexFile file;
    const LogIndex index = file.with({{at(10), Type::bytes, 0},
                                      {at(20), Type::bytes, 100},
                                      {at(25), Type::dropped, 7},
                                      {at(26), Type::dropped, 8},
                                      {at(30), Type::bytes, 150},
                                      {at(40), Type::dropped, 1}},
                                     "torn entry");
    CHECK(index.size() == 6);
    CHECK(index.time_of(0) == at(10));
    CHECK(index.time_of(99) == at(10));
    CHECK(index.time_of(100) == at(20));
    CHECK(index.time_of(149) == at(20));
    CHECK(index.time_of(150) == at(30));
    CHECK(index.time_of(1u << 30) == at(30));
    CHECK(index.first_at_or_after(at(0)) == 0);
    CHECK(index.first_at_or_after(at(10)) == 0);
    CHECK(index.first_at_or_after(at(11)) == 100);
    CHECK(index.first_at_or_after(at(21)) == 150);
    CHECK(index.first_at_or_after(at(30)) == 150);
    CHECK(index.first_at_or_after(at(31)) == std::nullopt);
}

TEST_CASE("indexes without bytes")
{
    IndexFile file;
    const LogIndex missing = must(LogIndex::open(file.task.fd(), file::out_index));
    CHECK(missing.size() == 0);
    CHECK_FALSE(missing.time_of(0));
    CHECK_FALSE(missing.first_at_or_after(at(0)));
    const LogIndex drops = file.with({{at(1), Type::dropped, 5}, {at(2), Type::dropped, 5}});
    CHECK_FALSE(drops.time_of(5));
    CHECK_FALSE(drops.first_at_or_after(at(0)));
    const LogIndex later = file.with({{at(1), Type::bytes, 50}});
    CHECK_FALSE(later.time_of(49)); // written before the index began
}

TEST_CASE("the searches agree with a walk through all entries")
{
    IndexFile file;
    std::mt19937 random(3);
    for (int round = 0; round < 50; ++round) {
        std::vector<IndexEntry> entries;
        std::int64_t time = 100;
        std::uint64_t offset = 100;
        for (auto n = random() % 40; n > 0; --n) {
            entries.push_back(random() % 3 == 0 ? IndexEntry{at(time), Type::dropped, random()}
                                                : IndexEntry{at(time), Type::bytes, offset});
            time += random() % 3;
            offset += 1 + random() % 5;
        }
        const LogIndex index = file.with(entries);
        for (std::uint64_t probe = 95; probe < offset + 5; ++probe) {
            std::optional<WallTime> expected;
            for (const auto& entry : entries)
                if (entry.type == Type::bytes && entry.value <= probe) expected = entry.at;
            REQUIRE(index.time_of(probe) == expected);
        }
        for (std::int64_t probe = 95; probe < time + 5; ++probe) {
            std::optional<std::uint64_t> expected;
            for (const auto& entry : entries)
                if (entry.type == Type::bytes && entry.at >= at(probe) && !expected)
                    expected = entry.value;
            REQUIRE(index.first_at_or_after(at(probe)) == expected);
        }
    }
}

TEST_CASE("a damaged index gives some answer")
{
    IndexFile file;
    std::mt19937 random(4);
    std::string rubbish;
    for (int i = 0; i < 1600; ++i) rubbish += static_cast<char>(random());
    const LogIndex index = file.with({}, rubbish);
    CHECK(index.size() == 100);
    for (int i = 0; i < 100; ++i) {
        (void)index.time_of(random());
        (void)index.first_at_or_after(at(static_cast<std::int64_t>(random())));
    }
}
