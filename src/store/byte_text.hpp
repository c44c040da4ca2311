#pragma once
/// Small binary records: whole numbers of seven bits a byte (LEB128, signed ones folded), texts
/// with their length before them.
#include <cstdint>
#include <string>
#include <string_view>

namespace bgt::store::detail {

class ByteWriter {
public:
    void number(std::uint64_t value)
    {
        while (value >= 0x80) {
            out_ += static_cast<char>(value | 0x80);
            value >>= 7;
        }
        out_ += static_cast<char>(value);
    }
    void whole(std::int64_t value)
    {
        number((static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63));
    }
    void text(std::string_view text)
    {
        number(text.size());
        out_ += text;
    }
    std::string take() { return std::move(out_); }

private:
    std::string out_;
};

/// What can't be read is 0 or empty, and good() says so from then on.
class ByteReader {
public:
    explicit ByteReader(std::string_view bytes) : rest_(bytes) {}

    std::uint64_t number()
    {
        std::uint64_t value = 0;
        for (unsigned shift = 0; shift < 64; shift += 7) {
            if (rest_.empty()) return fail();
            const auto byte = static_cast<unsigned char>(rest_.front());
            rest_.remove_prefix(1);
            value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
            if (byte < 0x80) return value;
        }
        return fail();
    }
    std::int64_t whole()
    {
        const std::uint64_t folded = number();
        return static_cast<std::int64_t>(folded >> 1) ^ -static_cast<std::int64_t>(folded & 1);
    }
    std::string text() { return std::string(view()); }
    /// The same text as it stands there.
    std::string_view view()
    {
        const std::uint64_t size = number();
        if (size > rest_.size()) {
            fail();
            return {};
        }
        const std::string_view text = rest_.substr(0, static_cast<std::size_t>(size));
        rest_.remove_prefix(static_cast<std::size_t>(size));
        return text;
    }
    /// How many things of at least one byte each can follow.
    std::size_t count()
    {
        const std::uint64_t count = number();
        if (count <= rest_.size()) return static_cast<std::size_t>(count);
        fail();
        return 0;
    }
    bool good() const { return good_; }
    bool at_end() const { return rest_.empty(); }

private:
    std::uint64_t fail()
    {
        good_ = false;
        rest_ = {};
        return 0;
    }
    std::string_view rest_;
    bool good_ = true;
};

} // namespace bgt::store::detail
