#pragma once
/// What a helper of the server does for one request, in a process of its own.
#include "session.hpp"

#include <bgt/api/operation.hpp>
#include <bgt/mcp/server.hpp>

namespace bgt::mcp {

/// Takes a line with its newline.
using Emit = std::function<void(const std::string&)>;

/// The line that answers the request. What is to be sent before it goes to `emit`. A subscription
/// is answered only when it is given up. Empty: it was given up, and nothing is to be sent.
std::string answer_line(const Server&, const Request&, ops::Cancel, const Emit&);

/// Of the old protocol: tells each change of the resource, until it is given up.
void watch_resource(const Server&, const std::string& uri, ops::Cancel, const Emit&);

// tools_call.cpp
Result<boost::json::object> call_tool(const Server&, const Request&, ops::Cancel, const Emit&);
/// The result of a call as the protocol has it.
boost::json::object tool_result(boost::json::object answer, bool is_error);
/// One call of an operation.
Result<boost::json::object> call_operation(const Server&, std::string_view name,
                                           const boost::json::object& arguments, ops::Cancel,
                                           const std::function<void(const api::Progress&)>&);
Result<store::Root> open_root(const Server&, bool create);

// task_methods.cpp: the extension for tasks
/// Of a run that goes on: what stands in place of its result.
boost::json::object created_task(const store::Status&, store::TaskId);
Result<boost::json::object> task_json(const Server&, const Request&, std::string_view task_id);
Result<boost::json::object> update_task(const Server&, const Request&, ops::Cancel);
Result<boost::json::object> cancel_task(const Server&, const Request&);

// watch.cpp
std::string listen(const Server&, const Request&, ops::Cancel, const Emit&);

} // namespace bgt::mcp
