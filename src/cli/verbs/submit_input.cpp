#include "submit_input.hpp"

#include "run/own_descriptor.hpp"
#include <bgt/base/descriptor.hpp>
#include <bgt/base/fd.hpp>
#include <bgt/base/text.hpp>
#include <bgt/store/task_id.hpp>

#include <boost/json.hpp>
#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>
#include <stdexcept>
#include <sys/stat.h>
#include <unistd.h>

namespace bgt::cli {
namespace {

namespace json = boost::json;

constexpr std::size_t max_input = 256u << 20;

/// Opening or reading what is no file may wait for ever, for a writer that never comes. A pipe of
/// the caller's own is read to its end, as stdin is.
Result<Fd> open_input(const std::string& file, const char* option)
{
    Fd opened(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    struct stat info {};
    if (!opened || ::fstat(opened.get(), &info) != 0)
        return Error::usage(std::string(option) + ": " +
                            Error::system(printable(file), errno).message);
    const bool is_own = is_own_descriptor(file) && !S_ISDIR(info.st_mode);
    if (!S_ISREG(info.st_mode) && !is_own)
        return Error::usage(std::string(option) + ": " + printable(file) +
                            " is not a regular file (- is stdin)");
    const int flags = ::fcntl(opened.get(), F_GETFL);
    ::fcntl(opened.get(), F_SETFL, flags & ~O_NONBLOCK);
    return opened;
}

Result<std::string> read_all(const std::string& file, const char* option)
{
    Fd opened;
    if (file != "-") { BGT_TRY_ASSIGN(opened, open_input(file, option)); }
    const int fd = file == "-" ? STDIN_FILENO : opened.get();
    std::string text;
    std::vector<char> block(1 << 16);
    while (true) {
        const ssize_t got = retry_on_eintr([&] { return ::read(fd, block.data(), block.size()); });
        if (got < 0)
            return Error::usage(std::string(option) + ": " +
                                Error::system(printable(file), errno).message);
        if (got == 0) return text;
        text.append(block.data(), static_cast<std::size_t>(got));
        if (text.size() > max_input)
            return Error::usage(std::string(option) + ": more than 256 MiB");
    }
}

std::string as_text(const json::value& value, const char* key)
{
    if (!value.is_string()) throw std::runtime_error(fmt::format("\"{}\" is no text", key));
    const std::string text(value.get_string());
    if (text.find('\0') != text.npos)
        throw std::runtime_error(fmt::format("\"{}\" holds a NUL character", key));
    return text;
}

std::string word_of(const json::value& value)
{
    if (value.is_int64()) return std::to_string(value.get_int64());
    return as_text(value, "after");
}

json::array command_of(const json::object& from)
{
    const json::value* command = from.if_contains("command");
    const json::value* shell = from.if_contains("shell");
    if ((command != nullptr) == (shell != nullptr))
        throw std::runtime_error("it needs \"command\", a list of words, or \"shell\", a text");
    if (shell) return {"/bin/sh", "-c", as_text(*shell, "shell")};
    if (!command->is_array() || command->get_array().empty())
        throw std::runtime_error("\"command\" is no list of words");
    for (const json::value& word : command->get_array()) as_text(word, "command");
    return command->get_array();
}

/// Fields of spec.json.
json::object changes_of(const json::object& from)
{
    json::object changes{{"command", command_of(from)}, {"shell", from.contains("shell")}};
    if (const auto* name = from.if_contains("name")) changes["name"] = as_text(*name, "name");
    if (const auto* cwd = from.if_contains("cwd")) {
        if (!as_text(*cwd, "cwd").starts_with('/'))
            throw std::runtime_error("\"cwd\" does not begin with /");
        changes["cwd"] = *cwd;
    }
    if (const auto* tags = from.if_contains("tags")) {
        if (!tags->is_object()) throw std::runtime_error("\"tags\" is no object");
        for (const auto& tag : tags->get_object()) as_text(tag.value(), "tags");
        changes["tags"] = *tags;
    }
    return changes;
}

ops::BatchItem item_of(const json::object& from)
{
    constexpr std::array known{"id",       "name", "command", "shell", "after",
                               "priority", "key",  "tags",    "cwd"};
    for (const auto& field : from)
        if (std::ranges::find(known, std::string_view(field.key())) == known.end())
            throw std::runtime_error("unknown field \"" +
                                     fit(printable(std::string(field.key())), 40) + "\"");
    ops::BatchItem item;
    item.changes = json::serialize(changes_of(from));
    if (const auto* id = from.if_contains("id")) item.local_name = word_of(*id);
    if (const auto* name = from.if_contains("name")) {
        item.name = as_text(*name, "name");
        if (auto valid = store::check_plain_name(item.name); !valid)
            throw std::runtime_error(valid.error().message);
        if (item.local_name.empty()) item.local_name = item.name;
    }
    if (const auto* key = from.if_contains("key")) item.key = as_text(*key, "key");
    if (const auto* priority = from.if_contains("priority"))
        item.priority = priority->to_number<std::int32_t>();
    if (const auto* after = from.if_contains("after")) {
        const json::array words = after->is_array() ? after->get_array() : json::array{*after};
        for (const json::value& word : words) {
            auto parsed = ops::parse_dependency(word_of(word));
            if (!parsed) throw std::runtime_error(parsed.error().message);
            item.after.push_back(*std::move(parsed));
        }
    }
    return item;
}

} // namespace

Result<std::vector<std::string>> read_each(const std::string& file, bool nul_terminated)
{
    BGT_TRY_ASSIGN(const std::string text, read_all(file, "--each"));
    const char end = nul_terminated ? '\0' : '\n';
    std::vector<std::string> out;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t next = std::min(text.find(end, at), text.size());
        if (next > at) out.push_back(text.substr(at, next - at));
        if (!nul_terminated && next > at && out.back().find('\0') != std::string::npos)
            return Error::usage("--each: a line holds a NUL byte; use -0");
        at = next + 1;
    }
    return out;
}

Result<std::vector<ops::BatchItem>> read_batch(const std::string& file)
{
    BGT_TRY_ASSIGN(const std::string text, read_all(file, "--batch"));
    std::vector<ops::BatchItem> items;
    std::size_t number = 0;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t next = std::min(text.find('\n', at), text.size());
        const std::string_view line(text.data() + at, next - at);
        ++number;
        at = next + 1;
        if (line.find_first_not_of(" \t\r") == line.npos) continue;
        try {
            const json::value value = json::parse(json::string_view(line.data(), line.size()));
            if (!value.is_object()) throw std::runtime_error("it is no object");
            items.push_back(item_of(value.get_object()));
        } catch (const boost::system::system_error& problem) { // of Boost.JSON
            return Error::usage(
                fmt::format("--batch: line {}: {}", number, problem.code().message()));
        } catch (const std::exception& problem) {
            return Error::usage(fmt::format("--batch: line {}: {}", number, problem.what()));
        }
    }
    return items;
}

} // namespace bgt::cli
