#include "fuzz.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <stdexcept>
#include <unistd.h>

namespace bgt::fuzz {

void fail(const char* what, const char* file, int line)
{
    throw std::logic_error(std::string(file) + ":" + std::to_string(line) +
                           ": does not hold: " + what);
}

std::uint8_t Input::byte()
{
    if (rest_.empty()) return 0;
    const auto first = static_cast<std::uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    return first;
}

std::int64_t Input::number()
{
    std::int64_t value = 0;
    const std::size_t size = std::min(sizeof value, rest_.size());
    std::copy_n(rest_.data(), size, reinterpret_cast<char*>(&value));
    rest_.remove_prefix(size);
    return value;
}

std::string_view Input::until(char end)
{
    const std::string_view found = rest_.substr(0, rest_.find(end));
    rest_.remove_prefix(std::min(rest_.size(), found.size() + 1));
    return found;
}

std::string_view Input::rest()
{
    const std::string_view found = rest_;
    rest_ = {};
    return found;
}

namespace {

/// The bytes a character may begin with, and which may come second; those behind are 80..BF.
struct Form {
    unsigned char first, last, second_first, second_last;
    std::size_t length;
};
constexpr std::array<Form, 9> forms{{{0x00, 0x7F, 0, 0, 1},
                                     {0xC2, 0xDF, 0x80, 0xBF, 2},
                                     {0xE0, 0xE0, 0xA0, 0xBF, 3},
                                     {0xE1, 0xEC, 0x80, 0xBF, 3},
                                     {0xED, 0xED, 0x80, 0x9F, 3},
                                     {0xEE, 0xEF, 0x80, 0xBF, 3},
                                     {0xF0, 0xF0, 0x90, 0xBF, 4},
                                     {0xF1, 0xF3, 0x80, 0xBF, 4},
                                     {0xF4, 0xF4, 0x80, 0x8F, 4}}};

/// Length of the character that the text begins with; 0: none.
std::size_t character_length(std::string_view text)
{
    const auto at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    for (const Form& form : forms) {
        if (at(0) < form.first || at(0) > form.last) continue;
        if (form.length == 1) return 1;
        if (text.size() < form.length || at(1) < form.second_first || at(1) > form.second_last)
            return 0;
        for (std::size_t i = 2; i < form.length; ++i)
            if (at(i) < 0x80 || at(i) > 0xBF) return 0;
        return form.length;
    }
    return 0;
}

} // namespace

bool is_utf8(std::string_view text)
{
    while (!text.empty()) {
        const std::size_t length = character_length(text);
        if (length == 0) return false;
        text.remove_prefix(length);
    }
    return true;
}

bool is_clean(std::string_view text, std::string_view allowed)
{
    if (!is_utf8(text)) return false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto c = static_cast<unsigned char>(text[i]);
        if ((c < 0x20 || c == 0x7F) && allowed.find(text[i]) == std::string_view::npos)
            return false;
        if (c == 0xC2 && static_cast<unsigned char>(text[i + 1]) < 0xA0) return false; // C1
    }
    return true;
}

bool is_json_line(std::string_view text)
{
    const auto is_c0 = [](char c) { return static_cast<unsigned char>(c) < 0x20; };
    return text.starts_with('{') && text.ends_with('}') && is_utf8(text) &&
           std::none_of(text.begin(), text.end(), is_c0);
}

bool is_message(std::string_view text)
{
    return !text.empty() && text.back() != '\n' && is_clean(text, "\n");
}

Folder::Folder() : path_((std::filesystem::temp_directory_path() / "bgt-fuzz-XXXXXX").string())
{
    if (::mkdtemp(path_.data()) == nullptr) throw std::runtime_error("can't make " + path_);
    fd_ = ::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

Folder::~Folder()
{
    ::close(fd_);
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

void Folder::write(const char* name, std::string_view bytes) const
{
    const int file = ::openat(fd_, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    const bool written = file >= 0 && ::write(file, bytes.data(), bytes.size()) ==
                                          static_cast<ssize_t>(bytes.size());
    if (file >= 0) ::close(file);
    if (!written) throw std::runtime_error("can't write " + path_ + "/" + name);
}

} // namespace bgt::fuzz
