#include <bgt/store/root_events.hpp>

#include <bgt/base/descriptor.hpp>

#include "crc32c.hpp"
#include "files.hpp"

#include <algorithm>
#include <array>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace bgt::store {
namespace {

constexpr std::size_t block = 64 * 1024;

constexpr const char* removed = "older events were removed";
constexpr const char* replaced = "the event stream is another one, or was removed meanwhile";
constexpr const char* shortened = "the end of a segment was cut off";
constexpr const char* unreadable = "a segment can't be read";
constexpr const char* damaged = "damaged lines";

Fd open_segment(int root, std::uint64_t number)
{
    const std::string path = std::string(events_folder) + "/" + std::to_string(number);
    return open_file(root, path.c_str(), O_RDONLY);
}

/// Of a segment, by its first line, which begins with a checksum. 0: there is none yet.
std::uint32_t identity_of(int fd)
{
    std::array<std::byte, 8> begin{};
    if (detail::read_at(fd, begin, 0) != static_cast<std::ptrdiff_t>(begin.size())) return 0;
    return std::max(detail::crc32c(begin), 1u);
}

std::optional<WallTime> first_time(int fd)
{
    std::string text(block, '\0');
    const auto n = detail::read_at(fd, std::as_writable_bytes(std::span(text)), 0);
    if (n <= 0) return std::nullopt;
    const auto event = decode_root_event(std::string_view(text).substr(0, text.find('\n')));
    return event ? std::optional(event->at) : std::nullopt;
}

} // namespace

Result<void> EventReader::seek(const EventCursor& to)
{
    *this = EventReader(root_, limits_);
    if (to.segment == 0) return {};
    number_ = to.segment;
    offset_ = to.offset;
    identity_ = to.identity;
    segment_ = open_segment(root_, number_);
    if (!segment_) { // told by the next one, which is not the one behind this
        if (errno != ENOENT) pending_ = unreadable;
        BGT_TRY_ASSIGN(const std::vector<std::uint64_t> there, event_segments(root_));
        const auto next = std::ranges::upper_bound(there, number_);
        if (next == there.end()) {
            number_ = 0;
            pending_ = replaced;
        } else if (!is_over()) {
            number_ = *next - 1;
            offset_ = limits_.segment_bytes;
            pending_ = removed;
        }
        return {};
    }
    struct stat st {};
    if (::fstat(segment_.get(), &st) != 0) return detail::explain("can't read events", errno);
    const std::uint32_t identity = identity_of(segment_.get());
    if (identity_ != 0 && identity != identity_) {
        *this = EventReader(root_, limits_);
        pending_ = replaced;
        return {};
    }
    const auto size = static_cast<std::uint64_t>(st.st_size);
    if (offset_ > size) {
        offset_ = size;
        pending_ = shortened;
    }
    std::byte before{'\n'};
    if (offset_ > 0 && detail::read_at(segment_.get(), {&before, 1}, offset_ - 1) != 1)
        return detail::explain("can't read events", errno);
    if (before != std::byte{'\n'} && pending_ == nullptr)
        return Error::usage("--since: this is no cursor of this event stream");
    identity_ = identity;
    return {};
}

Result<void> EventReader::seek(WallTime since)
{
    *this = EventReader(root_, limits_);
    BGT_TRY_ASSIGN(const std::vector<std::uint64_t> there, event_segments(root_));
    for (auto number = there.rbegin(); number != there.rend(); ++number) {
        const Fd fd = open_segment(root_, *number);
        const auto first = fd ? first_time(fd.get()) : std::nullopt;
        if (!first || *first > since) continue;
        static_cast<void>(enter(*number));
        return {};
    }
    return {};
}

/// False: it is gone.
Result<bool> EventReader::enter(std::uint64_t number)
{
    segment_ = open_segment(root_, number);
    if (!segment_ && errno == ENOENT) return false;
    if (!segment_ && (errno == EMFILE || errno == ENFILE))
        return detail::explain("can't read events", errno);
    number_ = number;
    offset_ = segment_ ? 0 : limits_.segment_bytes;
    identity_ = 0;
    buffer_.clear();
    used_ = searched_ = 0;
    skipped_ = 0;
    too_long_ = false;
    if (!segment_) pending_ = unreadable;
    return true;
}

bool EventReader::is_over() const
{
    return offset_ >= limits_.segment_bytes;
}

bool EventReader::is_removed() const
{
    struct stat st {};
    return segment_ && ::fstat(segment_.get(), &st) == 0 && st.st_nlink == 0;
}

/// To the segment behind this one; false: there is none yet.
Result<bool> EventReader::advance()
{
    const bool was_removed = is_removed();
    if (number_ != 0 && !is_over() && !was_removed) return false;
    BGT_TRY_ASSIGN(const std::vector<std::uint64_t> there, event_segments(root_));
    auto next = std::ranges::upper_bound(there, number_);
    const bool begins_anew = next == there.end() && was_removed && !there.empty();
    if (begins_anew) next = there.begin();
    if (next == there.end()) return false;
    const char* missing = nullptr;
    if (begins_anew || (number_ != 0 && !is_over())) missing = replaced;
    else if (number_ != 0 && *next > number_ + 1) missing = removed;
    BGT_TRY_ASSIGN(const bool entered, enter(*next));
    if (missing != nullptr && pending_ == nullptr) pending_ = missing;
    // Gone between the two calls: what is behind it is there now.
    return entered ? Result<bool>(true) : advance();
}

/// False: there is no more at present.
bool EventReader::fill()
{
    if (!segment_) return false;
    if (used_ > 0) buffer_.erase(0, std::exchange(used_, 0));
    const std::size_t had = buffer_.size();
    buffer_.resize(had + block);
    const auto n =
        detail::read_at(segment_.get(), std::as_writable_bytes(std::span(buffer_)).subspan(had),
                        offset_ + skipped_ + had);
    buffer_.resize(had + static_cast<std::size_t>(std::max<std::ptrdiff_t>(n, 0)));
    if (n > 0) return true;
    struct stat st {};
    if (::fstat(segment_.get(), &st) != 0) return false;
    const auto size = static_cast<std::uint64_t>(st.st_size);
    if (size >= offset_) return false;
    offset_ = size;
    pending_ = shortened;
    return false;
}

/// The line at `offset_`, whole, without its newline. It stays until it is consumed.
EventReader::Step EventReader::find_line(std::string_view& line)
{
    while (!is_over()) {
        const std::size_t end = buffer_.find('\n', used_ + searched_);
        const std::size_t have = buffer_.size() - used_;
        if (end != std::string::npos) {
            line = std::string_view(buffer_).substr(used_, end - used_);
            return too_long_ ? Step::more : Step::line;
        }
        searched_ = have;
        if (have > max_event_line) {
            too_long_ = true;
            skipped_ += have;
            buffer_.clear();
            used_ = searched_ = 0;
        }
        if (skipped_ > limits_.segment_bytes + 2 * max_event_line) { // what no bgt has written
            offset_ = limits_.segment_bytes;
            ++damaged_;
            break;
        }
        if (!fill()) break;
    }
    return Step::end;
}

EventReader::Item EventReader::gap(const char* why, std::int64_t count)
{
    Item item;
    item.event.type = "gap";
    item.event.level = core::EventLevel::warning;
    item.event.data.emplace_back("why", std::string(why));
    if (count > 0) item.event.data.emplace_back("lines", count);
    item.after = cursor();
    return item;
}

EventCursor EventReader::cursor()
{
    if (identity_ == 0 && segment_) identity_ = identity_of(segment_.get());
    return {number_, number_ == 0 ? 0 : offset_, identity_};
}

Result<std::optional<EventReader::Item>> EventReader::next()
{
    while (true) {
        if (pending_ != nullptr) return std::optional(gap(std::exchange(pending_, nullptr), 0));
        std::string_view line;
        const Step step = find_line(line);
        if (step == Step::end) {
            if (damaged_ > 0) return std::optional(gap(damaged, std::exchange(damaged_, 0)));
            BGT_TRY_ASSIGN(const bool goes_on, advance());
            if (!goes_on && pending_ == nullptr) return std::optional<Item>();
            continue;
        }
        std::optional<RootEvent> event;
        const bool is_empty = step == Step::line && line.empty();
        if (step == Step::line && !is_empty) event = decode_root_event(line);
        // Before this one.
        if (event && damaged_ > 0) return std::optional(gap(damaged, std::exchange(damaged_, 0)));
        offset_ += std::exchange(skipped_, 0) + line.size() + 1;
        used_ += line.size() + 1;
        searched_ = 0;
        too_long_ = false;
        if (event) return std::optional(Item{std::move(*event), cursor()});
        if (!is_empty) ++damaged_;
    }
}

} // namespace bgt::store
