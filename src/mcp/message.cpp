#include "message.hpp"

#include <bgt/base/text.hpp>
#include <bgt/render/json_text.hpp>

#include <boost/json.hpp>
#include <cmath>

namespace bgt::mcp {

namespace {

namespace json = boost::json;

constexpr std::size_t max_depth = 32;
constexpr std::size_t max_id = 256;     ///< bytes of the id of a request
constexpr std::size_t max_method = 128; ///< and of its method

Message invalid(int code, std::string why, json::value id = nullptr)
{
    Message out;
    out.id = std::move(id);
    out.fault = Fault{code, std::move(why), nullptr};
    return out;
}

bool is_id(const json::value& id)
{
    if (const json::string* text = id.if_string()) return text->size() <= max_id;
    if (const double* number = id.if_double())
        return std::floor(*number) == *number && std::fabs(*number) < 9e15;
    return id.is_int64() || id.is_uint64();
}

json::value normal(const json::value& id)
{
    if (const double* number = id.if_double()) return static_cast<std::int64_t>(*number);
    return id;
}

std::string line_of(const json::object& message)
{
    return render::json_text(message) + "\n";
}

} // namespace

Message parse_message(std::string_view line)
{
    json::parse_options options;
    options.max_depth = max_depth;
    json::error_code error;
    json::value value = json::parse(line, error, {}, options);
    if (error) return invalid(code::parse_error, "parse error: " + error.message());
    if (value.is_array())
        return invalid(code::invalid_request, "batches are not part of this protocol: send one "
                                              "message a line");
    json::object* object = value.if_object();
    if (!object) return invalid(code::invalid_request, "a message is an object");
    const json::value* id = object->if_contains("id");
    if (id && !is_id(*id)) return invalid(code::invalid_request, "id is a text or an integer");
    const json::value known = id ? normal(*id) : json::value(nullptr);
    const json::value* version = object->if_contains("jsonrpc");
    if (!version || !version->is_string() || version->get_string() != "2.0")
        return invalid(code::invalid_request, "jsonrpc must be \"2.0\"", known);
    const json::value* method = object->if_contains("method");
    Message out;
    out.id = known;
    if (!method && (object->contains("result") || object->contains("error"))) {
        out.kind = Message::Kind::response;
        return out;
    }
    if (!method || !method->is_string() || method->get_string().size() > max_method)
        return invalid(code::invalid_request, "there is no method", known);
    out.method = method->get_string();
    if (json::value* params = object->if_contains("params")) {
        if (!params->is_object())
            return invalid(code::invalid_params, "params is an object", known);
        out.params = std::move(params->get_object());
    }
    out.kind = id ? Message::Kind::request : Message::Kind::notification;
    return out;
}

void LineReader::feed(std::string_view bytes)
{
    held_ += bytes;
}

std::optional<LineReader::Line> LineReader::next()
{
    const std::size_t newline = held_.find('\n', searched_);
    if (newline == std::string::npos) {
        if (held_.size() > max_message || skipping_) {
            skipping_ = true;
            held_ = std::string();
        }
        searched_ = held_.size();
        return std::nullopt;
    }
    Line line;
    line.too_long = std::exchange(skipping_, false) || newline > max_message;
    if (!line.too_long) line.text = held_.substr(0, newline);
    held_.erase(0, newline + 1);
    searched_ = 0;
    if (held_.empty()) held_.shrink_to_fit();
    if (!line.text.empty() && line.text.back() == '\r') line.text.pop_back();
    return line;
}

std::string result_line(const json::value& id, json::object result)
{
    return line_of({{"jsonrpc", "2.0"}, {"id", id}, {"result", std::move(result)}});
}

std::string error_line(const json::value& id, const Fault& fault)
{
    json::object error{{"code", fault.code}, {"message", to_valid_utf8(fault.message)}};
    if (!fault.data.is_null()) error["data"] = fault.data;
    return line_of({{"jsonrpc", "2.0"}, {"id", id}, {"error", std::move(error)}});
}

std::string notification_line(std::string_view method, json::object params)
{
    return line_of({{"jsonrpc", "2.0"}, {"method", method}, {"params", std::move(params)}});
}

} // namespace bgt::mcp
