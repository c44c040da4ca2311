#pragma once
/// Who may ask: what every request must fulfil before anything else is done with it. Pure.
#include <array>
#include <bgt/api/operation.hpp>
#include <bgt/serve/http.hpp>
#include <optional>
#include <string>

namespace bgt::serve {

/// "read", "control" or "run".
std::string_view scope_word(api::Access);

/// The secrets of one server, one for each scope, by api::Access; empty: nobody gets that scope.
using Tokens = std::array<std::string, 3>;
/// That of the widest scope.
const std::string& strongest(const Tokens&);

/// For which address a connection was made.
struct Gate {
    std::string host; ///< what the header Host must be: "127.0.0.1:4711"; "localhost" on a socket
    std::string origin() const { return "http://" + host; }
};

/// Refuses what a page of somebody else could send, or a name that leads here by DNS: to be asked
/// first, on every route. nullopt: it may go on.
std::optional<Response> refuse_foreign(const Request&, const Gate&);

/// The scope that the header Authorization gives; nullopt: none. Takes equally long for every wrong
/// token.
std::optional<api::Access> access_of(const Request&, const Tokens&);
/// What the header Authorization holds as its bearer; "" for nothing.
std::string_view bearer_of(const Request&);
bool equal_in_constant_time(std::string_view, std::string_view);

/// Refuses a body that is no JSON. nullopt: it is some.
std::optional<Response> refuse_body_type(const Request&);

} // namespace bgt::serve
