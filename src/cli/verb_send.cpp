#include "answer.hpp"

#include <algorithm>
#include <bgt/cli/verb.hpp>
#include <bgt/cli/select.hpp>
#include <bgt/os/clock.hpp>
#include <bgt/store/open_file.hpp>
#include <bgt/supervise/control.hpp>
#include <cerrno>
#include <climits>
#include <csignal>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

namespace bgt::cli {

namespace {

using Deadline = std::optional<Instant>;

int poll_timeout(Deadline deadline)
{
    if (!deadline) return -1;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(*deadline - os::now()).count();
    return static_cast<int>(std::clamp<std::int64_t>(left, 0, INT_MAX));
}

enum class Sent : std::uint8_t {
    all,
    too_slow, ///< the deadline passed while the pipe was full
};

Result<Sent> write_before(int fd, std::string_view bytes, Deadline deadline)
{
    while (!bytes.empty()) {
        const ssize_t n = ::write(fd, bytes.data(), bytes.size());
        if (n >= 0) {
            bytes.remove_prefix(static_cast<std::size_t>(n));
            continue;
        }
        if (errno == EINTR) continue;
        if (errno == EPIPE) return Error::failed("nobody reads its stdin any more");
        if (errno != EAGAIN) return Error::system("can't write to its stdin", errno);
        pollfd wait{fd, POLLOUT, 0};
        if (::poll(&wait, 1, poll_timeout(deadline)) == 0) return Sent::too_slow;
    }
    return Sent::all;
}

/// stdin of this process to `fd`, until its end.
Result<Sent> copy_stdin(int fd, Deadline deadline)
{
    char buffer[16 * 1024];
    for (;;) {
        pollfd wait{STDIN_FILENO, POLLIN, 0};
        if (deadline && ::poll(&wait, 1, poll_timeout(deadline)) == 0) return Sent::too_slow;
        const ssize_t n = ::read(STDIN_FILENO, buffer, sizeof buffer);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return Error::system("can't read stdin", errno);
        if (n == 0) return Sent::all;
        auto sent = write_before(fd, std::string_view(buffer, static_cast<std::size_t>(n)), deadline);
        if (!sent || *sent != Sent::all) return sent;
    }
}

class Send final : public Verb {
public:
    void declare(Parser&) override;
    int run(Context&) override;

private:
    Result<Fd> open_stdin_of(store::Root&, store::TaskId) const;
    Result<Sent> write(int fd, Deadline) const;

    std::vector<std::string> words_; ///< the task, then the text
    bool no_newline_ = false, eof_ = false;
    std::optional<std::string> timeout_;
};

void Send::declare(Parser& parser)
{
    parser.words(words_, "TASK", Value::text);
    parser.first_word(Value::task);
    parser.flag("-n,--no-newline", no_newline_, "do not add a newline to the text");
    parser.flag("--eof", eof_, "close its stdin afterwards; without text, only close it");
    parser.option("--timeout", timeout_, "D", Value::duration, "give up after D if it does not read (exit code 124)");
    parser.example("bgt send 7 yes");
    parser.example("bgt send 7 - < answers.txt      # bytes as they are; without a text, too");
    parser.example("bgt send 7 --eof");
}

Result<Fd> Send::open_stdin_of(store::Root& root, store::TaskId id) const
{
    const auto name = "task " + to_string(id);
    auto looked = supervise::inspect(root, id, {});
    if (!looked) return looked.error();
    if (!looked->problem.empty()) return Error::failed(looked->problem);
    if (supervise::is_over(looked->status))
        return Error::failed(name + " has ended (" + end_in_words(looked->status) + ")");
    auto folder = root.open_task(id);
    if (!folder) return folder.error();
    const auto spec = store::read_spec(folder->fd());
    if (spec && spec->stdin_from != store::StdinFrom::pipe)
        return Error::usage(name + " was not started with --stdin pipe");
    if (looked->status.stdin_closed) return Error::failed("the stdin of " + name + " was closed (--eof)");
    auto in = store::open_fifo(*folder, store::file::in_fifo, O_WRONLY);
    if (!in && in.error().sys_errno == ENXIO) return Error::failed("nobody reads the stdin of " + name + " any more");
    return in;
}

Result<Sent> Send::write(int fd, Deadline deadline) const
{
    const bool has_text = words_.size() > 1 && !(words_.size() == 2 && words_[1] == "-");
    if (!has_text) return words_.size() == 1 && eof_ ? Result<Sent>(Sent::all) : copy_stdin(fd, deadline);
    std::string text;
    for (std::size_t i = 1; i < words_.size(); ++i) text += (i == 1 ? "" : " ") + words_[i];
    if (!no_newline_) text += '\n';
    return write_before(fd, text, deadline);
}

int Send::run(Context& context)
{
    if (words_.empty()) return context.fail(Error::usage("which task? bgt send TASK [TEXT...]"));
    Deadline deadline;
    if (timeout_) {
        const auto limit = parse_limit(*timeout_);
        if (!limit) return context.fail(Error::usage("--timeout: " + limit.error().message));
        if (*limit) deadline = os::now() + **limit;
    }
    auto root = context.root();
    if (!root) return context.fail(root.error());
    Selection one;
    one.words = {words_.front()};
    const auto ids = select(**root, one, Scope::any);
    if (!ids) return context.fail(ids.error());
    std::signal(SIGPIPE, SIG_IGN); // seen as EPIPE instead
    const auto in = open_stdin_of(**root, ids->front());
    if (!in) return context.fail(in.error());
    const auto sent = write(in->get(), deadline);
    if (!sent) return context.fail(sent.error());
    if (*sent == Sent::too_slow) {
        context.complain("task " + to_string(ids->front()) + " did not read all of it in time");
        return code::wait_timeout;
    }
    if (!eof_) return code::ok;
    const auto closed = supervise::request_stdin_eof(**root, ids->front());
    return closed ? code::ok : context.fail(closed.error());
}

} // namespace

std::unique_ptr<Verb> make_send()
{
    return std::make_unique<Send>();
}

} // namespace bgt::cli
