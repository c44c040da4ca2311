#include "run/queue_table.hpp"
#include "run/run_options.hpp"

#include <bgt/base/text.hpp>
#include <bgt/cli/verb.hpp>
#include <bgt/mcp/server.hpp>
#include <bgt/ops/scope.hpp>
#include <bgt/ops/submit.hpp>
#include <bgt/os/terminal.hpp>

#include <cerrno>
#include <fmt/format.h>
#include <unistd.h>

namespace bgt::cli {

namespace {

class Mcp final : public Verb {
public:
    void declare(Parser& parser) override
    {
        parser.flag("--print-config", print_config_,
                    "print how to add this server to the programs that people use");
        parser.example("claude mcp add bgt -- bgt mcp");
        parser.example("bgt mcp --print-config");
    }
    int run(Context&) override;

private:
    bool print_config_ = false;
};

constexpr std::string_view configuration = R"(Claude Code      claude mcp add bgt -- bgt mcp
Codex            codex mcp add bgt -- bgt mcp
Gemini CLI       gemini mcp add bgt bgt mcp
VS Code          code --add-mcp '{"name":"bgt","command":"bgt","args":["mcp"]}'

Claude Desktop (claude_desktop_config.json), Cursor (~/.cursor/mcp.json), Windsurf, Cline, Gemini CLI
(~/.gemini/settings.json) and the .mcp.json of a project:
{
  "mcpServers": {
    "bgt": {
      "command": "bgt",
      "args": ["mcp"]
    }
  }
}

VS Code (.vscode/mcp.json):
{
  "servers": {
    "bgt": {
      "type": "stdio",
      "command": "bgt",
      "args": ["mcp"]
    }
  }
}

Codex (~/.codex/config.toml):
[mcp_servers.bgt]
command = "bgt"
args = ["mcp"]

Zed (settings.json):
{
  "context_servers": {
    "bgt": {
      "command": "bgt",
      "args": ["mcp"]
    }
  }
}

Where bgt is not on the PATH of the program, write its whole path for "command".
)";

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
    return Context::load(places, "mcp");
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
    ops::SubmitRequest out;
    out.spec = std::move(start.spec);
    out.context = ops::own_context();
    out.context.env = std::move(start.env);
    out.context.keep_env = start.keep_env;
    out.context.retention = start.retention;
    out.folder = context.folder();
    QueueOptions options;
    options.queue = how.queue;
    options.priority = how.priority;
    options.key = how.key;
    options.after = how.after;
    BGT_TRY(options.apply(out));
    return out;
}

Result<mcp::Server> make_server(const Context& context)
{
    mcp::Server server;
    server.in = STDIN_FILENO;
    server.out = STDOUT_FILENO;
    BGT_TRY_ASSIGN(server.root, context.root_path());
    BGT_TRY_ASSIGN(server.caller.kept, ops::scopes_around());
    BGT_TRY_ASSIGN(server.caller.own, ops::scopes_inside());
    const ProcessKey& self = server.caller.own.processes.back();
    server.caller.tag = fmt::format("mcp={}.{}", self.pid, self.start_ticks);
    server.caller.folder = context.folder().empty() ? "/" : context.folder();
    Places places = context.places();
    places.root = server.root;
    server.caller.start_request = [places](const api::StartWords& words) {
        return start_request(places, words);
    };
    server.caller.submit_request = [places](const api::StartWords& words,
                                            const api::SubmitWords& how) {
        return submit_request(places, words, how);
    };
    return server;
}

int Mcp::run(Context& context)
{
    if (print_config_) {
        context.print(configuration);
        return code::ok;
    }
    const auto server = make_server(context);
    if (!server) return context.fail(server.error());
    if (os::is_terminal(STDIN_FILENO))
        context.hint("a server of the Model Context Protocol for other programs: it reads messages "
                     "from stdin until its end (bgt mcp --print-config tells how to use it)");
    mcp::serve(*server);
    return code::ok;
}

} // namespace

std::unique_ptr<Verb> make_mcp()
{
    return std::make_unique<Mcp>();
}

} // namespace bgt::cli
