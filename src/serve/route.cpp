#include "route.hpp"

#include <bgt/base/text.hpp>

#include "page.hpp"

#include <algorithm>
#include <charconv>

namespace bgt::serve {

namespace {

struct Fixed {
    std::string_view path;
    Route::Kind kind;
    std::string_view method;
    std::string_view query; ///< the names that it takes, with | between them
};
constexpr Fixed fixed[] = {
    {"/v1/tasks", Route::Kind::tasks, "GET", "state|all"},
    {"/v1/events", Route::Kind::events, "GET", "usage"},
    {"/v1/queues", Route::Kind::queues, "GET", ""},
    {"/v1/schedules", Route::Kind::schedules, "GET", ""},
    {"/metrics", Route::Kind::metrics, "GET", ""},
    {"/v1/server", Route::Kind::server, "GET", ""},
    {"/v1/token", Route::Kind::token, "POST", ""},
    {"/mcp", Route::Kind::mcp, "POST", ""},
    {"/openapi.json", Route::Kind::openapi, "GET", ""},
};
constexpr std::string_view log_query = "from|tail";
constexpr std::string_view operations_at = "/v1/";
constexpr std::string_view tasks_at = "/v1/tasks/";

bool is_plain(std::string_view text)
{
    return std::ranges::all_of(text, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
    });
}

/// Null: the path is of none.
const api::Operation* operation_of(std::string_view path)
{
    if (!path.starts_with(operations_at)) return nullptr;
    return api::find_operation(path.substr(operations_at.size()));
}

Response not_found()
{
    return problem(404, "there is nothing here: /openapi.json lists what there is");
}

Response wrong_method(std::string_view allowed)
{
    Response out = problem(405, "here it is " + std::string(allowed));
    out.more.emplace_back("Allow", allowed);
    return out;
}

/// Nothing where one of them is not among `known`, or is not plain.
std::optional<Response> read_query(std::string_view text, std::string_view known, Route& route)
{
    if (text.empty()) return std::nullopt;
    const std::vector<std::string> names = split(known, '|');
    for (const std::string& one : split(text, '&')) {
        const std::size_t equals = one.find('=');
        const std::string name = one.substr(0, equals);
        if (known.empty() || std::ranges::find(names, name) == names.end())
            return problem(400, "the query can't have '" + fit(printable(name), 40) + "' here" +
                                    (known.empty() ? "" : "; it takes " + std::string(known)));
        const std::string value = equals == one.npos ? "" : one.substr(equals + 1);
        if (!is_plain(value) || !route.query.emplace(name, value).second)
            return problem(400, name + ": not a value that is taken here");
    }
    return std::nullopt;
}

std::variant<Route, Response> finish(Route route, std::string_view method, std::string_view wanted,
                                     std::string_view query, std::string_view known)
{
    if (method != wanted) return wrong_method(wanted);
    if (auto refused = read_query(query, known, route)) return *std::move(refused);
    return route;
}

} // namespace

std::optional<std::uint64_t> number_of(std::string_view text, std::uint64_t max)
{
    std::uint64_t out = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    if (error != std::errc() || end != text.data() + text.size() || out > max) return std::nullopt;
    return out;
}

std::variant<Route, Response> route_of(const Request& request)
{
    std::string_view path = request.target, query;
    if (const std::size_t mark = path.find('?'); mark != path.npos) {
        query = path.substr(mark + 1);
        path = path.substr(0, mark);
    }
    Route route;
    route.path = path;
    for (const Fixed& one : fixed) {
        if (path != one.path) continue;
        if (request.method == "POST" && operation_of(path)) break; // GET is a stream of the same
        route.kind = one.kind;
        return finish(std::move(route), request.method, one.method, query, one.query);
    }
    if (path.starts_with(tasks_at)) {
        std::string_view id = path.substr(tasks_at.size());
        const bool is_log = id.ends_with("/log");
        if (is_log) id.remove_suffix(4);
        const auto number = number_of(id, std::numeric_limits<std::int64_t>::max());
        if (!number || *number == 0 || id.front() == '0') return not_found();
        route.kind = is_log ? Route::Kind::log : Route::Kind::task;
        route.id = store::TaskId{static_cast<std::int64_t>(*number)};
        return finish(std::move(route), request.method, "GET", query, is_log ? log_query : "");
    }
    if (path.starts_with(operations_at)) {
        route.operation = operation_of(path);
        if (!route.operation) return not_found();
        route.kind = Route::Kind::operation;
        route.needs = route.operation->access;
        return finish(std::move(route), request.method, "POST", query, "");
    }
    if (!page_file(path)) return not_found();
    return finish(std::move(route), request.method, "GET", query, "");
}

} // namespace bgt::serve
