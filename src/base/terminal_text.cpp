#include <bgt/base/terminal_text.hpp>
#include <bgt/base/text.hpp>

#include <algorithm>
#include <utility>

namespace bgt {

namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD"; // U+FFFD
constexpr std::size_t max_params = 32;                   // no sequence that is obeyed needs more
constexpr std::size_t max_csi = 256;                     // a longer one is no sequence but text
constexpr std::size_t max_string = 64 * 1024;
constexpr std::size_t max_columns =
    1024; // no terminal is wider; a few bytes must not make lines of many
constexpr std::size_t max_moved = 4 * max_columns; // bytes of a line that may be so wide

bool is_plain(char c)
{
    return (c >= ' ' && c <= '~') || c == '\t';
}

bool is_continuation(char c)
{
    return (static_cast<unsigned char>(c) & 0xC0U) == 0x80;
}

/// Length of the sequence that `lead` begins, 0 where none can begin (RFC 3629).
std::size_t utf8_length(unsigned char lead)
{
    if (lead >= 0xC2 && lead <= 0xDF) return 2;
    if (lead >= 0xE0 && lead <= 0xEF) return 3;
    if (lead >= 0xF0 && lead <= 0xF4) return 4;
    return 0;
}

/// Whether `second` may follow `lead`: no overlong forms, no surrogates, nothing above U+10FFFF.
bool second_fits(unsigned char lead, unsigned char second)
{
    if (lead == 0xE0) return second >= 0xA0 && second <= 0xBF;
    if (lead == 0xED) return second >= 0x80 && second <= 0x9F;
    if (lead == 0xF0) return second >= 0x90 && second <= 0xBF;
    if (lead == 0xF4) return second >= 0x80 && second <= 0x8F;
    return second >= 0x80 && second <= 0xBF;
}

/// The first number of `params` (man 4 console_codes), `missing` where there is none; bounded.
std::size_t first_number(std::string_view params, std::size_t missing, std::size_t most)
{
    std::size_t value = 0;
    std::size_t digits = 0;
    while (digits < params.size() && params[digits] >= '0' && params[digits] <= '9') {
        value = std::min(value * 10 + static_cast<std::size_t>(params[digits] - '0'), most);
        ++digits;
    }
    return digits == 0 ? missing : value;
}

std::size_t count_columns(std::string_view text)
{
    return static_cast<std::size_t>(
        std::count_if(text.begin(), text.end(), [](char c) { return !is_continuation(c); }));
}

} // namespace

void LineRenderer::feed(std::string_view bytes, std::string& out)
{
    while (!bytes.empty()) {
        const std::size_t plain = feed_plain(bytes, out);
        bytes.remove_prefix(plain);
        if (bytes.empty()) return;
        take(static_cast<unsigned char>(bytes.front()), out);
        bytes.remove_prefix(1);
    }
}

/// The common case in one go: plain text at the end of the line. Returns how many bytes it took.
std::size_t LineRenderer::feed_plain(std::string_view bytes, std::string& out)
{
    if (mode_ != Mode::text || utf8_need_ != 0 || beyond_ != 0 || at_ != line_.size()) return 0;
    const auto end = std::find_if_not(bytes.begin(), bytes.end(), is_plain);
    std::string_view run = bytes.substr(0, static_cast<std::size_t>(end - bytes.begin()));
    const std::size_t taken = run.size();
    while (!run.empty()) {
        if (line_.size() >= limit_) give_out(out);
        const std::string_view piece = run.substr(0, limit_ - line_.size());
        line_.append(piece);
        run.remove_prefix(piece.size());
    }
    at_ = line_.size();
    return taken;
}

bool LineRenderer::flush(std::string& out)
{
    if (mode_ == Mode::text && utf8_need_ != 0) put(replacement, out);
    const bool some = !line_.empty();
    give_out(out);
    beyond_ = 0;
    enter(Mode::text);
    utf8_need_ = utf8_have_ = 0;
    return some;
}

void LineRenderer::take(unsigned char c, std::string& out)
{
    switch (mode_) {
    case Mode::text: return take_text(c, out);
    case Mode::escape: return take_escape(c, out);
    case Mode::csi: return take_csi(c, out);
    case Mode::string:
    case Mode::string_escape: return take_string(c, out);
    case Mode::charset:
        enter(Mode::text);
        if (c < 0x20 || c > 0x7E) take_text(c, out);
        return;
    }
}

void LineRenderer::take_text(unsigned char c, std::string& out)
{
    if (utf8_need_ != 0 || c >= 0x80) return take_utf8(c, out);
    const char plain = static_cast<char>(c);
    if (is_plain(plain)) return put({&plain, 1}, out);
    take_control(c, out);
}

void LineRenderer::take_utf8(unsigned char c, std::string& out)
{
    if (utf8_need_ == 0) {
        utf8_need_ = utf8_length(c);
        if (utf8_need_ == 0) return put(replacement, out);
        utf8_[0] = static_cast<char>(c);
        utf8_have_ = 1;
        return;
    }
    const bool fits = utf8_have_ == 1 ? second_fits(static_cast<unsigned char>(utf8_[0]), c)
                                      : (c & 0xC0U) == 0x80;
    if (!fits) {
        utf8_need_ = 0;
        put(replacement, out);
        return take_text(c, out);
    }
    utf8_[utf8_have_++] = static_cast<char>(c);
    if (utf8_have_ < utf8_need_) return;
    const std::size_t length = std::exchange(utf8_need_, 0);
    if (length == 2 && utf8_[0] == '\xC2' && c < 0xA0) return take_c1(c);
    put({utf8_.data(), length}, out);
}

void LineRenderer::take_control(unsigned char c, std::string& out)
{
    switch (c) {
    case '\n':
        give_out(out);
        beyond_ = 0;
        out += '\n';
        return;
    case '\r':
        at_ = 0;
        beyond_ = 0;
        return;
    case '\b': return move_left(1);
    case 0x1B: return enter(Mode::escape);
    default: return; // dropped
    }
}

/// The 8-bit forms of the sequences, which terminals obey in UTF-8 too; the others are dropped.
void LineRenderer::take_c1(unsigned char c)
{
    if (c == 0x9B) enter(Mode::csi);
    else if (c == 0x9D || c == 0x90 || c == 0x98 || c == 0x9E || c == 0x9F) enter(Mode::string);
}

void LineRenderer::take_escape(unsigned char c, std::string& out)
{
    if (c == '[') return enter(Mode::csi);
    if (c == ']' || c == 'P' || c == 'X' || c == '^' || c == '_') return enter(Mode::string);
    if (c >= 0x20 && c <= 0x2F) return enter(Mode::charset);
    enter(Mode::text);
    if (c < 0x20 || c > 0x7E) take_text(c, out);
}

void LineRenderer::take_csi(unsigned char c, std::string& out)
{
    if (c >= 0x40 && c <= 0x7E) {
        end_csi(static_cast<char>(c));
        return enter(Mode::text);
    }
    if (c < 0x20 || c > 0x7E || ++taken_ > max_csi) {
        enter(Mode::text);
        return take_text(c, out);
    }
    if (params_.size() < max_params) params_ += static_cast<char>(c);
}

void LineRenderer::take_string(unsigned char c, std::string& out)
{
    if (mode_ == Mode::string_escape) {
        if (c == '\\') return enter(Mode::text);
        enter(Mode::escape);
        return take_escape(c, out);
    }
    if (c == 0x1B) {
        mode_ = Mode::string_escape;
        return;
    }
    if (c == 0x07 || c == 0x18 || c == 0x1A) return enter(Mode::text);
    if (c == '\n' || ++taken_ > max_string) {
        enter(Mode::text);
        take_text(c, out);
    }
}

void LineRenderer::enter(Mode mode)
{
    mode_ = mode;
    params_.clear();
    taken_ = 0;
}

void LineRenderer::end_csi(char final)
{
    switch (final) {
    case 'K': return erase(first_number(params_, 0, 9));
    case 'J':
        if (first_number(params_, 0, 9) == 0) erase(0);
        return;
    case 'G': return move_to(std::max<std::size_t>(first_number(params_, 1, max_columns), 1) - 1);
    case 'C': return move_right(std::max<std::size_t>(first_number(params_, 1, max_columns), 1));
    case 'D': return move_left(std::max<std::size_t>(first_number(params_, 1, max_columns), 1));
    default: return; // colours, modes, and moves to other lines
    }
}

/// One whole character at the cursor, in place of the one that is there.
void LineRenderer::put(std::string_view character, std::string& out)
{
    if (beyond_ != 0) {
        if (line_.size() + beyond_ > limit_) beyond_ = limit_ - std::min(limit_, line_.size());
        line_.append(std::exchange(beyond_, 0), ' ');
        at_ = line_.size();
    }
    std::size_t old = 0;
    if (at_ < line_.size()) {
        old = 1;
        while (at_ + old < line_.size() && is_continuation(line_[at_ + old])) ++old;
    }
    if (line_.size() - old + character.size() > limit_) {
        give_out(out);
        old = 0;
    }
    line_.replace(at_, old, character);
    at_ += character.size();
}

void LineRenderer::give_out(std::string& out)
{
    out += line_;
    line_.clear();
    at_ = 0;
}

/// ESC[K: 0 to the end of the line, 1 from its begin to the cursor, 2 all of it. The cursor stays.
/// Where a line is longer than any terminal, it was wrapped, and what 1 would erase can't be told.
void LineRenderer::erase(std::size_t how)
{
    if (how == 0) return line_.resize(at_);
    if (how > 2 || (how == 1 && line_.size() > max_moved)) return;
    const std::size_t columns = column();
    if (how == 1 && at_ < line_.size()) {
        std::size_t length = 1;
        while (at_ + length < line_.size() && is_continuation(line_[at_ + length])) ++length;
        line_.replace(0, at_ + length, columns + 1, ' ');
        at_ = columns;
        return;
    }
    line_.clear();
    at_ = 0;
    beyond_ = std::min({columns, limit_, max_columns});
}

std::size_t LineRenderer::column() const
{
    return count_columns(std::string_view(line_).substr(0, at_)) + beyond_;
}

void LineRenderer::move_to(std::size_t column)
{
    at_ = 0;
    beyond_ = 0;
    move_right(column);
}

void LineRenderer::move_right(std::size_t columns)
{
    while (columns > 0 && at_ < line_.size()) {
        ++at_;
        while (at_ < line_.size() && is_continuation(line_[at_])) ++at_;
        --columns;
    }
    if (columns == 0 || line_.size() > max_moved) return;
    const std::size_t room =
        std::min(limit_, max_columns) - std::min({limit_, max_columns, column()});
    beyond_ += std::min(columns, room);
}

void LineRenderer::move_left(std::size_t columns)
{
    const std::size_t from_beyond = std::min(beyond_, columns);
    beyond_ -= from_beyond;
    columns -= from_beyond;
    while (columns > 0 && at_ > 0) {
        --at_;
        while (at_ > 0 && is_continuation(line_[at_])) --at_;
        --columns;
    }
}

std::string last_line(std::string_view tail)
{
    std::string text;
    LineRenderer renderer;
    renderer.feed(tail, text);
    renderer.flush(text);
    std::string_view rest = text;
    const std::size_t end = rest.find_last_not_of(" \t\n");
    if (end == std::string_view::npos) return {};
    rest = rest.substr(0, end + 1);
    const std::size_t newline = rest.rfind('\n');
    if (newline != std::string_view::npos) rest.remove_prefix(newline + 1);
    return printable(rest);
}

} // namespace bgt
