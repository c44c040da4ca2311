#include <bgt/base/text.hpp>
#include <bgt/render/json_text.hpp>

#include <boost/json.hpp>
#include <fmt/format.h>

#include <cmath>

namespace bgt::render {

namespace {

namespace json = boost::json;

constexpr double exact_integers = 9e15; ///< below this each whole number is a double

void put_number(std::string& out, double number)
{
    if (!std::isfinite(number)) {
        out += "null";
        return;
    }
    if (std::fabs(number) >= exact_integers) {
        out += fmt::format("{}", number);
        return;
    }
    std::string text = fmt::format("{:.3f}", number);
    text.erase(text.find_last_not_of('0') + 1);
    if (text.back() == '.') text.pop_back();
    out += text == "-0" ? "0" : text;
}

void put(std::string& out, const json::value& value);

void put(std::string& out, const json::object& object)
{
    out += '{';
    bool first = true;
    for (const auto& member : object) {
        if (!first) out += ',';
        first = false;
        out += json::serialize(member.key());
        out += ':';
        put(out, member.value());
    }
    out += '}';
}

void put(std::string& out, const json::array& array)
{
    out += '[';
    bool first = true;
    for (const json::value& value : array) {
        if (!first) out += ',';
        first = false;
        put(out, value);
    }
    out += ']';
}

void put(std::string& out, const json::value& value)
{
    if (const auto* object = value.if_object()) put(out, *object);
    else if (const auto* array = value.if_array()) put(out, *array);
    else if (const auto* number = value.if_double()) put_number(out, *number);
    else out += json::serialize(value);
}

} // namespace

std::string json_text(const json::object& object)
{
    std::string out;
    put(out, object);
    return escape_unsafe_json(std::move(out));
}

std::string json_text(const json::value& value)
{
    std::string out;
    put(out, value);
    return escape_unsafe_json(std::move(out));
}

} // namespace bgt::render
