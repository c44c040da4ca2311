#include "api_caller.hpp"

#include <bgt/cli/verb.hpp>
#include <bgt/mcp/server.hpp>
#include <bgt/os/terminal.hpp>

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

Result<mcp::Server> make_server(const Context& context)
{
    mcp::Server server;
    server.in = STDIN_FILENO;
    server.out = STDOUT_FILENO;
    BGT_TRY_ASSIGN(server.root, context.root_path());
    BGT_TRY_ASSIGN(server.caller, make_caller(context, server.root, "mcp"));
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
