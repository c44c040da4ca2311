#pragma once
/// Text that other programs wrote, made safe to show.
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace bgt {

/// Valid UTF-8: each invalid byte becomes U+FFFD. Control characters stay.
std::string to_valid_utf8(std::string_view bytes);

/// One line that a terminal shows as it stands: valid UTF-8, each control character (C0, DEL, C1)
/// as `?`, and so each line separator, change of writing direction and invisible character; newline
/// and tab as a space.
std::string printable(std::string_view bytes);

/// The same JSON with `\uXXXX` in place of DEL, C1 and the other characters that printable() does
/// not show: a parser reads the same values, and a terminal shows what stands there. `json` is JSON
/// in UTF-8 without raw C0 characters in its strings.
std::string escape_unsafe_json(std::string json);

/// How many terminal columns valid UTF-8 takes (wide CJK and emoji 2, combining 0). Control
/// characters count 0.
std::size_t display_width(std::string_view utf8);

/// The longest prefix of at most `columns` columns, with "…" as its last column where something was
/// cut. Zero columns: empty.
std::string fit(std::string_view utf8, std::size_t columns);

/// `word` quoted so that a POSIX shell reads it back as one word; as it is where that needs no
/// quotes.
std::string shell_quote(std::string_view word);
/// All words, quoted, joined by spaces.
std::string shell_join(const std::vector<std::string>& words);

/// The parts of `text` between the separators, empty ones too: one more than there are separators.
std::vector<std::string> split(std::string_view text, char separator);

/// Up to three of `candidates` that differ from `word` by at most a third of its letters (by one at
/// least, where it has two or more), the nearest first. `word` itself is not among them.
std::vector<std::string> near_matches(std::string_view word,
                                      const std::vector<std::string>& candidates);

} // namespace bgt
