#pragma once
/// The text of a log for a reader: the bytes as they stand, or lines with a prefix, a time, a
/// pattern.
#include <bgt/core/pattern.hpp>
#include <bgt/store/log_file.hpp>
#include <bgt/store/log_lines.hpp>
#include <optional>
#include <string>

namespace bgt::ops {

struct LogStyle {
    store::LineText text = store::LineText::raw;
    bool timestamps = false;
    bool local_time = false; ///< timestamps in the time zone of this process, else in UTC
    bool confined =
        false; ///< for a terminal: no line touches what stands before it (base confined_line)
    bool ends_lines = false; ///< an unfinished last line gets a newline: others follow it
    bool live = false;       ///< for a terminal: unfinished lines can be shown
    std::string prefix;      ///< "web | ", coloured where that is wanted; empty: none
    const core::Pattern* grep =
        nullptr; ///< only lines that match when rendered; of each, store::max_line
};

/// What the printers of several tasks share: who left a line unfinished on the screen.
struct SharedScreen {
    const void* owner = nullptr;
    bool mid_line = false;
};

/// Whether the line matches as a person would see it, whatever `text` it is given as.
bool matches_rendered(const core::Pattern&, const store::LinePiece&, store::LineText text);

class LogPrinter {
public:
    LogPrinter(LogStyle style, SharedScreen& screen)
        : style_(std::move(style)), screen_(screen), cutter_(style_.text)
    {}

    /// The times for `timestamps`; without them the lines begin with `-`.
    void set_times(store::IndexCursor times) { times_.emplace(std::move(times)); }
    store::IndexCursor* times() { return times_ ? &*times_ : nullptr; }
    /// Appends to `out` what is to be printed of the bytes at `offset`.
    void feed(std::string_view bytes, std::uint64_t offset, std::string& out);
    /// True when an unfinished line, a prompt for instance, is not to be seen as it stands.
    bool hides_unfinished() const;
    /// Appends the unfinished line; what comes of it later is put behind it.
    void show_unfinished(std::string& out);
    /// No more will come: appends the unfinished last line.
    void finish(std::string& out);

private:
    bool decorated() const
    {
        return style_.timestamps || !style_.prefix.empty() || style_.grep != nullptr;
    }
    void put(const store::LinePiece&, std::string& out);
    void put_bytes(std::string_view bytes, std::string& out);
    std::string shown_text(std::string_view text) const;
    bool is_altered(std::string_view text) const;
    void put_over(std::string_view text, std::uint64_t offset, std::string& out);
    void put_lines(std::string_view lines, std::uint64_t offset, std::string& out);
    void begin_line(std::uint64_t offset, std::string& out);
    void put_time(std::uint64_t offset, std::string& out);

    LogStyle style_;
    SharedScreen& screen_;
    store::LineCutter cutter_;
    std::optional<store::IndexCursor> times_;
    std::optional<WallTime> stamped_; ///< the time that `stamp_` shows
    std::string stamp_;
    std::optional<std::string> unfinished_; ///< as it was shown
    bool chosen_ = false;                   ///< the line under way is printed
};

} // namespace bgt::ops
