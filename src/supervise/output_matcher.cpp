#include <bgt/supervise/output_matcher.hpp>

#include <algorithm>

namespace bgt::supervise {
namespace {

constexpr std::uint64_t bytes_a_scan = 16u << 20;

std::string by_descriptor(int fd)
{
    return "/proc/self/fd/" + std::to_string(fd);
}

} // namespace

Result<OutputMatcher> OutputMatcher::open(const store::TaskDir& dir, std::uint64_t freed_out,
                                          std::uint64_t freed_err)
{
    OutputMatcher matcher;
    Result<store::LogFile> out = store::LogFile::open(dir, store::WhichLog::out);
    if (!out) return out.error();
    Stream& first = matcher.streams_.emplace_back();
    first.file = std::move(*out);
    first.at = std::min(first.file.freed(freed_out), first.file.size());
    Result<store::LogFile> err = store::LogFile::open(dir, store::WhichLog::err);
    if (!err)
        return err.error().kind == ErrorKind::usage ? Result<OutputMatcher>(std::move(matcher))
                                                    : err.error();
    Stream& second = matcher.streams_.emplace_back();
    second.file = std::move(*err);
    second.at = std::min(second.file.freed(freed_err), second.file.size());
    return matcher;
}

void OutputMatcher::skip_to(std::uint64_t out, std::uint64_t err)
{
    streams_.front().at = std::max(streams_.front().at, out);
    if (streams_.size() > 1) streams_[1].at = std::max(streams_[1].at, err);
}

void OutputMatcher::stop_at(std::uint64_t out, std::uint64_t err)
{
    streams_.front().end = out;
    if (streams_.size() > 1) streams_[1].end = err;
}

Result<void> OutputMatcher::watch(os::Watch& watch, const store::TaskDir& dir)
{
    for (Stream& stream : streams_) {
        Result<int> token = stream.file.exists() ? watch.add_file(by_descriptor(stream.file.fd()))
                                                 : watch.add_folder(by_descriptor(dir.fd()));
        if (!token) return token.error();
        stream.token = *token;
    }
    return renew(watch, dir); // a log that was made before its folder was watched tells nobody
}

void OutputMatcher::unwatch(os::Watch& watch)
{
    for (Stream& stream : streams_) {
        if (stream.token) watch.remove(*stream.token);
        stream.token.reset();
    }
}

Result<void> OutputMatcher::renew(os::Watch& watch, const store::TaskDir& dir)
{
    if (streams_.front().file.exists()) return {};
    Result<OutputMatcher> now = open(dir, 0, 0);
    if (!now) return now.error();
    if (!now->streams_.front().file.exists()) return {};
    unwatch(watch);
    streams_ = std::move(now->streams_);
    return this->watch(watch, dir);
}

Result<bool> OutputMatcher::scan(const std::function<void(std::string_view)>& line)
{
    bool more = false;
    for (Stream& stream : streams_) {
        Result<bool> scanned = scan_stream(stream, line);
        if (!scanned) return scanned.error();
        more = more || *scanned;
    }
    return more;
}

Result<bool> OutputMatcher::scan_stream(Stream& stream,
                                        const std::function<void(std::string_view)>& line)
{
    const std::uint64_t size = std::min(stream.file.size(), stream.end);
    const std::uint64_t end = std::min(size, stream.at + bytes_a_scan);
    const std::uint64_t before = stream.at;
    while (stream.at < end) {
        Result<store::LogFile::Block> block = stream.file.read(stream.at, end);
        if (!block) return block.error();
        if (block->bytes.empty()) break;
        stream.cutter.feed(block->bytes, block->offset, [&](const store::LinePiece& piece) {
            if (piece.begins) line(piece.text);
        });
        stream.at = block->offset + block->bytes.size();
    }
    if (stream.at == before) return false;
    if (stream.cutter.is_beyond_limit()) return stream.at < size;
    if (const std::string last = stream.cutter.unfinished(); !last.empty()) line(last);
    return stream.at < size;
}

} // namespace bgt::supervise
