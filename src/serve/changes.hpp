#pragma once
/// What is changed over HTTP is told in the event stream of the state root.
#include <bgt/api/operation.hpp>
#include <boost/json/object.hpp>
#include <string>

namespace bgt::serve {

/// Who is at the other end: "127.0.0.1:51234 (user 1000)", "unix socket, pid 812 (user 1000)".
std::string peer_words(int connection);

/// One event for each task that the answer names, or one about none, with the operation, the peer
/// and the scope of its token. Nothing for an operation that only reads.
void tell_change(const store::Root&, const api::Operation&, const boost::json::object& answer,
                 api::Access, int connection);

} // namespace bgt::serve
