#include "observer.hpp"

#include <bgt/base/descriptor.hpp>
#include <bgt/core/share.hpp>
#include <bgt/os/background.hpp>
#include <bgt/os/clock.hpp>
#include <bgt/store/open_file.hpp>

#include <algorithm>
#include <array>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace bgt::supervise {
namespace {

/// Of a flood of output only so much of its end is read: whatever is new in it shows there as well.
constexpr std::uint64_t max_read = 1 << 20;

os::StdinFifo find_fifos(int folder, const store::TaskSpec& spec)
{
    os::StdinFifo found;
    const auto find = [&](const char* name, std::uint64_t& inode) {
        struct stat info {};
        if (fstatat(folder, name, &info, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISFIFO(info.st_mode))
            return;
        found.dev = info.st_dev;
        inode = info.st_ino;
    };
    if (spec.stdin_from == store::StdinFrom::pipe) find(store::file::in_fifo, found.ino);
    find(store::file::out_fifo, found.out);
    if (spec.split) find(store::file::err_fifo, found.err);
    return found;
}

/// What the living used, and those that they waited for.
Duration cpu_of(const core::Sample& sample)
{
    Duration sum{};
    for (const core::ProcessSample& process : sample.processes)
        sum += process.cpu + process.reaped_cpu;
    return sum;
}

bool needs_network(core::Activity activity)
{
    return activity == core::Activity::trickle || activity == core::Activity::blocked;
}

} // namespace

Observer::Observer(int folder, const store::TaskSpec& spec)
    : folder_(folder), stdin_fifo_(find_fifos(folder, spec))
{
    streams_.push_back(
        {store::file::out_log, {}, 0, store::LineCutter{store::LineText::rendered, max_line}});
    if (spec.split)
        streams_.push_back(
            {store::file::err_log, {}, 0, store::LineCutter{store::LineText::rendered, max_line}});
    if (spec.progress_pattern.empty()) return;
    if (Result<core::Pattern> pattern = core::Pattern::compile(spec.progress_pattern))
        pattern_ = std::move(*pattern);
}

void Observer::begin(Instant now)
{
    output_ = text_ = cpu_ = io_ = beat_ = std::nullopt;
    progress_.reset();
    progress_reader_ = {};
    // Nothing of the attempt has used anything yet: an empty sample to compare with.
    core::Sample start;
    start.at = now;
    const Duration reaped = os::reaped_cpu();
    if (before_) {
        // The tree of the attempt before is empty: all that it used has been waited for.
        core::Sample end;
        end.at = now;
        end.reaped_cpu = reaped;
        cpu_used_ += core::compare(*before_, end).cpu;
    }
    // A tick is coarse, and the main process was started a moment ago.
    const auto ago = static_cast<std::uint64_t>((os::now() - now) / std::chrono::seconds(1) + 1) *
                     os::ticks_per_second();
    start.start_now = os::ticks_now() - std::min(os::ticks_now(), ago);
    start.reaped_cpu = reaped;
    start.sockets_known = true;
    before_ = std::move(start);
    earlier_.reset();
}

const std::optional<core::Sample>& Observer::sample_before(Instant now) const
{
    constexpr Duration long_enough = std::chrono::seconds(1);
    return earlier_ && before_ && now - before_->at < long_enough ? earlier_ : before_;
}

void Observer::leave_out(Duration cpu)
{
    left_out_ += cpu;
    for (std::optional<core::Sample>* sample : {&before_, &earlier_})
        if (*sample) (*sample)->reaped_cpu += cpu; // so that it is no news in the next sample
}

core::Liveness Observer::sample(const std::vector<os::ProcStat>& members, Instant now)
{
    read_output(now);
    if (!before_) text_.reset(); // what was written before this supervisor took over
    core::Sample sample = os::take_sample(members, stdin_fifo_);
    os::add_cpu_waits(sample, before_ ? &*before_ : nullptr);
    for (const Stream& stream : streams_) sample.output_bytes += stream.at;
    core::Liveness liveness{
        output_.value_or(Instant{}), text_.value_or(Instant{}), beat_.value_or(Instant{}), {}, {}};
    if (before_) {
        // Of two samples that are close together, no share can be told.
        const bool too_soon = earlier_ && sample.at - before_->at < core::min_share_span;
        const core::Sample& base = too_soon ? *earlier_ : *before_;
        const auto classify = [&] {
            return core::classify(core::compare(base, sample), base, sample, unfinished_line_);
        };
        liveness.activity = classify();
        if (needs_network(liveness.activity)) {
            os::add_sockets(sample, members);
            liveness.activity = classify();
        }
        const core::Used used = core::compare(*before_, sample);
        if (used.cpu > Duration::zero()) cpu_ = now, cpu_span_ = used.span;
        cpu_used_ += used.cpu;
        if (used.disk_bytes + used.net_bytes + used.written_bytes > 0)
            io_ = now, io_span_ = used.span;
    } else {
        cpu_used_ = std::max(cpu_used_, cpu_of(sample)); // of an adopted tree: at least that
    }
    const bool is_apart = !before_ || sample.at - before_->at >= core::min_share_span;
    std::optional<core::Sample> replaced = std::exchange(before_, std::move(sample));
    if (is_apart || !earlier_) earlier_ = std::move(replaced);
    liveness.cpu = cpu_used_;
    os::give_back_memory(); // the next sample may be a minute away
    return liveness;
}

void Observer::read_output(Instant now)
{
    for (Stream& stream : streams_) read_stream(stream, now);
    unfinished_line_ = std::ranges::any_of(
        streams_, [](const Stream& stream) { return !stream.cutter.unfinished().empty(); });
}

void Observer::read_stream(Stream& stream, Instant now)
{
    if (!stream.log) stream.log = store::open_file(folder_, stream.name, O_RDONLY);
    struct stat info {};
    if (!stream.log || fstat(stream.log.get(), &info) != 0) return;
    const auto end = static_cast<std::uint64_t>(info.st_size);
    if (end <= stream.at) return;
    if (end - stream.at > max_read) {
        stream.at = end - max_read;
        stream.cutter = store::LineCutter{store::LineText::rendered, max_line};
    }
    std::array<char, 16384> buffer;
    while (stream.at < end) {
        const ssize_t count = retry_on_eintr([&] {
            return pread(stream.log.get(), buffer.data(),
                         std::min<std::uint64_t>(buffer.size(), end - stream.at),
                         static_cast<off_t>(stream.at));
        });
        if (count <= 0) break;
        const std::string_view bytes(buffer.data(), static_cast<std::size_t>(count));
        stream.cutter.feed(bytes, stream.at,
                           [&](const store::LinePiece& piece) { take_line(piece.text, now); });
        stream.at += static_cast<std::uint64_t>(count);
    }
    if (const std::string last = stream.cutter.unfinished(); !last.empty()) take_line(last, now);
}

void Observer::take_line(std::string_view line, Instant now)
{
    if (new_text_.take(line)) text_ = output_.value_or(now);
    if (auto found = pattern_ ? core::find_progress(line, *pattern_) : progress_reader_.read(line))
        progress_ = std::move(found);
}

std::optional<core::Progress> Observer::take_progress()
{
    return std::exchange(progress_, std::nullopt);
}

} // namespace bgt::supervise
