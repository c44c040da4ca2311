#pragma once
/// Taking fields out of a JSON object that anybody may have damaged: a missing one keeps its
/// default, a wrong one is told.
#include <bgt/base/time.hpp>
#include <boost/json.hpp>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>

namespace bgt::store::fields {

namespace json = boost::json;

/// Of text that may hold bytes which are no UTF-8: arguments and values of the environment.
inline json::value parse_bytes(std::string_view text, boost::system::error_code& ec)
{
    json::parse_options options;
    options.allow_invalid_utf8 = true;
    return json::parse(json::string_view(text.data(), text.size()), ec, {}, options);
}

/// A field that is not what it must be. Thrown and caught within a decoder.
struct BadField : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// What an exception of a decoder says, without where in Boost.JSON it was thrown.
inline std::string words_of(const std::exception& problem)
{
    const auto* of_boost = dynamic_cast<const boost::system::system_error*>(&problem);
    return of_boost ? of_boost->code().message() : problem.what();
}

/// The value of a key, or null where it is missing or null: then the default stays.
inline const json::value* find(const json::object& from, std::string_view key)
{
    const json::value* value = from.if_contains(key);
    return value && !value->is_null() ? value : nullptr;
}

[[noreturn]] inline void bad(std::string_view key, std::string_view wanted)
{
    throw BadField("\"" + std::string(key) + "\" is not " + std::string(wanted));
}

inline const json::object& as_object(const json::value& value, std::string_view key)
{
    if (!value.is_object()) bad(key, "an object");
    return value.get_object();
}

inline const json::array& as_array(const json::value& value, std::string_view key)
{
    if (!value.is_array()) bad(key, "a list");
    return value.get_array();
}

inline std::string as_text(const json::value& value, std::string_view key)
{
    if (!value.is_string()) bad(key, "a text");
    return std::string(value.get_string().data(), value.get_string().size());
}

inline void take(const json::object& from, std::string_view key, std::string& into)
{
    if (const auto* value = find(from, key)) into = as_text(*value, key);
}

inline void take(const json::object& from, std::string_view key, bool& into)
{
    const auto* value = find(from, key);
    if (!value) return;
    if (!value->is_bool()) bad(key, "true or false");
    into = value->get_bool();
}

template <class Number>
requires std::is_integral_v<Number>
inline void take(const json::object& from, std::string_view key, Number& into)
{
    const auto* value = find(from, key);
    if (!value) return;
    boost::system::error_code ec;
    into = value->to_number<Number>(ec); // not exact or out of range: an error
    if (ec || value->is_double()) bad(key, "a whole number of its range");
}

inline void take(const json::object& from, std::string_view key, Duration& into)
{
    Duration::rep count = into.count();
    take(from, key, count);
    into = Duration(count);
}

/// A word of an enumeration, by its parser.
template <class Enum>
void take_word(const json::object& from, std::string_view key,
               std::optional<Enum> (*parse)(std::string_view), Enum& into)
{
    const auto* value = find(from, key);
    if (!value) return;
    const auto known = parse(as_text(*value, key));
    if (!known) bad(key, "a word that is known");
    into = *known;
}

} // namespace bgt::store::fields
