#include <bgt/core/pattern.hpp>
#include <bgt/core/pattern_size.hpp>

#include <bgt/base/text.hpp>

#include <re2/re2.h>

namespace bgt::core {

Pattern::Pattern(std::unique_ptr<re2::RE2> regex) : regex_(std::move(regex)) {}
Pattern::Pattern(Pattern&&) noexcept = default;
Pattern& Pattern::operator=(Pattern&&) noexcept = default;
Pattern::~Pattern() = default;

Result<Pattern> Pattern::compile(const std::string& text)
{
    re2::RE2::Options options;
    options.set_log_errors(false);
    auto regex = std::make_unique<re2::RE2>(text, options);
    if (!regex->ok())
        return Error::usage("bad regular expression \"" + printable(text) +
                            "\": " + printable(regex->error()));
    return Pattern(std::move(regex));
}

std::optional<std::size_t> compiled_size(const std::string& regex, std::size_t most)
{
    // RE2 compiles as many instructions of 16 bytes as fit into a sixth of its memory.
    constexpr std::size_t bytes_an_instruction = 96, bytes_of_a_program = 2048;
    re2::RE2::Options options;
    options.set_log_errors(false);
    options.set_max_mem(
        static_cast<std::int64_t>(bytes_of_a_program + most * bytes_an_instruction));
    const re2::RE2 compiled(regex, options);
    if (compiled.error_code() == re2::RE2::ErrorPatternTooLarge) return std::nullopt;
    if (!compiled.ok()) return 0;
    const auto size = static_cast<std::size_t>(compiled.ProgramSize());
    return size <= most ? std::optional(size) : std::nullopt;
}

bool Pattern::matches(std::string_view line) const
{
    return re2::RE2::PartialMatch(re2::StringPiece(line.data(), line.size()), *regex_);
}

std::optional<std::vector<std::string_view>> Pattern::groups(std::string_view line) const
{
    std::vector<re2::StringPiece> found(group_count() + 1);
    if (!regex_->Match({line.data(), line.size()}, 0, line.size(), re2::RE2::UNANCHORED,
                       found.data(), static_cast<int>(found.size())))
        return std::nullopt;
    std::vector<std::string_view> out;
    for (std::size_t i = 1; i < found.size(); ++i)
        out.emplace_back(found[i].data(), found[i].size());
    return out;
}

std::size_t Pattern::group_count() const
{
    return static_cast<std::size_t>(regex_->NumberOfCapturingGroups());
}

} // namespace bgt::core
