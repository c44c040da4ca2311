#include "api_caller.hpp"

#include "run/queue_table.hpp"
#include "run/run_options.hpp"

#include <bgt/base/text.hpp>
#include <bgt/ops/scope.hpp>
#include <bgt/ops/submit.hpp>

#include <cerrno>
#include <fmt/format.h>
#include <unistd.h>

namespace bgt::cli {

namespace {

/// The options that the words stand for.
RunOptions options_of(const api::StartWords& words)
{
    RunOptions out;
    out.shell = words.shell;
    out.command = words.command;
    out.name = words.name;
    out.timeout = words.timeout;
    out.env = words.env;
    out.tags = words.tags;
    out.ready_port = words.ready_port;
    out.ready_log = words.ready_log;
    out.ready_http = words.ready_http;
    out.stdin_from = words.stdin_pipe ? "pipe" : "null";
    return out;
}

/// The settings are those of the folder in which the command is to run, as if `bgt run` were called
/// there. For that, this process goes there.
Result<Context> context_in(const Places& places, const std::optional<std::string>& folder)
{
    if (folder && ::chdir(folder->c_str()) != 0)
        return Error::system("cwd " + printable(*folder), errno);
    return Context::load(places);
}

Result<ops::StartRequest> start_request(const Places& places, const api::StartWords& words)
{
    BGT_TRY_ASSIGN(const Context context, context_in(places, words.cwd));
    return options_of(words).request(context.settings());
}

Result<ops::SubmitRequest> submit_request(const Places& places, const api::StartWords& words,
                                          const api::SubmitWords& how)
{
    BGT_TRY_ASSIGN(const Context context, context_in(places, words.cwd));
    BGT_TRY_ASSIGN(ops::StartRequest start, options_of(words).request(context.settings()));
    ops::SubmitRequest out = ops::waiting_request(std::move(start));
    out.folder = context.folder();
    QueueOptions options;
    options.queue = how.queue;
    options.priority = how.priority;
    options.key = how.key;
    options.after = how.after;
    BGT_TRY(options.apply(out));
    return out;
}

} // namespace

Result<api::Caller> make_caller(const Context& context, const std::string& root,
                                std::string_view program)
{
    api::Caller out;
    BGT_TRY_ASSIGN(out.kept, ops::scopes_around());
    BGT_TRY_ASSIGN(out.own, ops::scopes_inside());
    const ProcessKey& self = out.own.processes.back();
    out.tag = fmt::format("{}={}.{}", program, self.pid, self.start_ticks);
    out.folder = context.folder().empty() ? "/" : context.folder();
    Places places = context.places();
    places.root = root;
    out.start_request = [places](const api::StartWords& words) {
        return start_request(places, words);
    };
    out.submit_request = [places](const api::StartWords& words, const api::SubmitWords& how) {
        return submit_request(places, words, how);
    };
    return out;
}

} // namespace bgt::cli
