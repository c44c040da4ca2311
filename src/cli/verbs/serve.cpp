#include "api_caller.hpp"

#include <bgt/cli/verb.hpp>
#include <bgt/render/json_text.hpp>
#include <bgt/serve/openapi.hpp>
#include <bgt/serve/server.hpp>
#include <bgt/store/serve_file.hpp>

#include <boost/json.hpp>
#include <fmt/format.h>

namespace bgt::cli {

namespace {

constexpr std::string_view default_address = "127.0.0.1:0";

class Serve final : public Verb {
public:
    void declare(Parser& parser) override
    {
        parser.list("--listen", addresses_, "ADDRESS", Value::text,
                    "listen at 127.0.0.1:PORT (0: a free port, the default), [::1]:PORT or "
                    "unix:PATH");
        parser.flag("--read-only", read_only_, "give out no token that changes anything");
        parser.flag("--open", open_, "open the page in the browser (xdg-open)");
        parser.flag("--openapi", openapi_, "print the description of all routes (OpenAPI)");
        parser.example("bgt serve");
        parser.example("bgt serve --listen unix:$XDG_RUNTIME_DIR/bgt.sock");
    }

    int run(Context& context) override
    {
        if (openapi_) {
            context.print(render::json_text(serve::openapi()) + "\n");
            return code::ok;
        }
        const auto signal = answer(context);
        if (!signal) return context.fail(signal.error());
        return code::ok; // it was to end, and it has
    }

private:
    Result<int> answer(Context& context)
    {
        BGT_TRY_ASSIGN(store::Root* const root, context.root(true));
        serve::Server server;
        server.root = root->path();
        BGT_TRY_ASSIGN(server.caller, make_caller(context, server.root, "serve"));
        BGT_TRY_ASSIGN(server.tokens, serve::make_tokens(read_only_ ? serve::Scopes::read_only
                                                                    : serve::Scopes::all));
        BGT_TRY_ASSIGN(const store::ServeFile file, store::ServeFile::take(*root));
        if (addresses_.empty()) addresses_.emplace_back(default_address);
        for (const std::string& address : addresses_) {
            BGT_TRY_ASSIGN(serve::Listener listener, serve::listen_at(address));
            server.listeners.push_back(std::move(listener));
        }
        if (open_) { BGT_TRY_ASSIGN(server.invitation, serve::make_invitation()); }
        const HeldSignals signals = serve::held_signals();
        BGT_TRY(file.write(serve::description(server)));
        context.print(announcement(context, server));
        if (!context.stdout_is_terminal()) context.hint("the tokens are in " + file.path());
        if (open_) BGT_TRY(serve::open_page(server));
        return serve::serve(server, signals);
    }

    /// The token only for somebody who sees the terminal: what is written elsewhere may be a log.
    static std::string announcement(const Context& context, const serve::Server& server)
    {
        std::string out;
        for (const serve::Listener& one : server.listeners) {
            const bool has_page = one.socket_path.empty();
            out += one.address;
            if (has_page && context.stdout_is_terminal())
                out += fmt::format("/#token={}", serve::strongest(server.tokens));
            out += '\n';
        }
        return out;
    }

    std::vector<std::string> addresses_;
    bool read_only_ = false, open_ = false, openapi_ = false;
};

} // namespace

std::unique_ptr<Verb> make_serve()
{
    return std::make_unique<Serve>();
}

} // namespace bgt::cli
