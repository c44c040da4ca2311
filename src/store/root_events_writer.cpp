#include <bgt/store/root_events.hpp>

#include <bgt/base/descriptor.hpp>

#include "files.hpp"

#include <algorithm>
#include <charconv>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace bgt::store {
namespace {

constexpr const char* what = "can't write to the event stream (events)";
constexpr int max_turns = 16; ///< of others that are always faster

std::string path_of(std::uint64_t number)
{
    return std::string(events_folder) + "/" + std::to_string(number);
}

Fd open_segment(int root, std::uint64_t number)
{
    return open_file(root, path_of(number).c_str(), O_RDWR | O_CREAT | O_APPEND);
}

/// Something else has the name of a segment, and can't become one.
bool is_foreign(int err)
{
    return err == ELOOP || err == wrong_kind || err == wrong_owner || err == wrong_links;
}

/// Whether the last line was cut, or nobody can tell: then a newline must come first.
bool needs_newline(int fd, std::uint64_t size)
{
    std::byte last{};
    return size > 0 && (detail::read_at(fd, {&last, 1}, size - 1) != 1 || last != std::byte{'\n'});
}

std::uint64_t number_of(std::string_view name)
{
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
    const bool whole = error == std::errc{} && end == name.data() + name.size();
    constexpr std::uint64_t most = std::uint64_t{1} << 62;
    return whole && !name.starts_with('0') && number < most ? number : 0;
}

} // namespace

Result<std::vector<std::uint64_t>> event_segments(int root_fd)
{
    std::vector<std::uint64_t> numbers;
    detail::Listing folder(detail::open_below(root_fd, events_folder, O_RDONLY | O_DIRECTORY));
    if (!folder && errno == ENOENT) return numbers;
    if (!folder) return detail::explain("can't read the event stream (events)", errno);
    while (const char* name = folder.next())
        if (const std::uint64_t number = number_of(name); number > 0) numbers.push_back(number);
    std::ranges::sort(numbers);
    return numbers;
}

Result<void> EventWriter::append(std::string_view line)
{
    for (int turn = 0; turn < max_turns; ++turn) {
        if (!segment_) BGT_TRY(open_newest());
        BGT_TRY_ASSIGN(const bool written, write(line));
        if (written) return {};
    }
    return detail::explain(what, EAGAIN);
}

/// False: this segment takes no more; another one is open, or none.
Result<bool> EventWriter::write(std::string_view line)
{
    struct stat st {};
    if (::fstat(segment_.get(), &st) != 0) return detail::explain(what, errno);
    const auto size = static_cast<std::uint64_t>(st.st_size);
    if (st.st_nlink == 0) { // removed, with the folder or as an old one
        segment_.reset();
        return false;
    }
    if (size >= limits_.segment_bytes) {
        BGT_TRY(open_next());
        return false;
    }
    std::string mended;
    if (size != known_end_ && needs_newline(segment_.get(), size)) {
        mended.append("\n").append(line);
        line = mended;
    }
    const ssize_t n =
        retry_on_eintr([&] { return ::write(segment_.get(), line.data(), line.size()); });
    if (n < 0) return detail::explain(what, errno);
    // Not gone on with: another process's line may have come behind the part.
    if (static_cast<std::size_t>(n) < line.size()) return detail::explain(what, ENOSPC);
    // Where the kernel has put it (man 2 open, O_APPEND).
    const off_t end = ::lseek(segment_.get(), 0, SEEK_CUR);
    if (end < 0) return detail::explain(what, errno);
    known_end_ = static_cast<std::uint64_t>(end);
    const std::size_t own = line.size() - (mended.empty() ? 0 : 1);
    if (known_end_ - own < limits_.segment_bytes) return true;
    BGT_TRY(open_next());
    return false;
}

Result<void> EventWriter::open_newest()
{
    BGT_TRY_ASSIGN(const std::vector<std::uint64_t> there, event_segments(root_));
    number_ = there.empty() ? 1 : there.back();
    known_end_ = 0;
    segment_ = open_segment(root_, number_);
    if (!segment_ && errno == ENOENT) { // the first event of this root
        if (::mkdirat(root_, events_folder, 0700) != 0 && errno != EEXIST)
            return detail::explain(what, errno);
        segment_ = open_segment(root_, number_);
    }
    if (segment_) return {};
    if (is_foreign(errno)) return open_next();
    return detail::explain(what, errno);
}

Result<void> EventWriter::open_next()
{
    for (int turn = 0; turn < max_turns; ++turn) {
        const std::uint64_t full = number_;
        BGT_TRY_ASSIGN(const std::vector<std::uint64_t> there, event_segments(root_));
        number_ = there.empty() ? 1 : std::max(there.back(), full + 1);
        known_end_ = 0;
        const bool is_new = there.empty() || there.back() < number_;
        segment_ = open_segment(root_, number_);
        if (!segment_ && is_foreign(errno)) continue;
        if (!segment_) return detail::explain(what, errno);
        if (!is_new) return {};
        // Others may have gone further while this process was stopped: it must not make an old
        // segment anew.
        BGT_TRY_ASSIGN(const std::vector<std::uint64_t> now, event_segments(root_));
        if (!now.empty() && now.back() > number_) continue;
        for (const std::uint64_t old : now)
            if (old + limits_.kept_segments <= number_) ::unlinkat(root_, path_of(old).c_str(), 0);
        return {};
    }
    return detail::explain(what, EAGAIN);
}

} // namespace bgt::store
