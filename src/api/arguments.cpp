#include <bgt/api/arguments.hpp>

#include <bgt/base/text.hpp>

#include <algorithm>
#include <boost/json.hpp>
#include <cmath>
#include <fmt/format.h>

namespace bgt::api {

namespace {

namespace json = boost::json;

constexpr std::size_t shown_columns = 60;

std::string shown(std::string_view text)
{
    return fit(printable(text), shown_columns);
}

std::string_view type_words(const Field& field)
{
    switch (field.type) {
    case Type::text: return field.list ? "a list of texts" : "a text";
    case Type::integer: return "a whole number";
    case Type::number: return "a number";
    case Type::flag: return "true or false";
    case Type::task: return field.list ? "a list of task ids or names" : "a task id or name";
    case Type::variables: return "an object of texts";
    case Type::object: return "an object";
    }
    return "";
}

Error wrong(const Field& field, const std::string& why)
{
    return Error::usage(fmt::format("{}: {}", field.name, why));
}

Error wrong_type(const Field& field)
{
    return wrong(field, fmt::format("expected {}", type_words(field)));
}

Result<void> check_text(const Field& field, const json::value& value)
{
    const json::string* text = value.if_string();
    if (!text) return wrong_type(field);
    const std::size_t bound = field.max_size != 0 && !field.list ? field.max_size : max_text;
    if (text->size() > bound)
        return wrong(field, fmt::format("{} bytes, and at most {} are taken", text->size(), bound));
    if (text->find('\0') != json::string::npos) return wrong(field, "a NUL byte is in it");
    if (field.choices.empty()) return {};
    const std::vector<std::string> choices = split(field.choices, '|');
    if (std::ranges::find(choices, std::string_view(*text)) == choices.end())
        return wrong(field, fmt::format("'{}' is none of {}", shown(*text), field.choices));
    return {};
}

std::optional<double> as_double(const json::value& value)
{
    if (const auto* number = value.if_int64()) return static_cast<double>(*number);
    if (const auto* number = value.if_uint64()) return static_cast<double>(*number);
    if (const auto* number = value.if_double()) return *number;
    return std::nullopt;
}

Result<void> check_number(const Field& field, const json::value& value)
{
    const std::optional<double> number = as_double(value);
    const bool whole = number && std::floor(*number) == *number;
    if (!number || !std::isfinite(*number) || (field.type == Type::integer && !whole))
        return wrong_type(field);
    const double max = field.max > field.min ? field.max : 9e15;
    if (*number < field.min || *number > max)
        return wrong(field, fmt::format("expected {} to {}", field.min, max));
    return {};
}

Result<void> check_variables(const Field& field, const json::value& value)
{
    const json::object* object = value.if_object();
    if (!object) return wrong_type(field);
    if (object->size() > max_list) return wrong(field, "too many of them");
    for (const auto& member : *object) {
        if (!member.value().is_string()) return wrong_type(field);
        if (member.key().empty() || member.key().find('=') != member.key().npos)
            return wrong(field, fmt::format("'{}' is no name of a variable", shown(member.key())));
        const std::string_view text = member.value().get_string();
        if (text.size() > max_text || text.find('\0') != text.npos)
            return wrong(
                field, fmt::format("{}: too long, or with a NUL byte in it", shown(member.key())));
    }
    return {};
}

Result<void> check_task(const Field& field, const json::value& value)
{
    if (value.is_int64() && value.get_int64() > 0) return {};
    if (!value.is_string() || value.get_string().empty()) return wrong_type(field);
    return check_text(field, value);
}

Result<void> check_one(const Field& field, const json::value& value)
{
    switch (field.type) {
    case Type::text: return check_text(field, value);
    case Type::integer:
    case Type::number: return check_number(field, value);
    case Type::flag:
        if (!value.is_bool()) return wrong_type(field);
        return {};
    case Type::task: return check_task(field, value);
    case Type::variables: return check_variables(field, value);
    case Type::object: break;
    }
    if (!value.is_object()) return wrong_type(field);
    const auto members = Arguments::check(field.members, value.get_object());
    if (!members) return wrong(field, members.error().message);
    return {};
}

Result<void> check_field(const Field& field, const json::value& value)
{
    if (!field.list) return check_one(field, value);
    const json::array* array = value.if_array();
    if (!array) return wrong_type(field);
    const std::uint32_t bound = field.max_size != 0 ? field.max_size : max_list;
    if (array->size() > bound)
        return wrong(field,
                     fmt::format("{} of them, and at most {} are taken", array->size(), bound));
    for (const json::value& one : *array) BGT_TRY(check_one(field, one));
    return {};
}

Error unknown(std::span<const Field> fields, std::string_view name)
{
    std::vector<std::string> names;
    for (const Field& field : fields) names.emplace_back(field.name);
    const auto near = near_matches(name, names);
    std::string all;
    for (const std::string& one : names) all += (all.empty() ? "" : ", ") + one;
    return Error::usage(
        fmt::format("there is no field '{}' ({})", shown(name),
                    near.empty() ? "there are: " + all : "did you mean " + near.front() + "?"));
}

} // namespace

Result<Arguments> Arguments::check(std::span<const Field> fields, const json::object& given)
{
    Arguments out;
    out.fields_ = fields;
    for (const auto& member : given) {
        const auto field = std::ranges::find(fields, std::string_view(member.key()), &Field::name);
        if (field == fields.end()) return unknown(fields, member.key());
        if (member.value().is_null()) continue;
        BGT_TRY(check_field(*field, member.value()));
        out.values_[member.key()] = member.value();
    }
    for (const Field& field : fields) {
        if (out.values_.contains(field.name)) continue;
        if (field.required)
            return wrong(field, fmt::format("it is missing; expected {}", type_words(field)));
        if (!field.fallback.empty()) out.values_[field.name] = json::parse(field.fallback);
    }
    return out;
}

const json::value* Arguments::find(std::string_view name) const
{
    return values_.if_contains(name);
}

std::optional<std::string> Arguments::text(std::string_view name) const
{
    const json::value* value = find(name);
    return value ? std::optional(std::string(value->get_string())) : std::nullopt;
}

std::string Arguments::text_or_default(std::string_view name) const
{
    return text(name).value_or("");
}

std::optional<std::int64_t> Arguments::integer(std::string_view name) const
{
    const auto value = number(name);
    return value ? std::optional(static_cast<std::int64_t>(*value)) : std::nullopt;
}

std::optional<double> Arguments::number(std::string_view name) const
{
    const json::value* value = find(name);
    return value ? as_double(*value) : std::nullopt;
}

bool Arguments::flag(std::string_view name) const
{
    const json::value* value = find(name);
    return value && value->get_bool();
}

namespace {

std::string word_of(const json::value& task)
{
    return task.is_string() ? std::string(task.get_string()) : std::to_string(task.get_int64());
}

} // namespace

std::optional<std::string> Arguments::task(std::string_view name) const
{
    const json::value* value = find(name);
    return value ? std::optional(word_of(*value)) : std::nullopt;
}

std::vector<std::string> Arguments::tasks(std::string_view name) const
{
    std::vector<std::string> out;
    if (const json::value* value = find(name))
        for (const json::value& one : value->get_array()) out.push_back(word_of(one));
    return out;
}

std::vector<std::string> Arguments::texts(std::string_view name) const
{
    return tasks(name);
}

std::vector<std::pair<std::string, std::string>> Arguments::variables(std::string_view name) const
{
    std::vector<std::pair<std::string, std::string>> out;
    if (const json::value* value = find(name))
        for (const auto& member : value->get_object())
            out.emplace_back(member.key(), member.value().get_string());
    return out;
}

std::optional<Arguments> Arguments::object(std::string_view name) const
{
    const json::value* value = find(name);
    if (!value) return std::nullopt;
    const auto field = std::ranges::find(fields_, name, &Field::name);
    return *check(field->members, value->get_object());
}

} // namespace bgt::api
