#pragma once
/// What a request is about. Pure.
#include <bgt/api/operation.hpp>
#include <bgt/serve/http.hpp>
#include <bgt/store/task_id.hpp>
#include <map>
#include <string>
#include <variant>

namespace bgt::serve {

struct Route {
    enum class Kind : unsigned char {
        page,      ///< a file of the page: needs no token
        operation, ///< POST /v1/OPERATION
        tasks,     ///< GET /v1/tasks
        task,      ///< GET /v1/tasks/ID
        log,       ///< GET /v1/tasks/ID/log
        events,    ///< GET /v1/events
        queues,    ///< GET /v1/queues
        schedules, ///< GET /v1/schedules
        metrics,   ///< GET /metrics
        server,    ///< GET /v1/server
        mcp,       ///< POST /mcp
        token,     ///< POST /v1/token, with the code of an invitation in place of a token
        openapi,   ///< GET /openapi.json
    };
    Kind kind = Kind::page;
    std::string path;
    const api::Operation* operation = nullptr;
    store::TaskId id{};
    std::map<std::string, std::string, std::less<>> query = {}; ///< only what the route takes
    api::Access needs = api::Access::read;
};

/// 404, 405 and 400 for what there is not.
std::variant<Route, Response> route_of(const Request&);

/// A whole number of the query; nullopt where it is not there, or is none that fits.
std::optional<std::uint64_t> number_of(std::string_view text, std::uint64_t max);

} // namespace bgt::serve
