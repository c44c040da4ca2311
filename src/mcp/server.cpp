#include <bgt/mcp/server.hpp>

#include "answers.hpp"

#include <bgt/base/descriptor.hpp>
#include <bgt/os/background.hpp>
#include <bgt/os/clock.hpp>
#include <bgt/os/proc.hpp>
#include <bgt/os/wait.hpp>
#include <bgt/os/watch.hpp>

#include <algorithm>
#include <boost/json.hpp>
#include <csignal>
#include <list>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace bgt::mcp {

namespace {

namespace json = boost::json;

constexpr std::size_t max_helpers = 64; ///< requests that are answered at the same time
constexpr std::size_t block = 64 * 1024;
constexpr std::size_t chunk = 4096; ///< PIPE_BUF: so much a pipe takes without blocking
constexpr std::chrono::milliseconds give_up_timeout(500); ///< for a helper that was told to give up
constexpr std::chrono::milliseconds last_answers(600);    ///< they may take so long after the input

/// One request on its way.
struct Helper {
    json::value id;
    std::string watched;    ///< the URI of a subscription of the old protocol
    bool is_stream = false; ///< a subscription of the new one
    pid_t pid = 0;
    Fd answer;
    Fd give_up;       ///< its end is the signal
    std::string held; ///< a line that has not come whole
    bool cancelled = false, answered = false;
    std::optional<Instant> kill_at;
};

/// Writes without blocking, so that the end of the client is noticed meanwhile.
class Output {
public:
    Output(int fd, int client) : fd_(fd), client_(client) {}
    bool is_open() const { return open_; }

    void write(std::string_view text)
    {
        while (open_ && !text.empty()) {
            pollfd fds[] = {{fd_, POLLOUT, 0}, {client_, POLLIN, 0}};
            if (retry_on_eintr([&] { return ::poll(fds, 2, -1); }) < 0) open_ = false;
            if (!open_ || (fds[1].revents & POLLIN) != 0) return void(open_ = false);
            const std::string_view part = text.substr(0, chunk);
            const ssize_t written = write_some(part);
            if (written < 0 && errno != EAGAIN) return void(open_ = false);
            if (written > 0) text.remove_prefix(static_cast<std::size_t>(written));
        }
    }

private:
    ssize_t write_some(std::string_view part)
    {
        if (is_socket_) {
            const ssize_t sent = retry_on_eintr(
                [&] { return ::send(fd_, part.data(), part.size(), MSG_DONTWAIT | MSG_NOSIGNAL); });
            if (sent >= 0 || errno != ENOTSOCK) return sent;
            is_socket_ = false;
        }
        return retry_on_eintr([&] { return ::write(fd_, part.data(), part.size()); });
    }

    int fd_, client_;
    bool open_ = true, is_socket_ = true;
};

/// A pidfd of the program that started this one; none where it is the one that adopts orphans.
Fd watch_parent()
{
    const pid_t parent = ::getppid();
    if (parent <= 1) return {};
    const auto key = os::key_of(parent);
    auto pidfd = key ? os::open_pidfd(*key) : std::nullopt;
    return pidfd ? *std::move(pidfd) : Fd();
}

class Loop {
public:
    Loop(const Server& server, os::Watch watch)
        : server_(server),
          watch_(std::move(watch)),
          parent_(watch_parent()),
          output_(server.out, parent_.get())
    {}

    void run()
    {
        watch_.add_fd(server_.in);
        if (parent_) watch_.add_fd(parent_.get());
        const pid_t parent = ::getppid();
        while (output_.is_open() && !is_done()) {
            const auto wake = watch_.wait(next_time());
            if (!wake) return;
            const auto is_ready = [&](int fd) {
                return fd >= 0 && std::ranges::find(wake->fds, fd) != wake->fds.end();
            };
            if (is_ready(parent_.get()) || ::getppid() != parent) return;
            pass_on(is_ready);
            kill_late();
            if (is_ready(server_.in) && !read_input()) {
                watch_.remove_fd(server_.in);
                end_by_ = os::now() + last_answers;
            }
        }
        say_goodbye();
    }

private:
    /// The input has ended, and so have the requests that were about to be answered.
    bool is_done() const
    {
        if (!end_by_) return false;
        return os::now() >= *end_by_ || std::ranges::all_of(helpers_, [](const Helper& helper) {
                   return helper.is_stream || helper.cancelled || !helper.watched.empty();
               });
    }

    std::optional<Instant> next_time() const
    {
        std::optional<Instant> next = end_by_;
        for (const Helper& helper : helpers_)
            if (helper.kill_at) next = std::min(next.value_or(Instant::max()), *helper.kill_at);
        return next;
    }

    /// False at the end of the input.
    bool read_input()
    {
        std::string bytes(block, '\0');
        const ssize_t n =
            retry_on_eintr([&] { return ::read(server_.in, bytes.data(), bytes.size()); });
        if (n < 0 && errno == EAGAIN) return true;
        if (n <= 0) return false;
        reader_.feed(std::string_view(bytes).substr(0, static_cast<std::size_t>(n)));
        while (const auto line = reader_.next()) take(*line);
        return true;
    }

    void take(const LineReader::Line& line)
    {
        if (line.too_long) {
            const Fault fault{code::invalid_request, "the message is longer than 2 MiB", nullptr};
            return output_.write(error_line(nullptr, fault));
        }
        if (line.text.find_first_not_of(" \t") == std::string::npos) return;
        Action action = session_.take(parse_message(line.text));
        if (!action.reply.empty()) output_.write(action.reply);
        if (action.cancel) give_up([&](const Helper& one) { return one.id == *action.cancel; });
        if (action.unsubscribe)
            give_up([&](const Helper& one) { return one.watched == *action.unsubscribe; });
        if (action.subscribe) subscribe(*action.subscribe);
        if (action.work) begin(*std::move(action.work));
    }

    void begin(Request request)
    {
        const auto is_same = [&](const Helper& one) {
            return !one.cancelled && one.id == request.id && one.watched.empty();
        };
        if (std::ranges::any_of(helpers_, is_same))
            return refuse(request.id, code::invalid_request, "a request with this id goes on");
        if (helpers_.size() >= max_helpers)
            return refuse(request.id, code::internal_error,
                          "64 requests go on already: wait for one of them, or cancel it");
        Helper helper;
        helper.id = request.id;
        helper.is_stream = request.method == "subscriptions/listen";
        start(std::move(helper), [&, request](ops::Cancel cancel, const Emit& emit) {
            return answer_line(server_, request, cancel, emit);
        });
    }

    void subscribe(const std::string& uri)
    {
        if (std::ranges::find(helpers_, uri, &Helper::watched) != helpers_.end()) return;
        if (helpers_.size() >= max_helpers) return;
        Helper helper;
        helper.watched = uri;
        start(std::move(helper), [&, uri](ops::Cancel cancel, const Emit& emit) {
            watch_resource(server_, uri, cancel, emit);
            return std::string();
        });
    }

    void refuse(const json::value& id, int code, std::string why)
    {
        output_.write(error_line(id, {code, std::move(why), nullptr}));
    }

    /// `work` gives out lines, and returns the last one, in a helper process.
    template <class Work>
    void start(Helper helper, const Work& work)
    {
        auto answer = make_pipe("a pipe for an answer");
        auto give_up = make_pipe("a pipe for a request");
        if (!answer || !give_up)
            return refuse(helper.id, code::internal_error,
                          (answer ? give_up : answer).error().message);
        const int out = answer->writer.get(), cancel = give_up->reader.get();
        const auto forked = os::fork_helper({out, cancel}, false, [&] {
            const Emit emit = [out](const std::string& line) {
                if (write_all(out, line) != 0) ::_exit(1); // the server is gone
            };
            try {
                emit(work(ops::Cancel{cancel}, emit));
            } catch (const std::exception& error) {
                const Fault fault{code::internal_error, error.what(), nullptr};
                emit(error_line(helper.id, fault));
            }
            return 0;
        });
        if (!forked) return refuse(helper.id, code::internal_error, forked.error().message);
        helper.pid = *forked;
        helper.answer = std::move(answer->reader);
        helper.give_up = std::move(give_up->writer);
        watch_.add_fd(helper.answer.get());
        helpers_.push_back(std::move(helper));
    }

    template <class Which>
    void give_up(const Which& which)
    {
        for (Helper& helper : helpers_) {
            if (helper.cancelled || !which(helper)) continue;
            helper.cancelled = true;
            helper.give_up.reset();
            helper.kill_at = os::now() + give_up_timeout;
        }
    }

    void kill_late()
    {
        for (Helper& helper : helpers_)
            if (helper.kill_at && *helper.kill_at <= os::now()) {
                os::kill_child(helper.pid);
                helper.kill_at.reset();
            }
    }

    /// What the helpers have said.
    template <class IsReady>
    void pass_on(const IsReady& is_ready)
    {
        bool ended = false;
        for (auto helper = helpers_.begin(); helper != helpers_.end();) {
            if (is_ready(helper->answer.get()) && !pass_on(*helper)) {
                watch_.remove_fd(helper->answer.get());
                helper = helpers_.erase(helper);
                ended = true;
            } else ++helper;
        }
        if (ended || !helpers_.empty()) os::reap_all();
    }

    /// False when it has ended.
    bool pass_on(Helper& helper)
    {
        char bytes[block];
        const ssize_t n =
            retry_on_eintr([&] { return ::read(helper.answer.get(), bytes, sizeof bytes); });
        if (n > 0) {
            helper.held.append(bytes, static_cast<std::size_t>(n));
            const std::size_t whole = helper.held.rfind('\n') + 1;
            if (whole > 0 && !helper.cancelled)
                output_.write(std::string_view(helper.held).substr(0, whole));
            helper.answered = helper.answered || whole > 0;
            helper.held.erase(0, whole);
            return true;
        }
        const bool is_owed = !helper.cancelled && !helper.answered && helper.watched.empty();
        if (is_owed) refuse(helper.id, code::internal_error, "the helper for this request ended");
        return false;
    }

    /// What waits in queues and was to end with this server is taken out; the rest sees its end.
    void say_goodbye()
    {
        for (const Helper& helper : helpers_)
            if (helper.is_stream && !helper.cancelled)
                output_.write(result_line(helper.id, complete({}, true)));
        helpers_.clear();
        api::cancel_own_waiting(server_.root, server_.caller);
    }

    const Server& server_;
    os::Watch watch_;
    Fd parent_;
    Output output_;
    Session session_;
    LineReader reader_;
    std::list<Helper> helpers_;
    std::optional<Instant> end_by_; ///< the input has ended
};

} // namespace

void serve(const Server& server)
{
    std::signal(SIGPIPE, SIG_IGN);
    auto watch = os::Watch::create();
    if (watch) Loop(server, *std::move(watch)).run();
}

} // namespace bgt::mcp
