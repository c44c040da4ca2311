#pragma once
/// What the protocol says about a message, without doing anything: which are answered at once,
/// which are work, which end some. Both eras of the protocol are spoken on one stream: a request
/// that carries its version is stateless (2026-07-28), the others need the handshake of
/// `initialize`.
#include "message.hpp"
#include <optional>
#include <string>

namespace bgt::mcp {

/// A request that needs a look at tasks.
struct Request {
    boost::json::value id;
    std::string method;
    boost::json::object params;
    bool modern = false;            ///< it is of the stateless protocol
    bool takes_tasks = false;       ///< its client knows the extension for tasks
    bool answers_questions = false; ///< its client asks its user (elicitation)
    boost::json::value progress_token = nullptr;
};

struct Action {
    std::string reply = {};        ///< a line; empty: none
    std::optional<int> error = {}; ///< the code that the reply tells
    std::optional<Request> work = {};
    std::optional<boost::json::value> cancel = {}; ///< the id of the request to give up
    std::optional<std::string> subscribe = {}, unsubscribe = {}; ///< the URI, by the old protocol
};

class Session {
public:
    /// On http each message comes alone: what the old protocol once agreed on is taken for granted,
    /// and it has no subscriptions.
    enum class Transport : bool { stdio, http };
    explicit Session(Transport transport = Transport::stdio)
        : transport_(transport), initialized_(transport == Transport::http)
    {}

    Action take(Message);

private:
    Action answer(Message);
    Action answer_legacy(Request);
    Action answer_modern(Request);
    Action answer_either(Request);

    Transport transport_;
    bool initialized_;
};

inline constexpr std::string_view modern_version = "2026-07-28";
/// The version that is spoken with a client of the old protocol that asks for this one.
std::string_view legacy_version(std::string_view asked);

/// The member of `_meta` that says the version of the stateless protocol.
inline constexpr std::string_view version_key = "io.modelcontextprotocol/protocolVersion";
/// Null: there is none, or it is none.
const boost::json::object* meta_of(const boost::json::object& params);
const boost::json::string* text_of(const boost::json::object&, std::string_view name);

/// What every result of that protocol has besides: resultType and the name of this server.
boost::json::object complete(boost::json::object result, bool modern);
/// The same, and how long it stays true: for lists and resources.
enum class Keeps : bool { not_at_all, for_an_hour };
boost::json::object cacheable(boost::json::object result, bool modern, Keeps);

} // namespace bgt::mcp
