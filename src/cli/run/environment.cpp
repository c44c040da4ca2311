// What the options of `bgt run` need of this machine: folders, files, processes, the environment.
#include "environment.hpp"

#include "run_table.hpp"

#include "env_file.hpp"
#include <bgt/base/duplicate.hpp>
#include <bgt/base/text.hpp>
#include <bgt/ops/start.hpp>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <sys/stat.h>
#include <unistd.h>

namespace bgt::cli {

namespace {

/// The physical path (man 3 realpath) of something that exists.
Result<std::string> real_path(const char* option, const std::string& path)
{
    char buffer[PATH_MAX];
    if (::realpath(path.c_str(), buffer) == nullptr)
        return Error::system(option + (" " + printable(path)), errno);
    return std::string(buffer);
}

Result<void> add_env(std::vector<std::string>& env, const std::vector<std::string>& given)
{
    for (const auto& text : given) {
        if (!is_variable_name(text.substr(0, text.find('='))))
            return Error::usage("--env " + fit(printable(text), 40) + ": expected K=V");
        if (text.find('=') != std::string::npos) {
            env.push_back(text);
            continue;
        }
        const char* value = std::getenv(text.c_str());
        if (value == nullptr)
            return Error::usage("--env " + printable(text) +
                                ": expected K=V; K alone passes on its value, and it has none");
        env.push_back(text + "=" + value);
    }
    return {};
}

/// Of several assignments to a variable the last one stays, at the first one's place.
std::vector<std::string> without_doubles(const std::vector<std::string>& env)
{
    std::vector<std::string> out;
    std::map<std::string, std::size_t, std::less<>> at;
    for (const auto& assignment : env) {
        const auto [it, is_new] =
            at.try_emplace(assignment.substr(0, assignment.find('=')), out.size());
        if (is_new) out.push_back(assignment);
        else out[it->second] = assignment;
    }
    return out;
}

} // namespace

Result<std::string> working_folder(const std::optional<std::string>& asked)
{
    auto path = real_path("--cwd", asked.value_or("."));
    if (!path)
        return asked ? path.error()
                     : Error::system("the working folder is gone", path.error().sys_errno);
    struct stat info = {};
    if (::stat(path->c_str(), &info) != 0) return Error::system("--cwd " + printable(*path), errno);
    if (!S_ISDIR(info.st_mode)) return Error::usage("--cwd " + printable(*path) + ": not a folder");
    if (::access(path->c_str(), X_OK) != 0)
        return Error::system("--cwd " + printable(*path), errno);
    return path;
}

Result<void> set_stdin(store::TaskSpec& spec, const std::string& from)
{
    if (from == "null") return {};
    if (from == "pipe") {
        spec.stdin_from = store::StdinFrom::pipe;
        return {};
    }
    if (from == "-") {
        spec.stdin_from = store::StdinFrom::caller;
        return {};
    }
    auto path = real_path("--stdin", from);
    if (!path) return path.error();
    struct stat info = {};
    if (::stat(path->c_str(), &info) == 0 && S_ISDIR(info.st_mode))
        return Error::usage("--stdin " + printable(from) + ": a folder");
    if (::access(path->c_str(), R_OK) != 0)
        return Error::system("--stdin " + printable(from), errno);
    spec.stdin_from = store::StdinFrom::file;
    spec.stdin_file = *std::move(path);
    return {};
}

Result<Fd> caller_stdin(bool stays)
{
    if (!stays && ::isatty(STDIN_FILENO) != 0)
        return Error::usage(
            "--stdin -: stdin is a terminal, which the shell goes on reading; add --wait");
    Fd copy = duplicate(STDIN_FILENO);
    if (!copy)
        return errno == EBADF ? Error::usage("--stdin -: stdin is closed")
                              : Error::system("--stdin -", errno);
    return copy;
}

Result<void> set_owner(store::TaskSpec& spec, const std::string& text)
{
    auto pid = parse_int(text, 1, INT_MAX);
    if (!pid) return Error::usage("--owner: " + pid.error().message);
    spec.owner = ops::find_owner(*pid);
    if (!spec.owner) return Error::usage("--owner: there is no running process " + text);
    return {};
}

Result<std::vector<std::string>> environment(const RunOptions& options)
{
    std::vector<std::string> env;
    if (!options.clear_env) env = caller_environment();
    for (const auto& path : options.env_files) {
        auto from_file = read_env_file(path);
        if (!from_file) return from_file.error();
        env.insert(env.end(), from_file->begin(), from_file->end());
    }
    if (options.env.empty() && options.env_files.empty())
        return env; // the caller's own goes on as it is
    if (auto added = add_env(env, options.env); !added) return added.error();
    return without_doubles(env);
}

} // namespace bgt::cli
