#include <bgt/ops/send.hpp>

#include <bgt/base/descriptor.hpp>
#include <bgt/core/end_words.hpp>
#include <bgt/ops/select.hpp>
#include <bgt/ops/snapshot.hpp>
#include <bgt/os/clock.hpp>
#include <bgt/store/open_file.hpp>
#include <bgt/supervise/await_served.hpp>
#include <bgt/supervise/control.hpp>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <csignal>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

namespace bgt::ops {
namespace {

using Deadline = std::optional<Instant>;

/// A pipe without a reader is seen as EPIPE, and does not end this program, while this lives.
class WithoutSigpipe {
public:
    WithoutSigpipe() : before_(std::signal(SIGPIPE, SIG_IGN)) {}
    ~WithoutSigpipe() { std::signal(SIGPIPE, before_); }
    WithoutSigpipe(const WithoutSigpipe&) = delete;
    WithoutSigpipe& operator=(const WithoutSigpipe&) = delete;

private:
    void (*before_)(int);
};

/// Until `fd` can be read or written; false: the deadline passed.
Result<bool> await(int fd, short events, const Deadline& deadline, Cancel cancel)
{
    for (;;) {
        int timeout = -1;
        if (deadline) {
            const auto left =
                std::chrono::ceil<std::chrono::milliseconds>(*deadline - os::now()).count();
            timeout = static_cast<int>(std::clamp<std::int64_t>(left, 0, INT_MAX));
        }
        pollfd fds[] = {{fd, events, 0}, {cancel.fd, POLLIN, 0}};
        const int ready = ::poll(fds, 2, timeout);
        if (ready == 0) return false;
        if (ready < 0 && errno != EINTR) return Error::system("poll", errno);
        if (ready < 0) continue;
        if (fds[1].revents != 0) return cancelled();
        return true;
    }
}

enum class Sent : std::uint8_t {
    all,
    too_slow, ///< the deadline passed while the pipe was full
};

Result<Sent> write_before(int fd, std::string_view bytes, const Deadline& deadline, Cancel cancel)
{
    while (!bytes.empty()) {
        const ssize_t n = retry_on_eintr([&] { return ::write(fd, bytes.data(), bytes.size()); });
        if (n >= 0) {
            bytes.remove_prefix(static_cast<std::size_t>(n));
            continue;
        }
        if (errno == EPIPE) return Error::failed("nobody reads its stdin any more");
        if (errno != EAGAIN) return Error::system("can't write to its stdin", errno);
        const Result<bool> writable = await(fd, POLLOUT, deadline, cancel);
        if (!writable) return writable.error();
        if (!*writable) return Sent::too_slow;
    }
    return Sent::all;
}

/// What comes from `source` to `fd`, until its end.
Result<Sent> copy(int source, int fd, const Deadline& deadline, Cancel cancel)
{
    char buffer[16 * 1024];
    for (;;) {
        const Result<bool> readable = await(source, POLLIN, deadline, cancel);
        if (!readable) return readable.error();
        if (!*readable) return Sent::too_slow;
        const ssize_t n = retry_on_eintr([&] { return ::read(source, buffer, sizeof buffer); });
        if (n < 0) return Error::system("can't read stdin", errno);
        if (n == 0) return Sent::all;
        auto sent = write_before(fd, std::string_view(buffer, static_cast<std::size_t>(n)),
                                 deadline, cancel);
        if (!sent || *sent != Sent::all) return sent;
    }
}

Result<Fd> open_stdin_of(store::Root& root, store::TaskId id)
{
    const auto name = "task " + to_string(id);
    auto looked = recover_and_inspect(root, id, {});
    if (!looked) return looked.error();
    if (!looked->problem.empty()) return Error::failed(looked->problem);
    if (looked->status.lifecycle == core::Lifecycle::queued)
        return Error::failed(supervise::waiting_text(id));
    if (is_over(looked->status))
        return Error::failed(name + " has " + core::ended_words(looked->status.outcome));
    auto folder = root.open_task(id);
    if (!folder) return folder.error();
    const auto spec = store::read_spec(folder->fd());
    if (spec && spec->stdin_from != store::StdinFrom::pipe)
        return Error::usage(name + " was not started with --stdin pipe");
    if (looked->status.stdin_closed)
        return Error::failed("the stdin of " + name + " was closed (--eof)");
    auto in = store::open_fifo(*folder, store::file::in_fifo, O_WRONLY);
    if (!in && in.error().sys_errno == ENXIO)
        return Error::failed("nobody reads the stdin of " + name + " any more");
    return in;
}

Result<Sent> send_to(int fd, const SendRequest& request, const Deadline& deadline, Cancel cancel)
{
    if (request.text) return write_before(fd, *request.text, deadline, cancel);
    return request.from_fd ? copy(*request.from_fd, fd, deadline, cancel) : Result<Sent>(Sent::all);
}

} // namespace

Result<SendAnswer> send(store::Root& root, const SendRequest& request, Cancel cancel)
{
    const Deadline deadline =
        request.timeout ? Deadline(os::now() + *request.timeout) : std::nullopt;
    Selection one;
    one.folder = request.folder;
    one.words = {request.task};
    const auto ids = select(root, one, Scope::any);
    if (!ids) return ids.error();
    const WithoutSigpipe seen_as_error;
    const auto in = open_stdin_of(root, ids->front());
    if (!in) return in.error();
    const auto sent = send_to(in->get(), request, deadline, cancel);
    if (!sent) return sent.error();
    const SendAnswer answer{ids->front(), *sent == Sent::all};
    if (!request.eof || !answer.all) return answer;
    const auto closed = supervise::request_stdin_eof(root, ids->front());
    return closed ? Result<SendAnswer>(answer) : closed.error();
}

} // namespace bgt::ops
