#include <bgt/ops/log_view.hpp>

#include "leave_queue.hpp"
#include <bgt/supervise/await_served.hpp>

#include <algorithm>
#include <sys/stat.h>
#include <thread>

namespace bgt::ops {
namespace {

constexpr std::uint64_t default_piece = 1u << 20;

} // namespace

Result<LogView> LogView::open(store::Root& root, store::TaskId id, const LogOptions& options)
{
    LogView view;
    view.options_ = &options;
    Result<TaskMonitor> task = TaskMonitor::open(root, id);
    if (!task) return task.error();
    view.task_ = std::move(*task);
    if (view.task_.dir().fd() < 0 && !view.task_.waits() && folder_of(root, id))
        return open(root, id, options); // it was just made
    if (view.task_.waits()) return Error::failed(supervise::waiting_text(id));
    if (view.task_.dir().fd() < 0)
        return Error::failed("task " + view.task_.label() + " has no folder, and so no output");
    Result<store::LogFile> file = store::LogFile::open(view.task_.dir(), options.stream);
    if (!file) return file.error();
    view.file_ = std::move(*file);
    return view;
}

Result<store::LogIndex> LogView::index() const
{
    const bool out = options_->stream == store::WhichLog::out;
    return store::LogIndex::open(task_.dir().fd(),
                                 out ? store::file::out_index : store::file::err_index);
}

/// The entry of a chunk is written just after its bytes: one that is still to come is waited for, a
/// few milliseconds at most, or a new line would get the time of the one before.
Result<store::LogIndex> LogView::settled_index() const
{
    constexpr auto slack = std::chrono::milliseconds(20);
    for (int tries = 0;; ++tries) {
        Result<store::LogIndex> seen = index();
        struct stat info {};
        if (!seen || seen->size() == 0 || tries == 5 || fstat(file_.fd(), &info) != 0) return seen;
        const WallTime written(std::chrono::seconds(info.st_mtim.tv_sec) +
                               Duration(info.st_mtim.tv_nsec));
        if (written - seen->at(seen->size() - 1).at < slack) return seen;
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
}

/// Where to begin in the attempt that is asked for.
Result<LogRange> LogView::range(std::uint64_t end)
{
    Result<AttemptBytes> within = find_attempt(task_.dir(), task_.status(), options_->stream,
                                               options_->attempt, task_.label());
    if (!within) return within.error();
    within_ = *within;
    return find_range(file_, task_.dir(), task_.status(), *options_, std::min(end, within_.end),
                      task_.label(), within_.begin);
}

Result<void> LogView::begin(const LogSink& sink, LogStyle style, SharedScreen& screen)
{
    if (!task_.problem().empty()) sink.note(task_.problem());
    end_ = file_.size();
    Result<LogRange> begin = range(end_);
    if (!begin) return begin.error();
    end_ = std::min(end_, within_.end);
    for (const std::string& note : begin->notes) sink.note(note);
    at_ = begin->offset;
    if (options_->max_bytes)
        end_ = std::min(end_, at_ + std::min(*options_->max_bytes, end_ - at_));
    timestamps_ = style.timestamps;
    style_ = style;
    screen_ = &screen;
    printer_ = std::make_unique<LogPrinter>(std::move(style), screen);
    if (!timestamps_) return {};
    Result<store::LogIndex> times = index();
    if (!times) return times.error();
    printer_->set_times(store::IndexCursor(std::move(*times), at_));
    return {};
}

Result<void> LogView::go_on_with(store::Root& root, store::TaskId id, const LogOptions& options,
                                 const LogSink& sink)
{
    Result<LogView> next = open(root, id, options);
    if (!next) return next.error();
    if (Result<void> begun = next->begin(sink, style_, *screen_); !begun) return begun;
    next->asked_name = asked_name;
    *this = *std::move(next);
    return {};
}

/// How many bytes were read.
Result<std::uint64_t> LogView::print_upto(const LogSink& sink, std::uint64_t end)
{
    const std::uint64_t before = at_;
    while (at_ < end) {
        Result<store::LogFile::Block> block = file_.read(at_, end);
        if (!block) return block.error();
        if (block->bytes.empty()) break;
        if (block->offset > at_)
            sink.note(std::to_string(block->offset - at_) + " bytes of the output of " +
                      task_.label() + " were freed (--log-max) before they could be read");
        text_.clear();
        printer_->feed(block->bytes, block->offset, text_);
        at_ = block->offset + block->bytes.size();
        if (!text_.empty()) sink.print(text_);
    }
    return at_ - before;
}

Result<bool> LogView::print_some(const LogSink& sink, std::uint64_t most)
{
    const std::uint64_t size = std::min(file_.size(), within_.end);
    Result<std::uint64_t> read = print_upto(sink, std::min(size, at_ + most));
    if (!read) return read.error();
    return *read > 0 && at_ < size;
}

Result<void> LogView::print_all(const LogSink& sink)
{
    Result<std::uint64_t> read = print_upto(sink, end_);
    if (!read) return read.error();
    return {};
}

void LogView::show_unfinished(const LogSink& sink)
{
    text_.clear();
    printer_->show_unfinished(text_);
    if (!text_.empty()) sink.print(text_);
}

void LogView::finish(const LogSink& sink)
{
    text_.clear();
    printer_->finish(text_);
    if (!text_.empty()) sink.print(text_);
}

Result<LogPiece> LogView::piece(const LogStyle& style)
{
    if (!task_.problem().empty()) return Error::failed(task_.problem());
    const bool over = task_.over(); // known before the size is asked: nothing comes after it then
    const std::uint64_t size = file_.size();
    const std::uint64_t before = options_->before.value_or(size);
    if (before > size)
        return Error::usage("the log of " + task_.label() + " has " + std::to_string(size) +
                            " bytes: --before " + std::to_string(before) + " is beyond its end");
    BGT_TRY_ASSIGN(const LogRange begin, range(before));
    PieceRequest request;
    request.max_bytes = options_->max_bytes.value_or(default_piece);
    request.end = std::max(std::min(before, within_.end), begin.offset);
    request.over = over || size >= within_.end || before < size;
    request.begin = begin.offset;
    request.skipped = begin.skipped;
    BGT_TRY_ASSIGN(store::LogIndex times, index());
    BGT_TRY_ASSIGN(LogPiece piece, options_->newest
                                       ? read_newest_piece(file_, request, style, std::move(times))
                                       : read_piece(file_, request, style, std::move(times)));
    piece.id = task_.id().value;
    piece.log_size = size;
    if (before < std::min(size, within_.end)) piece.end_of_log = false;
    const bool out = options_->stream == store::WhichLog::out;
    const std::uint64_t freed =
        file_.freed(out ? task_.status().freed_bytes : task_.status().freed_err_bytes);
    if (piece.start > std::max(freed, within_.begin)) piece.before = piece.start;
    return piece;
}

Result<void> LogView::watch_log(os::Watch& watch)
{
    const char* const name =
        options_->stream == store::WhichLog::out ? store::file::out_log : store::file::err_log;
    Result<int> token = file_.exists()
                            ? watch.add_file("/proc/self/fd/" + std::to_string(file_.fd()))
                            : watch.add_folder("/proc/self/fd/" + std::to_string(task_.dir().fd()));
    if (!token)
        return Error::system("watching " + std::string(name) + " of " + task_.label(),
                             token.error().sys_errno);
    token_ = *token;
    return {};
}

void LogView::unwatch_log(os::Watch& watch)
{
    if (token_) watch.remove(*token_);
    token_.reset();
}

Result<void> LogView::renew(os::Watch& watch)
{
    if (!file_.exists()) {
        Result<store::LogFile> file = store::LogFile::open(task_.dir(), options_->stream);
        if (!file) return file.error();
        if (file->exists()) {
            file_ = std::move(*file);
            unwatch_log(watch);
            if (Result<void> watched = watch_log(watch); !watched) return watched;
        }
    }
    if (!timestamps_ || file_.size() <= at_) return {};
    Result<store::LogIndex> times = settled_index();
    if (!times) return times.error();
    printer_->times()->refresh(std::move(*times));
    return {};
}

namespace {

/// By a word, as it is or as it is said inside its project.
bool is_said(const Selection& selection, std::string_view name)
{
    const auto short_name = name.substr(name.find(store::project_separator) + 1);
    return std::ranges::any_of(selection.words, [&](const std::string& word) {
        return word == name || (!selection.folder.empty() && word == short_name);
    });
}

} // namespace

Result<Selected> select_logs(store::Root& root, const Selection& selection,
                             const LogOptions& options, const OnMissing& missing)
{
    Result<Selected> found = select_each(root, selection, Scope::any, missing);
    if (!found) return found.error();
    if ((options.cursor.value_or(0) > 0 || options.before) && found->ids.size() > 1)
        return Error::usage((options.before ? "--before" : "--cursor") +
                            std::string(" is a place in the log of one task: name one"));
    return found;
}

Result<Each<LogView>> open_logs(store::Root& root, const Selection& selection,
                                const LogOptions& options, const OnMissing& missing)
{
    Result<Selected> found = select_logs(root, selection, options, missing);
    if (!found) return found.error();
    make_room_for(found->ids.size());
    Each<LogView> opened{std::move(found->missing), {}};
    for (const store::TaskId id : found->ids) {
        Result<LogView> view = LogView::open(root, id, options);
        if (view && is_said(selection, view->task().status().name))
            view->asked_name = view->task().status().name;
        opened.tasks.push_back({id, std::move(view)});
    }
    return opened;
}

Result<Each<LogPiece>> read_log(store::Root& root, const Selection& selection,
                                const LogOptions& options, const OnMissing& missing)
{
    LogStyle style;
    style.text = options.raw ? store::LineText::raw : store::LineText::rendered;
    style.timestamps = options.timestamps;
    style.grep = options.grep ? &*options.grep : nullptr;
    style.ends_lines = style.grep != nullptr;
    Result<Selected> found = select_logs(root, selection, options, missing);
    if (!found) return found.error();
    Each<LogPiece> answer{std::move(found->missing), {}};
    for (const store::TaskId id :
         found->ids) { // one open at a time: there may be more of them than descriptors
        Result<LogView> view = LogView::open(root, id, options);
        answer.tasks.push_back({id, view ? view->piece(style) : Result<LogPiece>(view.error())});
    }
    return answer;
}

} // namespace bgt::ops
