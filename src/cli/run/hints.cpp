#include "hints.hpp"

#include <algorithm>
#include <array>
#include <bgt/base/text.hpp>
#include <fmt/format.h>
#include <string_view>

namespace bgt::cli {

namespace {

constexpr std::size_t max_columns = 60;

constexpr std::array<std::string_view, 22> shell_words{
    "cd",    "export", "source", ".",    "alias", "set",  "unset", "ulimit",
    "umask", "exec",   "eval",   "trap", "shift", "exit", "if",    "for",
    "while", "until",  "case",   "{",    "pushd", "read"};

std::string shown(const std::string& text)
{
    return shell_quote(fit(printable(text), max_columns));
}

/// NAME=VALUE as a shell takes it (IEEE Std 1003.1, 2.9.1).
bool is_assignment(std::string_view word)
{
    const auto equals = word.find('=');
    if (equals == 0 || equals == word.npos) return false;
    const std::string_view name = word.substr(0, equals);
    const auto fits = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '_';
    };
    return std::ranges::all_of(name, fits) && (name[0] < '0' || name[0] > '9');
}

std::string joined(const std::vector<std::string>& words, std::size_t from)
{
    return shell_join({words.begin() + static_cast<std::ptrdiff_t>(from), words.end()});
}

} // namespace

std::string hint_for_missing(const std::vector<std::string>& command)
{
    if (command.empty()) return {};
    const std::string& first = command.front();
    if (command.size() == 1 && first.find_first_of(" \t\n;|&<>$") != first.npos)
        return "it is one word; a shell takes it apart: bgt run -c " + shown(first);
    if (is_assignment(first)) {
        std::size_t count = 0;
        std::string options;
        while (count < command.size() && is_assignment(command[count]))
            options += " --env " + shown(command[count++]);
        const std::string rest = count < command.size()
                                     ? " -- " + fit(printable(joined(command, count)), max_columns)
                                     : std::string();
        return (count == 1 ? "a variable is set by --env: bgt run"
                           : "variables are set by --env: bgt run") +
               options + rest;
    }
    if (first == "cd" && command.size() == 2)
        return "the folder is set by --cwd: bgt run --cwd " + shown(command[1]) + " -- COMMAND";
    if (std::ranges::find(shell_words, first) != shell_words.end())
        return first + " is a word of the shell: bgt run -c " +
               shown(fmt::format("{}", fmt::join(command, " ")));
    return {};
}

} // namespace bgt::cli
