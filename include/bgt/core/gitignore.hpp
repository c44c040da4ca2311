#pragma once
/// The rules of man 5 gitignore.
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bgt::core {

/// Those of one file. They are about what is below the folder of the file.
class IgnoreRules {
public:
    IgnoreRules() = default;
    /// Never an error: a line that makes no sense matches nothing, as with git. Of a file, the
    /// first 10,000 rules count, and no rule that is longer than 4,096 bytes.
    static IgnoreRules parse(std::string_view text);

    /// What the last rule that matches says of an entry: true, it is ignored; false, it is not.
    /// nullopt: no rule matches. `path` is relative to the folder of the file. That nothing below
    /// an ignored folder is looked at is the caller's part.
    std::optional<bool> ignores(std::string_view path, bool is_folder) const;
    bool empty() const { return rules_.empty(); }
    std::size_t size() const { return rules_.size(); }

private:
    struct Rule {
        std::vector<std::string> parts; ///< one: of the name alone, unless anchored
        bool anchored = false;          ///< it is about the whole path
        bool folders_only = false;
        bool negated = false;
    };
    static std::optional<Rule> parse_rule(std::string_view line);

    std::vector<Rule> rules_;
};

} // namespace bgt::core
