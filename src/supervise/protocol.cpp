#include "protocol.hpp"

#include <bgt/base/text.hpp>

#include <array>
#include <boost/json.hpp>

namespace bgt::supervise {
namespace json = boost::json;
namespace {

constexpr std::array<std::string_view, 11> op_names{
    "stop",   "signal", "pause",      "resume",       "stdin-eof",  "restart",
    "sample", "report", "ready-lost", "start-beside", "watch-pause"};

Result<json::object> parse_object(std::string_view bytes)
{
    json::error_code error;
    const json::value value = json::parse({bytes.data(), bytes.size()}, error);
    if (error || !value.is_object())
        return Error::failed("a message on the control socket is not a JSON object");
    return value.as_object();
}

std::int64_t integer(const json::object& object, std::string_view key)
{
    const json::value* found = object.if_contains(key);
    return found && found->is_int64() ? found->as_int64() : 0;
}

bool truth(const json::object& object, std::string_view key)
{
    const json::value* found = object.if_contains(key);
    return found && found->is_bool() && found->as_bool();
}

std::string text(const json::object& object, std::string_view key)
{
    const json::value* found = object.if_contains(key);
    return found && found->is_string() ? std::string(found->as_string()) : std::string();
}

} // namespace

std::string encode_request(const Request& request)
{
    json::object out{{"schema", 1},
                     {"op", op_names[static_cast<std::size_t>(request.op)]},
                     {"reason", static_cast<std::int64_t>(request.reason)},
                     {"now", request.now},
                     {"no_escalation", request.no_escalation},
                     {"signal", request.signal},
                     {"whole_tree", request.whole_tree}};
    if (!request.text.empty()) out["text"] = to_valid_utf8(request.text);
    if (request.ladder) out["ladder"] = core::format_stop_signals(*request.ladder);
    return json::serialize(out);
}

Result<Request> decode_request(std::string_view bytes)
{
    Result<json::object> object = parse_object(bytes);
    if (!object) return object.error();
    const std::string op = text(*object, "op");
    const auto* found = std::find(op_names.begin(), op_names.end(), op);
    if (found == op_names.end())
        return Error::failed("this supervisor does not know the request '" +
                             fit(printable(op), 40) + "'");
    Request request;
    request.op = static_cast<Request::Op>(found - op_names.begin());
    const auto reason = core::by_number(core::reasons, integer(*object, "reason"));
    if (!reason) return Error::failed("unknown reason");
    request.reason = *reason;
    request.now = truth(*object, "now");
    request.no_escalation = truth(*object, "no_escalation");
    request.whole_tree = truth(*object, "whole_tree");
    const std::int64_t signal = integer(*object, "signal");
    if (signal < 0 || signal > 64) return Error::failed("signal number out of range");
    request.signal = static_cast<int>(signal);
    request.text = text(*object, "text");
    const std::string ladder = text(*object, "ladder");
    if (!ladder.empty()) {
        Result<std::vector<core::StopStep>> steps =
            core::parse_stop_signals(ladder, std::chrono::seconds(5));
        if (!steps) return steps.error();
        request.ladder = *steps;
    }
    return request;
}

std::string encode_answer(const Answer& answer)
{
    return json::serialize(
        json::object{{"schema", 1}, {"error", answer.error}, {"count", answer.count}});
}

Result<Answer> decode_answer(std::string_view bytes)
{
    Result<json::object> object = parse_object(bytes);
    if (!object) return object.error();
    return Answer{text(*object, "error"), static_cast<std::uint32_t>(integer(*object, "count"))};
}

} // namespace bgt::supervise
