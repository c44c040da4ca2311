#include "session.hpp"

#include "lists.hpp"

#include <bgt/api/operation.hpp>
#include <bgt/base/text.hpp>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <fmt/format.h>

namespace bgt::mcp {

namespace {

namespace json = boost::json;

constexpr std::array legacy_versions{std::string_view("2025-11-25"),
                                     std::string_view("2025-06-18")};
constexpr std::string_view capabilities_key = "io.modelcontextprotocol/clientCapabilities";
constexpr std::string_view server_key = "io.modelcontextprotocol/serverInfo";
constexpr std::int64_t an_hour_ms = 3'600'000;

json::object server_info()
{
    return {{"name", "bgt"}, {"version", BGT_VERSION}};
}

json::object capabilities(bool modern, bool subscribe = true)
{
    json::object out{{"tools", json::object()},
                     {"resources", json::object{{"subscribe", subscribe}}},
                     {"prompts", json::object()}};
    if (modern) out["extensions"] = json::object{{tasks_extension, json::object()}};
    return out;
}

Action reply_error(const json::value& id, int code, std::string message, json::value data = nullptr)
{
    return {.reply = error_line(id, {code, std::move(message), std::move(data)}), .error = code};
}

Action reply(const Request& request, json::object result)
{
    return {.reply = result_line(request.id, complete(std::move(result), request.modern))};
}

Action unknown_method(const Request& request)
{
    return reply_error(request.id, code::unknown_method,
                       "there is no method " + fit(printable(request.method), 60));
}

Action missing(const json::value& id, std::string_view what)
{
    return reply_error(id, code::invalid_params, fmt::format("params: {} is missing", what));
}

json::value token_of(const json::object& params)
{
    const json::object* meta = meta_of(params);
    const json::value* token = meta ? meta->if_contains("progressToken") : nullptr;
    return token && (token->is_string() || token->is_int64()) ? *token : json::value(nullptr);
}

/// Whether the client that sent the request knows the extension.
bool knows_tasks(const json::object& client)
{
    const json::value* extensions = client.if_contains("extensions");
    return extensions && extensions->is_object() &&
           extensions->get_object().contains(tasks_extension);
}

Action initialize(const Request& request, bool subscribe)
{
    const json::string* asked = text_of(request.params, "protocolVersion");
    if (!asked) return missing(request.id, "protocolVersion");
    return {.reply = result_line(request.id, {{"protocolVersion", legacy_version(*asked)},
                                              {"capabilities", capabilities(false, subscribe)},
                                              {"serverInfo", server_info()},
                                              {"instructions", instructions}})};
}

json::array supported_versions()
{
    json::array versions{modern_version};
    for (const std::string_view version : legacy_versions) versions.emplace_back(version);
    return versions;
}

Action discover(const Request& request)
{
    return {.reply = result_line(request.id, cacheable({{"supportedVersions", supported_versions()},
                                                        {"capabilities", capabilities(true)},
                                                        {"instructions", instructions}},
                                                       true, Keeps::for_an_hour))};
}

/// Lists are short: there is one page, and so no cursor of another one.
Action list(const Request& request, std::string_view name, json::array rows)
{
    const json::value* cursor = request.params.if_contains("cursor");
    if (cursor && !cursor->is_null())
        return reply_error(request.id, code::invalid_params, "cursor: there is only one page");
    return {.reply = result_line(request.id, cacheable({{name, std::move(rows)}}, request.modern,
                                                       Keeps::for_an_hour))};
}

Action get_prompt(const Request& request)
{
    const auto prompt = prompt_of(request.params);
    if (!prompt) return reply_error(request.id, code::invalid_params, prompt.error().message);
    return reply(request, *prompt);
}

/// What of a call is wrong before anything is done. The arguments are judged by the operation.
std::optional<Action> refuse_call(const Request& request)
{
    const json::string* name = text_of(request.params, "name");
    if (!name) return missing(request.id, "name");
    if (!api::find_operation(*name))
        return reply_error(request.id, code::invalid_params,
                           "there is no tool " + fit(printable(*name), 60));
    const json::value* arguments = request.params.if_contains("arguments");
    if (arguments && !arguments->is_object() && !arguments->is_null())
        return reply_error(request.id, code::invalid_params, "arguments is an object");
    return std::nullopt;
}

std::optional<Action> refuse_uri(const Request& request)
{
    const json::string* uri = text_of(request.params, "uri");
    if (!uri) return missing(request.id, "uri");
    if (parse_uri(*uri)) return std::nullopt;
    const int code = request.modern ? code::invalid_params : code::resource_not_found;
    return reply_error(request.id, code, "resource not found", json::object{{"uri", *uri}});
}

Action refuse_version(const json::value& id, std::string_view asked)
{
    return reply_error(id, code::unsupported_protocol_version, "Unsupported protocol version",
                       json::object{{"supported", supported_versions()}, {"requested", asked}});
}

std::optional<Action> refuse_listen(const Request& request)
{
    const json::value* filter = request.params.if_contains("notifications");
    if (!filter || !filter->is_object()) return missing(request.id, "notifications");
    if (filter->get_object().contains("taskIds") && !request.takes_tasks)
        return reply_error(request.id, code::missing_capability,
                           "Missing required client capability", missing_tasks_capability());
    return std::nullopt;
}

std::optional<Action> refuse_task_method(const Request& request)
{
    if (!request.takes_tasks)
        return reply_error(request.id, code::missing_capability,
                           "Missing required client capability", missing_tasks_capability());
    if (!text_of(request.params, "taskId")) return missing(request.id, "taskId");
    return std::nullopt;
}

Action work(Request request, std::optional<Action> refused)
{
    if (refused) return *std::move(refused);
    return {.work = std::move(request)};
}

Action notified(const Message& message)
{
    if (message.method != "notifications/cancelled") return {};
    const json::value* id = message.params.if_contains("requestId");
    return {.cancel = id && !id->is_null() ? std::optional(*id) : std::nullopt};
}

} // namespace

const json::object* meta_of(const json::object& params)
{
    const json::value* meta = params.if_contains("_meta");
    return meta ? meta->if_object() : nullptr;
}

const json::string* text_of(const json::object& object, std::string_view name)
{
    const json::value* value = object.if_contains(name);
    return value ? value->if_string() : nullptr;
}

std::string_view legacy_version(std::string_view asked)
{
    const auto* const found = std::ranges::find(legacy_versions, asked);
    return found == legacy_versions.end() ? legacy_versions.front() : *found;
}

json::object complete(json::object result, bool modern)
{
    if (!modern) return result;
    result["resultType"] = "complete";
    result["_meta"] = json::object{{server_key, server_info()}};
    return result;
}

json::object cacheable(json::object result, bool modern, Keeps keeps)
{
    if (!modern) return result;
    result["ttlMs"] = keeps == Keeps::for_an_hour ? an_hour_ms : 0;
    result["cacheScope"] = keeps == Keeps::for_an_hour ? "public" : "private";
    return complete(std::move(result), true);
}

Action Session::take(Message message)
{
    switch (message.kind) {
    case Message::Kind::invalid:
        return {.reply = error_line(message.id, *message.fault), .error = message.fault->code};
    case Message::Kind::response: return {};
    case Message::Kind::notification: return notified(message);
    case Message::Kind::request: break;
    }
    return answer(std::move(message));
}

Action Session::answer(Message message)
{
    Request request{.id = std::move(message.id),
                    .method = std::move(message.method),
                    .params = std::move(message.params)};
    request.progress_token = token_of(request.params);
    if (request.method == "initialize") {
        Action action = initialize(request, transport_ == Transport::stdio);
        initialized_ = true;
        return action;
    }
    const json::object* meta = meta_of(request.params);
    const json::value* version = meta ? meta->if_contains(version_key) : nullptr;
    if (!version && initialized_) return answer_legacy(std::move(request));
    if (!version && request.method == "ping") return reply(request, {});
    if (!version)
        return missing(request.id,
                       fmt::format("_meta[\"{}\"] (or send initialize first)", version_key));
    if (!version->is_string()) return missing(request.id, "the protocol version, a text,");
    if (version->get_string() != modern_version)
        return refuse_version(request.id, version->get_string());
    const json::value* client = meta->if_contains(capabilities_key);
    if (!client || !client->is_object())
        return missing(request.id, fmt::format("_meta[\"{}\"]", capabilities_key));
    request.modern = true;
    request.takes_tasks = knows_tasks(client->get_object());
    request.answers_questions = client->get_object().contains("elicitation");
    return answer_modern(std::move(request));
}

Action Session::answer_legacy(Request request)
{
    if (request.method == "ping") return reply(request, {});
    if (transport_ == Transport::http) return answer_either(std::move(request));
    if (request.method == "resources/subscribe" || request.method == "resources/unsubscribe") {
        if (auto refused = refuse_uri(request)) return *std::move(refused);
        Action action = reply(request, {});
        const std::string uri(*text_of(request.params, "uri"));
        (request.method == "resources/subscribe" ? action.subscribe : action.unsubscribe) = uri;
        return action;
    }
    return answer_either(std::move(request));
}

Action Session::answer_modern(Request request)
{
    const std::string& method = request.method;
    if (method == "server/discover") return discover(request);
    if (method == "subscriptions/listen") {
        auto refused = refuse_listen(request);
        return work(std::move(request), std::move(refused));
    }
    if (method == "tasks/get" || method == "tasks/update" || method == "tasks/cancel") {
        auto refused = refuse_task_method(request);
        return work(std::move(request), std::move(refused));
    }
    return answer_either(std::move(request));
}

Action Session::answer_either(Request request)
{
    const std::string& method = request.method;
    if (method == "tools/list") return list(request, "tools", tools());
    if (method == "prompts/list") return list(request, "prompts", prompts());
    if (method == "prompts/get") return get_prompt(request);
    if (method == "resources/list") return list(request, "resources", resources());
    if (method == "resources/templates/list")
        return list(request, "resourceTemplates", resource_templates());
    if (method == "tools/call") {
        auto refused = refuse_call(request);
        return work(std::move(request), std::move(refused));
    }
    if (method == "resources/read") {
        auto refused = refuse_uri(request);
        return work(std::move(request), std::move(refused));
    }
    return unknown_method(request);
}

} // namespace bgt::mcp
