#include <bgt/api/schema.hpp>

#include <bgt/base/text.hpp>

#include <boost/json.hpp>
#include <cmath>

namespace bgt::api {

namespace {

namespace json = boost::json;

json::value whole_or_not(double number)
{
    if (std::floor(number) == number) return static_cast<std::int64_t>(number);
    return number;
}

json::object schema_of_one(const Field& field, Closed closed)
{
    switch (field.type) {
    case Type::text: {
        json::object out{{"type", "string"}};
        if (field.choices.empty()) return out;
        json::array choices;
        for (const std::string& choice : split(field.choices, '|')) choices.emplace_back(choice);
        out["enum"] = std::move(choices);
        return out;
    }
    case Type::integer:
    case Type::number: {
        json::object out{{"type", field.type == Type::integer ? "integer" : "number"}};
        if (field.max > field.min) {
            out["minimum"] = whole_or_not(field.min);
            out["maximum"] = whole_or_not(field.max);
        }
        return out;
    }
    case Type::flag: return {{"type", "boolean"}};
    case Type::task: // not a list of types, which is lost on some clients
        return {{"anyOf",
                 json::array{json::object{{"type", "integer"}}, json::object{{"type", "string"}}}}};
    case Type::variables:
        return {{"type", "object"}, {"additionalProperties", json::object{{"type", "string"}}}};
    case Type::object: break;
    }
    return schema_of(field.members, closed);
}

} // namespace

json::object schema_of(std::span<const Field> fields, Closed closed)
{
    json::object properties;
    json::array required;
    for (const Field& field : fields) {
        json::object one = schema_of_one(field, closed);
        if (field.list) one = json::object{{"type", "array"}, {"items", std::move(one)}};
        if (!field.doc.empty()) one["description"] = field.doc;
        if (!field.fallback.empty()) one["default"] = json::parse(field.fallback);
        if (field.required) required.emplace_back(field.name);
        properties[field.name] = std::move(one);
    }
    json::object out{{"type", "object"}, {"properties", std::move(properties)}};
    if (!required.empty()) out["required"] = std::move(required);
    if (closed == Closed::yes) out["additionalProperties"] = false;
    return out;
}

} // namespace bgt::api
