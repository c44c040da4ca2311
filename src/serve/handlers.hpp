#pragma once
/// What is answered on each route. All of it may wait, and fork.
#include "connection.hpp"

#include "route.hpp"
#include <bgt/ops/snapshot.hpp>
#include <boost/json/object.hpp>

namespace bgt::serve {

/// An error of an operation: as problem() of http.hpp, with `kind` and the `code` that the command
/// line would exit with.
Response problem(const Error&);

/// The answer of a route that is no stream and is not of the page, for a client with that scope.
Response answer(const Server&, const Route&, const Request&, api::Access, int connection);

// Streams: they write to the wire until the stream has ended or nobody reads it. An error that is
// known before the first byte is an ordinary answer.
void stream_log(const Server&, const Route&, const Request&, Wire&);
/// A message of the Model Context Protocol: a stream only where there is something to tell before
/// the answer. True: another request may follow.
bool answer_mcp(const Server&, const Request&, api::Access, Wire&);
void stream_events(const Server&, const Route&, const Request&, Wire&);

/// One task as the routes show it: as `bgt ps --json`, and its `state` as `bgt ps` shows it.
boost::json::object shown_task(const ops::Snapshot&);
inline constexpr ops::SnapshotFields shown_fields{
    .spec = true, .usage = true, .ports = true, .log_tail = true};

} // namespace bgt::serve
