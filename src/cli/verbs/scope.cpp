#include "answer.hpp"
#include "end_words.hpp"

#include "run/env_file.hpp"
#include "run/own_descriptor.hpp"
#include <bgt/base/descriptor.hpp>
#include <bgt/cli/verb.hpp>
#include <bgt/ops/scope.hpp>
#include <bgt/render/json.hpp>

#include <boost/json.hpp>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace bgt::cli {

namespace {

class Scope final : public Verb {
public:
    void declare(Parser&) override;
    int run(Context&) override;

private:
    Result<ops::ScopeRequest> request(const Context&) const;
    Result<Fd> open_answer() const;
    int answer(Context&, const ops::ScopeAnswer&, const Fd& file) const;

    std::optional<std::string> grace_, json_;
    std::vector<std::string> command_;
};

void Scope::declare(Parser& parser)
{
    parser.option("--grace", grace_, "D", Value::duration,
                  "the time between the stop signal and SIGKILL, for the tasks that are left");
    parser.option("--json", json_, "FILE", Value::file,
                  "write how many tasks were ended into this file as JSON, and not to stderr");
    parser.command(command_);
    parser.example("bgt scope -- ./run-tests        # no task that it starts outlives it");
    parser.example("bgt scope --grace 1s -- sh -c 'bgt run -- ./server; npm test'");
}

Result<ops::ScopeRequest> Scope::request(const Context& context) const
{
    if (command_.empty())
        return Error::usage("no command given: bgt scope [options] [--] COMMAND [ARG...]");
    ops::ScopeRequest out;
    out.command = command_;
    out.env = caller_environment();
    out.command_grace = context.settings().grace;
    if (grace_) {
        const auto grace = parse_duration(*grace_);
        if (!grace) return Error::usage("--grace: " + grace.error().message);
        out.grace = *grace;
        out.command_grace = *grace;
    }
    // What is started inside is to be found in the same root.
    if (context.root_from_flag()) { BGT_TRY_ASSIGN(out.root, context.root_path()); }
    return out;
}

/// Before the command is started, so that a bad path costs nothing. To open a FIFO would wait for a
/// reader; a pipe of the caller's own has one.
Result<Fd> Scope::open_answer() const
{
    const std::string shown = "--json " + printable(*json_);
    const Error no_file = Error::usage(shown + ": is not a regular file");
    Fd file(::open(json_->c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0666));
    if (!file) return errno == ENXIO ? no_file : Error::system(shown, errno);
    struct stat info {};
    if (::fstat(file.get(), &info) != 0) return Error::system(shown, errno);
    const bool is_file = S_ISREG(info.st_mode);
    if (!is_file && !is_own_descriptor(*json_)) return no_file;
    if (is_file && ::ftruncate(file.get(), 0) != 0) return Error::system(shown, errno);
    ::fcntl(file.get(), F_SETFL, ::fcntl(file.get(), F_GETFL) & ~O_NONBLOCK);
    return file;
}

int Scope::answer(Context& context, const ops::ScopeAnswer& answer, const Fd& file) const
{
    const os::ForegroundEnd& end = answer.command;
    const int result = end.exited ? end.status : 128 + end.status;
    for (const ops::Remaining& task : answer.tasks.remaining)
        context.complain(task.label + ": " + task.why);
    if (!json_) {
        context.complain(end_words(answer.tasks));
    } else {
        boost::json::object out{{"exit_code", result}};
        add_end(out, answer.tasks);
        const std::string text = render::answer_json(std::move(out));
        const auto written =
            retry_on_eintr([&] { return ::write(file.get(), text.data(), text.size()); });
        if (written != static_cast<ssize_t>(text.size()))
            context.complain(
                Error::system("--json " + printable(*json_), written < 0 ? errno : ENOSPC).message);
    }
    // A shell ends its own loop only where its child has died of Ctrl-C.
    if (!end.exited && end.by_terminal && end.status == SIGINT) {
        std::signal(SIGINT, SIG_DFL);
        ::raise(SIGINT);
    }
    return result;
}

int Scope::run(Context& context)
{
    const auto wanted = request(context);
    if (!wanted) return context.fail(wanted.error());
    auto root = context.root();
    if (!root) return context.fail(root.error());
    Fd file;
    if (json_) {
        auto opened = open_answer();
        if (!opened) return context.fail(opened.error());
        file = *std::move(opened);
    }
    const auto done = ops::scope(**root, *wanted);
    if (!done) return context.fail(done.error());
    return answer(context, *done, file);
}

} // namespace

std::unique_ptr<Verb> make_scope()
{
    return std::make_unique<Scope>();
}

} // namespace bgt::cli
