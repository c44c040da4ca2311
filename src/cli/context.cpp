#include <bgt/cli/context.hpp>

#include <algorithm>
#include <bgt/base/descriptor.hpp>
#include <bgt/base/text.hpp>
#include <bgt/ops/queues.hpp>
#include <bgt/ops/settings.hpp>
#include <bgt/os/terminal.hpp>
#include <bgt/render/json.hpp>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdlib>
#include <unistd.h>
#include <utility>

namespace bgt::cli {

namespace {

constexpr int plain_width = 80; ///< where stdout is no terminal

std::string_view env(const char* name)
{
    const char* value = std::getenv(name);
    return value == nullptr ? std::string_view() : value;
}

std::string working_folder()
{
    char buffer[PATH_MAX];
    return ::getcwd(buffer, sizeof buffer) == nullptr ? std::string() : std::string(buffer);
}

/// A relative path counts from the working folder; an empty one stays empty.
Result<void> make_absolute(std::string& path, const std::string& folder)
{
    if (path.empty() || path[0] == '/') return {};
    if (folder.empty()) return Error::system("the working folder is gone, so " + path, ENOENT);
    path.insert(0, folder + "/");
    return {};
}

/// By its physical path where it has one: a file is trusted by its path.
Result<ops::NamedFile> named_file(const Places& places, const std::string& folder)
{
    ops::NamedFile named{places.config.value_or(std::string(env("BGT_CONFIG"))),
                         places.config ? "--config" : "BGT_CONFIG"};
    BGT_TRY(make_absolute(named.path, folder));
    char buffer[PATH_MAX];
    if (!named.path.empty() && ::realpath(named.path.c_str(), buffer) != nullptr)
        named.path = buffer;
    return named;
}

Result<config::Trust> check_trust(const std::string& file, std::string_view text)
{
    const auto store = trust_store();
    return store ? store->check(file, text) : store.error();
}

/// What SIGPIPE would have done, also where the caller has it ignored.
[[noreturn]] void end_as_by_sigpipe()
{
    std::signal(SIGPIPE, SIG_DFL);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGPIPE);
    sigprocmask(SIG_UNBLOCK, &set, nullptr);
    ::raise(SIGPIPE);
    ::_exit(128 + SIGPIPE);
}

} // namespace

int exit_code(const Error& error)
{
    switch (error.kind) {
    case ErrorKind::cannot_exec: return code::cannot_exec;
    case ErrorKind::no_command: return code::no_command;
    case ErrorKind::failed:
    case ErrorKind::usage:
    case ErrorKind::not_found: break;
    }
    return code::failed;
}

Result<store::TrustStore> trust_store()
{
    auto folder = store::locate_trust(env("XDG_DATA_HOME"), env("HOME"));
    if (!folder) return folder.error();
    return store::TrustStore(*std::move(folder));
}

Result<Context> Context::load(const Places& places, std::string_view verb,
                              config::Mistakes mistakes)
{
    Context context;
    context.places_ = places;
    context.verb_ = verb;
    context.folder_ = working_folder();
    if (places.config && places.config->empty()) return Error::usage("--config needs a file");
    if (places.root && places.root->empty()) return Error::usage("--root needs a folder");
    BGT_TRY_ASSIGN(const ops::NamedFile named, named_file(places, context.folder_));
    auto loaded = ops::load_settings(context.folder_, check_trust, mistakes, named);
    if (!loaded) return loaded.error();
    context.config_ = *std::move(loaded);
    context.root_from_flag_ = places.root.has_value();
    context.root_path_ = places.root ? *places.root : context.settings().root;
    BGT_TRY(make_absolute(context.root_path_, context.folder_));
    auto& warnings = context.config_.warnings;
    if (context.config_.root_in_doubt && !places.root && !warnings.empty())
        if (const auto path = context.root_path()) warnings.back() += "; so the root is " + *path;
    for (const auto& warning : warnings) context.complain(warning);
    return context;
}

Result<std::string> Context::root_path() const
{
    return store::locate_root(root_path_, env("XDG_STATE_HOME"), env("HOME"));
}

Result<store::Root*> Context::root(bool create)
{
    if (root_ && (root_->exists() || !create)) return &*root_;
    tell_ignored();
    auto path = root_path();
    if (!path) return path.error();
    auto root = store::Root::open(*path, create ? store::Root::IfMissing::create
                                                : store::Root::IfMissing::empty);
    if (!root) return root.error();
    root_.emplace(*std::move(root));
    ops::keep_dispatching(*root_);
    return &*root_;
}

bool Context::stdout_is_terminal() const
{
    return os::is_terminal(STDOUT_FILENO);
}

bool Context::stderr_is_terminal() const
{
    return os::is_terminal(STDERR_FILENO);
}

bool Context::color() const
{
    return env("NO_COLOR").empty() && env("TERM") != "dumb" && stdout_is_terminal();
}

int Context::width() const
{
    return stdout_is_terminal() ? os::terminal_width(STDOUT_FILENO) : plain_width;
}

std::optional<std::size_t> Context::table_width() const
{
    if (!stdout_is_terminal()) return std::nullopt;
    return static_cast<std::size_t>(std::max(width(), 1));
}

void Context::end_without_reader()
{
    end_as_by_sigpipe();
}

Result<void> Context::try_print(std::string_view text)
{
    const int err = write_all(STDOUT_FILENO, text);
    if (err == EPIPE) end_as_by_sigpipe();
    if (err != 0) return Error::system("can't write to stdout", err);
    return {};
}

void Context::answer_in_json(render::TaskFields fields)
{
    json_ = true;
    fields_ = std::move(fields);
}

void Context::finish()
{
    if (!json_ || answered_ || (!error_ && errors_.empty())) return;
    if (!error_) {
        error_ = errors_.front();
        if (errors_.size() == 1) errors_.clear();
    }
    const std::string answer = render::error_json(*error_, errors_);
    errors_.clear();
    print(answer);
}

void Context::print(std::string_view text)
{
    std::string whole(text);
    if (json_ && !std::exchange(answered_, true) && !errors_.empty())
        whole = render::with_errors(std::move(whole), errors_);
    const auto printed = try_print(whole);
    if (printed) return;
    complain(printed.error().message);
    ::_exit(exit_code(printed.error()));
}

void Context::complain(std::string_view text)
{
    std::string line = "bgt";
    if (!verb_.empty()) line += " " + verb_;
    line += ": ";
    line += printable(text); // paths, settings and texts of libraries are in it
    line += '\n';
    (void)write_all(STDERR_FILENO, line); // nobody is left to be told
}

void Context::tell_failure(const std::string& text, int code, store::TaskId task)
{
    if (json_ && !answered_) errors_.push_back({text, code, task});
    else complain(text);
}

int Context::fail(const Error& error, store::TaskId task)
{
    tell_failure(error.message, exit_code(error), task);
    return exit_code(error);
}

int Context::fail(const Error& error, bool json)
{
    if (!json || !json_ || answered_) return fail(error);
    error_ = {error.message, exit_code(error), {}};
    return exit_code(error);
}

void Context::tell_ignored(const IgnoredKeys& keys)
{
    const auto& project = settings().project;
    if (!project || std::exchange(told_ignored_, true)) return;
    std::vector<std::string> untrusted, own_only;
    for (const auto& row : config_.rows) {
        if (!row.ignored || (row.key == "root" && root_from_flag_)) continue;
        if (row.ignored->needs == config::Needs::trust && (row.key == "root" || keys.hooks))
            untrusted.push_back(row.key);
        if (row.ignored->needs == config::Needs::own_settings && keys.retention)
            own_only.push_back(row.key);
    }
    const auto& alerts = settings().alerts;
    if (keys.alerts && !project->is_trusted() &&
        std::ranges::count(alerts, config::Origin::project_file, &config::Alert::origin) > 0)
        untrusted.emplace_back("alert");
    untrusted.insert(untrusted.end(), keys.options.begin(), keys.options.end());
    if (!untrusted.empty() || !own_only.empty())
        complain(config::ignored_line(*project, untrusted, own_only));
}

void Context::hint(std::string_view text)
{
    if (stderr_is_terminal()) (void)write_all(STDERR_FILENO, printable(text) + "\n");
}

} // namespace bgt::cli
