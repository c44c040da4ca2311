#include <bgt/config/services.hpp>

#include <bgt/base/text.hpp>
#include <bgt/core/pattern.hpp>

#include <algorithm>

namespace bgt::config {

namespace {

bool is_named(std::string_view programs, std::string_view program)
{
    for (std::size_t from = 0; (from = programs.find(program, from)) != programs.npos; ++from)
        if (from > 0 && programs[from - 1] == ' ' && programs[from + program.size()] == ' ')
            return true;
    return false;
}

bool matches(std::string_view regex, const std::string& line)
{
    const auto pattern = core::Pattern::compile(std::string(regex));
    return pattern && pattern->matches(line);
}

} // namespace

namespace {

/// The first row that matches these words.
const KnownService* find(std::span<const KnownService> rows, const std::vector<std::string>& words)
{
    if (words.empty() || words[0].empty() || words[0].find(' ') != std::string::npos)
        return nullptr;
    const auto asks = [](const std::string& word) {
        return word == "--help" || word == "--version";
    };
    std::string line;
    for (const KnownService& service : rows) {
        if (!is_named(service.programs, words[0])) continue;
        if (std::any_of(words.begin(), words.end(), asks)) return nullptr;
        if (line.empty()) line = shell_join(words);
        if (!service.match.empty() && !matches(service.match, line)) continue;
        if (service.unless.empty() || !matches(service.unless, line)) return &service;
    }
    return nullptr;
}

} // namespace

const KnownService* find_service(const std::vector<std::string>& command)
{
    return find(known_services(), bare_command(command));
}

const KnownService* find_forwarder(const std::vector<std::string>& command)
{
    std::vector<std::string> words = command;
    if (!words.empty()) words[0].erase(0, words[0].rfind('/') + 1);
    return find(known_forwarders(), words);
}

} // namespace bgt::config
