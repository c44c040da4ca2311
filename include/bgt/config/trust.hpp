#pragma once
/// What a bgt.toml may do before its user has said that he trusts it (`bgt trust`). Who clones a
/// folder owns every file in it, so the owner of a bgt.toml proves nothing: until then it may
/// describe commands, but neither run, redirect nor remove anything.
#include <bgt/base/result.hpp>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bgt::config {

/// What a key needs in order to count in a bgt.toml. In the user's own file and in BGT_* each
/// counts.
enum class Needs : unsigned char {
    nothing,      ///< it describes the tasks that are started there, and reaches nothing else
    trust,        ///< it runs or redirects something
    own_settings, ///< it never applies there, trusted or not
};

/// Whether the user has trusted a file by its path and its content.
enum class Trust : unsigned char {
    none,
    changed, ///< with another content
    given,
};

/// Looks it up for these bytes of this file (absolute path). Error: why no answer can be had.
using TrustCheck = std::function<Result<Trust>(const std::string& file, std::string_view text)>;

/// The bgt.toml that was read: where it was found, and the very bytes that were parsed.
class Project {
public:
    /// Without a `check` nothing is trusted.
    Project(std::string file, std::string text, TrustCheck check);

    const std::string& file() const { return file_; }
    const std::string& text() const { return text_; }
    std::string folder() const;
    /// Looked up at the first call, as most files hold nothing that needs it.
    bool is_trusted() const;
    /// Why not, for a person: "FILE is not trusted". Safe to print.
    std::string why_not() const;

private:
    std::string file_, text_;
    TrustCheck check_;
    mutable std::optional<Result<Trust>> answer_;
};

/// A setting of a bgt.toml that is not in force, and why.
struct IgnoredSetting {
    std::string value;
    std::string where; ///< "FILE:LINE"
    Needs needs = Needs::trust;
};

/// The line that tells it: `untrusted` are the keys that need trust, `own_only` those that never
/// apply in a bgt.toml. Safe to print. Precondition: one of them is not empty.
std::string ignored_line(const Project&, const std::vector<std::string>& untrusted,
                         const std::vector<std::string>& own_only);

} // namespace bgt::config
