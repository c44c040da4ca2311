#include "support/catch.hpp"

#include <bgt/base/siphash.hpp>
#include <fmt/format.h>
#include <vector>

using namespace bgt;

TEST_CASE("SipHash-2-4-128 gives the values of its reference implementation")
{
    HashKey key;
    for (std::size_t i = 0; i < key.size(); ++i) key[i] = static_cast<std::uint8_t>(i);
    const auto hash_of = [&](std::size_t size) { // of 00 01 02 ...
        std::vector<std::uint8_t> message(size);
        for (std::size_t i = 0; i < size; ++i) message[i] = static_cast<std::uint8_t>(i);
        return fmt::format("{:02x}", fmt::join(siphash(key, message), ""));
    };
    CHECK(hash_of(0) == "a3817f04ba25a8e66df67214c7550293");
    CHECK(hash_of(1) == "da87c1d86b99af44347659119b22fc45");
    CHECK(hash_of(7) == "a1f1ebbed8dbc153c0b84aa61ff08239");
    CHECK(hash_of(8) == "3b62a9ba6258f5610f83e264f31497b4");
    CHECK(hash_of(15) == "5493e99933b0a8117e08ec0f97cfc3d9");
    CHECK(hash_of(24) == "2db479ae78bd50d8882a8a178a6132ad");
    CHECK(hash_of(63) == "5150d1772f50834a503e069a973fbd7c");
}
