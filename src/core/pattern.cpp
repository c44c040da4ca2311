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
        return Error::usage("bad regular expression \"" + printable(text) + "\": " + printable(regex->error()));
    return Pattern(std::move(regex));
}

bool Pattern::matches(std::string_view line) const
{
    return re2::RE2::PartialMatch(re2::StringPiece(line.data(), line.size()), *regex_);
}

} // namespace bgt::core
