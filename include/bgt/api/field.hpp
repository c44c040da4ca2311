#pragma once
/// The fields of requests and answers as rows, from which schemas and checks follow.
#include <cstdint>
#include <span>
#include <string_view>

namespace bgt::api {

enum class Type : std::uint8_t {
    text,
    integer,
    number,
    flag,      ///< true or false
    task,      ///< an id, or a name
    variables, ///< an object of texts
    object,    ///< with `members`
};

struct Field {
    std::string_view name;
    Type type = Type::text;
    std::string_view doc = {}; ///< one line; may be empty in answers
    bool required = false;
    bool list = false;              ///< an array of these
    std::string_view fallback = {}; ///< the default, as JSON; empty: there is none
    std::string_view choices = {};  ///< "fail|reuse|replace": the only values of a text
    double min = 0, max = 0;        ///< of numbers, where max > min
    std::uint32_t max_size = 0;     ///< bytes of a text, entries of a list; 0: a general bound
    std::span<const Field> members = {};
};

/// Of a text that says no bound of its own, in bytes; and of a list, in entries.
inline constexpr std::uint32_t max_text = 256 * 1024;
inline constexpr std::uint32_t max_list = 1000;

} // namespace bgt::api
