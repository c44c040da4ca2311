#pragma once
/// Wildcards within one name of a path, as globs and .gitignore have them.
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace bgt::core {

/// The place after the `]` that ends the bracket expression at `at` (where its `[` is); npos: it
/// has no end.
std::size_t end_of_bracket(std::string_view pattern, std::size_t at);

/// Whether the name, which has no slash, matches: `*` any text, `?` any byte, `[a-z]`, `[!a]` and
/// `[[:alpha:]]` one byte, `\` takes the next byte as it is. A bracket without an end and a `\` at
/// the end match nothing. Takes at most the product of both lengths in steps.
bool matches_name(std::string_view pattern, std::string_view name);

/// Whether the pattern has none of `* ? [ \`.
bool is_plain_name(std::string_view pattern);

/// The parts between slashes; a slash in a bracket expression separates nothing. Empty parts are
/// left out.
std::vector<std::string> split_pattern(std::string_view pattern);
/// The names of a path.
std::vector<std::string_view> split_path(std::string_view path);

/// Where in a list of patterns one may stand after some names of a path: `**` is any number of
/// names.
class PatternWalk {
public:
    explicit PatternWalk(const std::vector<std::string>& pattern);
    void enter(std::string_view name);
    /// All of the pattern was met.
    bool is_at_end() const { return at_.back(); }
    /// More names can lead to its end, or are there already.
    bool is_possible() const;
    /// More names can lead to its end.
    bool leads_on() const;

private:
    void pass_stars();

    const std::vector<std::string>& pattern_;
    std::vector<bool> at_; ///< one more than the pattern has parts
};

} // namespace bgt::core
