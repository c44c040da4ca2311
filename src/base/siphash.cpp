#include <bgt/base/siphash.hpp>

#include <bit>

namespace bgt {
namespace {

/// The names v0 to v3 are those of the paper.
struct SipState {
    std::uint64_t v0, v1, v2, v3;

    void rounds(int count)
    {
        for (int i = 0; i < count; ++i) {
            v0 += v1, v1 = std::rotl(v1, 13) ^ v0, v0 = std::rotl(v0, 32);
            v2 += v3, v3 = std::rotl(v3, 16) ^ v2;
            v0 += v3, v3 = std::rotl(v3, 21) ^ v0;
            v2 += v1, v1 = std::rotl(v1, 17) ^ v2, v2 = std::rotl(v2, 32);
        }
    }
    void take(std::uint64_t word)
    {
        v3 ^= word;
        rounds(2);
        v0 ^= word;
    }
    std::uint64_t result()
    {
        rounds(4);
        return v0 ^ v1 ^ v2 ^ v3;
    }
};

std::uint64_t little_endian(std::span<const std::uint8_t> bytes)
{
    std::uint64_t word = 0;
    for (std::size_t i = 0; i < bytes.size(); ++i) word |= std::uint64_t{bytes[i]} << (8 * i);
    return word;
}

} // namespace

KeyedHash siphash(const HashKey& key, std::span<const std::uint8_t> message)
{
    const std::uint64_t k0 = little_endian(std::span(key).first(8));
    const std::uint64_t k1 = little_endian(std::span(key).last(8));
    SipState state{k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d, k0 ^ 0x6c7967656e657261,
                   k1 ^ 0x7465646279746573};
    state.v1 ^= 0xee; // of the variant with 128 bits
    const std::uint64_t size = message.size();
    for (; message.size() >= 8; message = message.subspan(8))
        state.take(little_endian(message.first(8)));
    state.take(little_endian(message) | size << 56);
    state.v2 ^= 0xee;
    const std::uint64_t low = state.result();
    state.v1 ^= 0xdd;
    const std::uint64_t high = state.result();
    KeyedHash hash{};
    for (std::size_t i = 0; i < 8; ++i) {
        hash[i] = static_cast<std::uint8_t>(low >> (8 * i));
        hash[i + 8] = static_cast<std::uint8_t>(high >> (8 * i));
    }
    return hash;
}

} // namespace bgt
