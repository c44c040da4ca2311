#include "env_file.hpp"
#include "own_descriptor.hpp"

#include <bgt/base/descriptor.hpp>
#include <bgt/base/fd.hpp>
#include <bgt/base/text.hpp>
#include <cerrno>
#include <fcntl.h>
#include <optional>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

namespace bgt::cli {

namespace {

constexpr std::size_t max_file_size = 1 << 20;
constexpr std::string_view blanks = " \t";
constexpr int pipe_timeout_ms = 10'000; ///< with a writer of a pipe

std::string_view trim_left(std::string_view text)
{
    text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
    return text;
}

std::string_view trim_right(std::string_view text)
{
    const auto last = text.find_last_not_of(blanks);
    return text.substr(0, last == std::string_view::npos ? 0 : last + 1);
}

char escaped(char c)
{
    switch (c) {
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    case '"':
    case '\\':
    case '$': return c;
    default: return '\0';
    }
}

/// The value between quotes; `rest` becomes what follows the closing one. nullopt: there is none.
std::optional<std::string> quoted(std::string_view text, std::string_view& rest)
{
    std::string out;
    for (std::size_t i = 1; i < text.size(); ++i) {
        if (text[i] == text[0]) {
            rest = text.substr(i + 1);
            return out;
        }
        if (text[0] == '"' && text[i] == '\\' && i + 1 < text.size() &&
            escaped(text[i + 1]) != '\0')
            out += escaped(text[++i]);
        else out += text[i];
    }
    return std::nullopt;
}

struct Line {
    std::string assignment; ///< empty: nothing on this line
    std::string wrong;      ///< empty: nothing
};

Line parse_line(std::string_view line)
{
    line = trim_left(line);
    if (line.empty() || line[0] == '#') return {};
    if (line.starts_with("export ") || line.starts_with("export\t"))
        line = trim_left(line.substr(7));
    const auto equals = line.find('=');
    if (equals == std::string_view::npos)
        return {{}, "expected NAME=VALUE, found '" + fit(printable(line), 40) + "'"};
    const auto name = trim_right(line.substr(0, equals));
    if (!is_variable_name(name) || name.find_first_of(" \t'\"") != std::string_view::npos)
        return {{}, "'" + fit(printable(name), 40) + "' is not the name of a variable"};
    std::string assignment = std::string(name) + "=";
    auto value = trim_left(line.substr(equals + 1));
    if (value.empty() || (value[0] != '\'' && value[0] != '"')) {
        for (std::size_t i = 0; i < value.size(); ++i)
            if (value[i] == '#' && (i == 0 || blanks.find(value[i - 1]) != std::string_view::npos))
                value = value.substr(0, i);
        return {assignment + std::string(trim_right(value)), {}};
    }
    std::string_view rest;
    const auto inside = quoted(value, rest);
    if (!inside) return {{}, std::string("the quote ") + value[0] + " is not closed"};
    rest = trim_left(rest);
    if (!rest.empty() && rest[0] != '#')
        return {{}, "text after the closing quote: '" + fit(printable(rest), 40) + "'"};
    return {assignment + *inside, {}};
}

} // namespace

bool is_own_descriptor(std::string_view path)
{
    if (path == "/dev/stdin" || path == "/dev/stdout" || path == "/dev/stderr") return true;
    for (const std::string_view folder : {"/dev/fd/", "/proc/self/fd/"})
        if (path.starts_with(folder) && path.size() > folder.size() &&
            path.find_first_not_of("0123456789", folder.size()) == path.npos)
            return true;
    return false;
}

std::vector<std::string> caller_environment()
{
    std::vector<std::string> entries;
    for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry)
        entries.emplace_back(*entry);
    return entries;
}

bool is_variable_name(std::string_view name)
{
    return !name.empty() && name.find('=') == std::string_view::npos &&
           name.find('\0') == std::string_view::npos;
}

Result<std::vector<std::string>> parse_env_file(std::string_view text, const std::string& file)
{
    std::vector<std::string> out;
    for (std::size_t number = 1; !text.empty(); ++number) {
        const auto end = std::min(text.find('\n'), text.size());
        auto line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        if (line.ends_with('\r')) line.remove_suffix(1);
        const auto where = file + ":" + std::to_string(number) + ": ";
        if (line.find('\0') != std::string_view::npos) return Error::usage(where + "a NUL byte");
        auto parsed = parse_line(line);
        if (!parsed.wrong.empty()) return Error::usage(where + parsed.wrong);
        if (!parsed.assignment.empty()) out.push_back(std::move(parsed.assignment));
    }
    return out;
}

Result<std::vector<std::string>> read_env_file(const std::string& path)
{
    const std::string shown = printable(path);
    // Opening or reading what is no file may wait for ever, for a writer that never comes.
    const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    struct stat info {};
    if (!file || ::fstat(file.get(), &info) != 0)
        return Error::system("--env-file " + shown, errno);
    const bool piped = S_ISFIFO(info.st_mode) && is_own_descriptor(path);
    if (!S_ISREG(info.st_mode) && !S_ISCHR(info.st_mode) && !piped)
        return Error::usage("--env-file " + shown + ": is not a regular file");
    std::string text;
    char buffer[16 * 1024];
    for (;;) {
        const ssize_t n = retry_on_eintr([&] { return ::read(file.get(), buffer, sizeof buffer); });
        if (n < 0 && errno == EAGAIN && piped) {
            pollfd wait{file.get(), POLLIN, 0};
            if (::poll(&wait, 1, pipe_timeout_ms) != 0) continue;
            return Error::failed("--env-file " + shown +
                                 ": nothing came through this pipe for 10 s");
        }
        if (n < 0) return Error::system("--env-file " + shown, errno);
        if (n == 0) return parse_env_file(text, shown);
        text.append(buffer, static_cast<std::size_t>(n));
        if (text.size() > max_file_size)
            return Error::usage("--env-file " + shown + ": larger than 1 MiB");
    }
}

} // namespace bgt::cli
