#include "supervisor_resources.hpp"

#include <bgt/base/descriptor.hpp>
#include <bgt/os/background.hpp>
#include <bgt/os/stdin_keeper.hpp>
#include <bgt/store/make_fifo.hpp>
#include <bgt/store/open_file.hpp>
#include <boost/system/system_error.hpp>

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

namespace bgt::supervise {
namespace {

Result<Fd> open_stdin_writer(const store::TaskDir& task, bool closed)
{
    BGT_TRY(store::make_fifo(task, store::file::in_fifo));
    if (closed) return Fd{};
    // Read-write: opening a FIFO for writing alone waits for a reader, or fails (man 7 fifo).
    return store::open_fifo(task, store::file::in_fifo, O_RDWR);
}

/// 0 where there is nothing to keep open, or another process keeps it.
Result<pid_t> keep_open(const store::TaskDir& task, const Fd& stdin_writer)
{
    if (!stdin_writer) return 0;
    Result<Fd> writer = store::open_fifo(task, store::file::in_fifo, O_WRONLY);
    if (!writer) return writer.error();
    return os::keep_stdin_open(std::move(*writer));
}

bool has_timers(boost::asio::io_context& io)
{
    bool rang = false;
    boost::asio::steady_timer timer(io, std::chrono::seconds(0));
    timer.async_wait([&](auto) { rang = true; });
    io.poll();
    io.restart();
    return rang;
}

Result<std::unique_ptr<EventSources>> open_sources(int out, int err, int control)
{
    Fd signals = os::signal_descriptor();
    if (!signals) return Error::system("making a descriptor for signals (signalfd)", errno);
    try {
        auto sources = std::make_unique<EventSources>();
        sources->signals.assign(signals.release());
        sources->out.assign(out);
        if (err >= 0) sources->err.assign(err);
        sources->control.assign(control);
        // Asio does not check whether epoll took its timer (ENOSPC:
        // /proc/sys/fs/epoll/max_user_watches).
        if (!has_timers(sources->io))
            return Error::failed("preparing to wait for the command: the kernel took no timer");
        return sources;
    } catch (const boost::system::system_error& error) {
        return Error::system("preparing to wait for the command (epoll)", error.code().value());
    }
}

} // namespace

EventSources::~EventSources()
{
    for (Stream* stream : {&out, &err, &control})
        if (stream->is_open()) stream->release();
}

Result<SupervisorResources> open_resources(store::Root root, store::TaskDir task,
                                           store::TaskSpec spec, store::Retention retention)
{
    Result<Recorder> recorder = Recorder::open(task);
    if (!recorder) return recorder.error();
    const store::Status& status = recorder->status();
    Result<LogPump> out = LogPump::open(task, LogPump::out_files, spec.log_max, status.freed_bytes);
    if (!out) return out.error();
    std::optional<LogPump> err;
    if (spec.split) {
        Result<LogPump> opened =
            LogPump::open(task, LogPump::err_files, spec.log_max, status.freed_err_bytes);
        if (!opened) return opened.error();
        err = std::move(*opened);
    }
    Result<os::ControlSocket> control = os::ControlSocket::bind(
        task.fd(), store::file::control,
        os::ControlSocket::notify_address(task.path(), store::file::control, spec.cookie));
    if (!control) return control.error();
    Fd stdin_writer;
    if (spec.stdin_from == store::StdinFrom::pipe) {
        Result<Fd> opened = open_stdin_writer(task, status.stdin_closed);
        if (!opened) return opened.error();
        stdin_writer = std::move(*opened);
    }
    const Result<pid_t> stdin_keeper = keep_open(task, stdin_writer);
    if (!stdin_keeper) return stdin_keeper.error();
    Result<std::unique_ptr<EventSources>> sources =
        open_sources(out->fifo(), err ? err->fifo() : -1, control->fd());
    if (!sources) return sources.error();
    return SupervisorResources{std::move(root),
                               std::move(task),
                               std::move(spec),
                               std::move(*recorder),
                               std::move(*out),
                               std::move(err),
                               std::move(*control),
                               std::move(stdin_writer),
                               *stdin_keeper,
                               std::move(*sources),
                               retention,
                               {},
                               {},
                               {}};
}

Result<void> watch_files(SupervisorResources& resources)
{
    if (!resources.spec.watch) return {};
    BGT_TRY_ASSIGN(resources.watched, WatchedTree::open(*resources.spec.watch, resources.spec.cwd,
                                                        resources.root.path()));
    return {};
}

void send_report(int fd, const StartReport& report)
{
    std::string bytes(
        1, report.started ? 'S' : static_cast<char>('0' + static_cast<int>(report.error.kind)));
    bytes += report.error.message;
    write_packet(fd, bytes);
}

std::optional<StartReport> receive_report(int fd)
{
    const std::string bytes = read_packet(fd);
    if (bytes.empty()) return std::nullopt;
    if (bytes[0] == 'S') return StartReport{true, {}};
    return StartReport{false, Error{static_cast<ErrorKind>(bytes[0] - '0'), bytes.substr(1), 0}};
}

} // namespace bgt::supervise
