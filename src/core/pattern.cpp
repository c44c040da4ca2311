#include <bgt/core/pattern.hpp>

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
