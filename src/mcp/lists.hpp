#pragma once
/// What this server offers: tools from the table of operations, resources, prompts.
#include <bgt/base/result.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace bgt::mcp {

inline constexpr std::string_view tasks_extension = "io.modelcontextprotocol/tasks";
/// What a model should know before it calls anything.
extern const std::string_view instructions;

boost::json::array tools();
boost::json::array resources();
boost::json::array resource_templates();
boost::json::array prompts();

/// The answer of prompts/get. Error (usage): no such prompt, an argument is missing.
Result<boost::json::object> prompt_of(const boost::json::object& params);

/// bgt://tasks, bgt://task/ID, bgt://task/ID/log, bgt://task/ID/report
struct ResourceUri {
    enum class Kind : unsigned char { tasks, task, log, report };
    Kind kind = Kind::tasks;
    std::string task; ///< id or name
};
/// nullopt: it is none of these.
std::optional<ResourceUri> parse_uri(std::string_view uri);

boost::json::object missing_tasks_capability();

} // namespace bgt::mcp
