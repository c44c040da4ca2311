#pragma once
/// A server of HTTP for other programs and for a page in a browser (`bgt serve`).
#include <bgt/api/caller.hpp>
#include <bgt/base/fd.hpp>
#include <bgt/base/held_signals.hpp>
#include <bgt/base/result.hpp>
#include <bgt/serve/gate.hpp>
#include <string>
#include <vector>

namespace bgt::serve {

struct Listener {
    Fd socket;
    Gate gate;
    std::string address;     ///< "http://127.0.0.1:4711", "unix:/run/user/1000/bgt.sock"
    std::string socket_path; ///< of a unix socket; else empty
};

/// Listens at "127.0.0.1:PORT", "[::1]:PORT" (0: a free one) or "unix:PATH" (a socket that only
/// this user can use). Error: (usage) any other address; (failed) it is in use.
Result<Listener> listen_at(const std::string& address);

/// New secrets of 256 bits for each scope, or for reading alone. Error: there is no randomness.
enum class Scopes : bool { all, read_only };
Result<Tokens> make_tokens(Scopes);

/// By which a browser of this user gets the token, once: command lines can be read by everybody, so
/// what stands in that of the browser must be worth nothing to others, and nothing afterwards.
struct Invitation {
    std::string code;
    Fd once; ///< a pipe with one byte in it: whoever reads that is the first
};
/// Error: there is no randomness, or no pipe.
Result<Invitation> make_invitation();

struct Server {
    std::string root; ///< of the tasks; absolute, and it exists
    api::Caller caller;
    Tokens tokens;
    Invitation invitation = {}; ///< an empty code: there is none
    std::vector<Listener> listeners;
};

/// Opens the page in the browser (xdg-open), with the invitation. Error: (usage) there is no
/// address for browsers; (failed) there is no such program. Hazard: forks.
Result<void> open_page(const Server&);

/// The content of serve.json.
std::string description(const Server&);

/// The signals that end a server; to be held before others are told of it.
HeldSignals held_signals();

/// Answers until SIGINT, SIGTERM or SIGHUP, whose number it returns. Each connection has a process
/// of its own, at most 64; a request that is given up ends no task. Tasks that are to end with the
/// server do so by their scope, also when this process is killed. Hazards: forks, so the caller
/// must be single-threaded; ignores SIGPIPE from now on.
Result<int> serve(const Server&, const HeldSignals&);

} // namespace bgt::serve
