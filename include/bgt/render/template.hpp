#pragma once
/// `--format TEMPLATE`: text with named fields, `{id} {name}\t{tag:job}`.
#include <bgt/render/words.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace bgt::render {

class Template {
public:
    /// Fields stand in braces; `{{` and `}}` are braces; `\n`, `\t` and `\\` are what they are in
    /// C. Error (usage): an unknown field (the message lists all), a brace without its partner, an
    /// unknown escape.
    static Result<Template> parse(std::string_view text);

    /// What the snapshots must hold for it.
    const ops::SnapshotFields& needs() const { return needs_; }
    /// One task, without a newline at the end. A field that is not known is empty; texts are made
    /// printable.
    std::string apply(const ops::Snapshot&, const Moment& now) const;

private:
    static constexpr std::size_t literal = static_cast<std::size_t>(-1);
    struct Piece {
        std::size_t field = literal; ///< place in the table of fields, or `literal`
        std::string text;            ///< of a literal; the KEY of `{tag:KEY}`
    };
    Result<void> add_field(std::string_view name);
    void add_text(std::string_view text);

    std::vector<Piece> pieces_;
    ops::SnapshotFields needs_;
};

/// The names of all fields with a space between them, for help and messages.
std::string template_fields();

} // namespace bgt::render
