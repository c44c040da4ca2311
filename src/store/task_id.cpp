#include <bgt/store/task_id.hpp>

#include <bgt/base/text.hpp>

#include <algorithm>
#include <charconv>

namespace bgt::store {
namespace {

constexpr std::int64_t max_id = std::int64_t{1} << 53;
constexpr std::size_t max_name_size = 64;

bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}
bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/// Hostile text in a message: one line, and not all of it.
std::string shown(std::string_view text)
{
    const bool cut = text.size() > max_name_size;
    return "\"" + printable(text.substr(0, max_name_size)) + (cut ? "...\"" : "\"");
}

} // namespace

Result<TaskId> parse_task_id(std::string_view text)
{
    std::int64_t value = 0;
    const char* end = text.data() + text.size();
    const bool digits = !text.empty() && std::all_of(text.begin(), text.end(), is_digit);
    if (digits) {
        const auto [stop, ec] = std::from_chars(text.data(), end, value);
        if (ec == std::errc{} && stop == end && value >= 1 && value <= max_id) return TaskId{value};
    }
    return Error::usage(shown(text) + " is not a task id: ids are whole numbers from 1 to 2^53");
}

Result<void> check_plain_name(std::string_view name)
{
    if (name.empty())
        return Error::usage(
            "the name is empty: a name has 1 to 64 of letters, digits, '.', '_' and '-'");
    if (name.size() > max_name_size)
        return Error::usage("the name " + shown(name) + " is too long (" +
                            std::to_string(name.size()) +
                            " bytes): a name has at most 64 characters");
    const auto allowed = [](char c) {
        return is_letter(c) || is_digit(c) || c == '.' || c == '_' || c == '-';
    };
    if (!std::all_of(name.begin(), name.end(), allowed))
        return Error::usage(
            "the name " + shown(name) +
            " holds a character that a name can't: use letters, digits, '.', '_' and '-'");
    if (!is_letter(name.front()) && name.front() != '_')
        return Error::usage("the name " + shown(name) + " must begin with a letter or '_'");
    return {};
}

Result<void> check_name(std::string_view name)
{
    const auto separator = name.find(project_separator);
    if (separator == name.npos || name.size() > max_name_size) return check_plain_name(name);
    if (auto project = check_plain_name(name.substr(0, separator)); !project) return project;
    return check_plain_name(name.substr(separator + 1));
}

} // namespace bgt::store
