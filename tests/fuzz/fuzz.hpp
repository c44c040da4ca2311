#pragma once
/// What the fuzz targets share. A target reads bytes that anybody may have written, and says with
/// FUZZ_CHECK what must hold whatever they are. Each file defines one LLVMFuzzerTestOneInput
/// (https://llvm.org/docs/LibFuzzer.html).
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace bgt::fuzz {

/// Throws: under libFuzzer nobody catches it, so that the input is kept; replay.cpp counts it.
[[noreturn]] void fail(const char* what, const char* file, int line);
#define FUZZ_CHECK(condition)                                                                      \
    ((condition) ? void() : bgt::fuzz::fail(#condition, __FILE__, __LINE__))

/// The input taken apart from its front; at its end everything is empty.
class Input {
public:
    Input(const std::uint8_t* data, std::size_t size)
        : rest_(reinterpret_cast<const char*>(data), size)
    {}

    std::uint8_t byte();
    /// As many bytes as it takes, zeros behind the end.
    std::int64_t number();
    /// Up to the next such byte, which goes as well.
    std::string_view until(char end);
    std::string_view rest();
    bool empty() const { return rest_.empty(); }

private:
    std::string_view rest_;
};

/// Valid UTF-8, judged by a table of its own (RFC 3629, section 4).
bool is_utf8(std::string_view text);
/// Safe to print: valid UTF-8 without control characters (C0, DEL, C1) but those in `allowed`.
bool is_clean(std::string_view text, std::string_view allowed = {});
/// One line of JSON: in strings, DEL and C1 may stand as they are.
bool is_json_line(std::string_view text);
/// What an Error may say: something clean, at most a few lines, no newline at its end.
bool is_message(std::string_view text);

/// A folder of this process with one file in it, for parsers that open what they read. It goes at
/// the end of the process.
class Folder {
public:
    Folder();
    ~Folder();
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;

    int fd() const { return fd_; }
    void write(const char* name, std::string_view bytes) const;

private:
    std::string path_;
    int fd_;
};

} // namespace bgt::fuzz
