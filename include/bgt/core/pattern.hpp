#pragma once
#include <bgt/base/result.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace re2 {
class RE2;
}

namespace bgt::core {

/// A regular expression of RE2 (https://github.com/google/re2/wiki/Syntax), compiled once, matched
/// in linear time. Its header stays in one .cpp: it is costly to compile, and a verb without a
/// pattern pays nothing at its start.
class Pattern {
public:
    /// Error (usage): what RE2 says is wrong with it.
    static Result<Pattern> compile(const std::string& text);
    Pattern(Pattern&&) noexcept;
    Pattern& operator=(Pattern&&) noexcept;
    ~Pattern();

    /// Whether it matches anywhere in the line (given without its newline; `^` and `$` are its
    /// ends).
    bool matches(std::string_view line) const;
    /// What its groups hold in the first match, in their order; one that took no part is empty.
    /// nullopt: no match.
    std::optional<std::vector<std::string_view>> groups(std::string_view line) const;
    std::size_t group_count() const;

private:
    explicit Pattern(std::unique_ptr<re2::RE2> regex);
    std::unique_ptr<re2::RE2> regex_;
};

} // namespace bgt::core
