#include "spawn_main.hpp"

#include <bgt/os/clock.hpp>
#include <bgt/os/spawn.hpp>
#include <bgt/os/tree.hpp>
#include <bgt/store/open_file.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>
#include <iterator>
#include <sys/stat.h>

namespace bgt::supervise {
namespace {

Result<Fd> open_stdin(SupervisorResources& resources)
{
    switch (resources.spec.stdin_from) {
    case store::StdinFrom::caller:
        // Not kept: the writer of a pipe must be told when the command has gone.
        if (resources.caller_stdin) return std::move(resources.caller_stdin);
        [[fallthrough]];
    case store::StdinFrom::null: {
        Fd null{open("/dev/null", O_RDONLY | O_CLOEXEC)};
        if (!null)
            return Error::system(
                "/dev/null can't be opened (mknod -m 666 /dev/null c 1 3 makes it)", errno);
        return null;
    }
    case store::StdinFrom::pipe: {
        // Nobody may hold a writing end any more (bgt send --eof): then it does not wait for one,
        // and the command reads end-of-file, as the attempt before did.
        Result<Fd> in = store::open_fifo(resources.task, store::file::in_fifo, O_RDONLY);
        if (in) fcntl(in->get(), F_SETFL, 0);
        return in;
    }
    case store::StdinFrom::file: break;
    }
    const std::string& path = resources.spec.stdin_file;
    // Opening a FIFO waits for its writer, and nothing could end the wait.
    Fd fd{open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)};
    struct stat info {};
    if (!fd || fstat(fd.get(), &info) != 0)
        return Error::system(fmt::format("--stdin {}", path), errno);
    if (S_ISFIFO(info.st_mode))
        return Error::failed(
            fmt::format("--stdin {}: is a FIFO; use --stdin pipe, and bgt send", path));
    if (S_ISDIR(info.st_mode)) return Error::failed(fmt::format("--stdin {}: is a folder", path));
    fcntl(fd.get(), F_SETFL, 0);
    return fd;
}

/// Puts the start on record from within the new process.
class RecordedStart : public os::StartLog {
public:
    RecordedStart(const store::StartRecord& record, bool is_first)
        : record_(record), is_first_(is_first)
    {}

    /// A later attempt is started also where the disk refuses: nobody takes the record of the one
    /// before for "never started".
    int about_to_exec(std::int32_t pid, std::uint64_t start_ticks) noexcept override
    {
        const int err = record_.write(pid, start_ticks);
        return is_first_ ? err : 0;
    }
    void exec_failed() noexcept override { record_.take_back(); }
    const store::StartRecord& record() const { return record_; }

private:
    store::StartRecord record_;
    bool is_first_;
};

} // namespace

namespace {

/// PWD, where there is one, names the folder of the command, by whatever way it leads there
/// (`/tmp/link`).
void correct_pwd(std::vector<std::string>& env, const std::string& cwd)
{
    constexpr std::string_view prefix = "PWD=";
    const auto pwd = std::ranges::find_if(
        env, [&](const std::string& entry) { return entry.starts_with(prefix); });
    if (pwd == env.end() || std::string_view(*pwd).substr(prefix.size()) == cwd) return;
    struct stat named {
    }, real{};
    const bool same = stat(pwd->c_str() + prefix.size(), &named) == 0 &&
                      stat(cwd.c_str(), &real) == 0 && named.st_dev == real.st_dev &&
                      named.st_ino == real.st_ino;
    if (!same) *pwd = std::string(prefix) + cwd;
}

} // namespace

/// What bgt adds to the command's environment. A task inside a task carries both cookies, so that
/// the outer one's tree is found whole.
std::vector<std::string> environment_of(const SupervisorResources& resources,
                                        std::vector<std::string> env)
{
    const store::TaskSpec& spec = resources.spec;
    const std::string& folder = resources.task.path();
    std::string cookies = spec.cookie;
    const std::string prefix = std::string(os::cookie_variable) + "=";
    for (const std::string& entry : env)
        if (entry.starts_with(prefix)) cookies = entry.substr(prefix.size()) + ":" + cookies;
    const std::string_view ours[] = {
        prefix,         "BGT_TASK_ID=",   "BGT_TASK_DIR=",  "BGT_DEADLINE=", "BGT_GRACE=",
        "BGT_ATTEMPT=", "NOTIFY_SOCKET=", "WATCHDOG_USEC=", "WATCHDOG_PID=", "BGT_SCOPE="};
    std::erase_if(env, [&](const std::string& entry) {
        if (entry.empty() || std::string_view("BNW").find(entry[0]) == std::string_view::npos)
            return false; // most, at once
        return std::any_of(std::begin(ours), std::end(ours),
                           [&](std::string_view name) { return entry.starts_with(name); });
    });
    correct_pwd(env, spec.cwd);
    Duration grace{};
    for (const core::StopStep& step : spec.policy.stop_ladder) grace += step.wait;
    env.push_back(prefix + cookies);
    env.push_back("BGT_TASK_ID=" + to_string(spec.id));
    if (!spec.scopes.empty())
        env.push_back(std::string(core::scope_variable) + "=" + core::encode_scopes(spec.scopes));
    env.push_back("BGT_TASK_DIR=" + folder);
    env.push_back("BGT_GRACE=" + format_duration(grace));
    env.push_back("NOTIFY_SOCKET=" +
                  os::ControlSocket::notify_address(folder, store::file::control, spec.cookie));
    // Programs that know systemd's watchdog give signs of life by themselves (man 3
    // sd_watchdog_enabled).
    if (const auto& limit = spec.policy.hang.progress)
        env.push_back(
            fmt::format("WATCHDOG_USEC={}",
                        std::chrono::duration_cast<std::chrono::microseconds>(*limit).count()));
    if (spec.policy.timeout)
        env.push_back("BGT_DEADLINE=" +
                      format_rfc3339(resources.recorder.status().started.value_or(os::wall_now()) +
                                     *spec.policy.timeout));
    return env;
}

Result<void> spawn_main(SupervisorResources& resources, std::uint32_t attempt)
{
    Result<Fd> in = open_stdin(resources);
    if (!in) return in.error();
    Result<Fd> out = resources.out.writer();
    if (!out) return out.error();
    Fd err;
    if (resources.err) {
        Result<Fd> opened = resources.err->writer();
        if (!opened) return opened.error();
        err = std::move(*opened);
    }
    const store::TaskSpec& spec = resources.spec;
    std::vector<std::string> env = resources.env;
    env.push_back("BGT_ATTEMPT=" + std::to_string(attempt));
    std::vector<ResourceLimit> limits = spec.limits;
    if (spec.mark != 0) limits.push_back({"rttime", spec.mark});
    store::Status& status = resources.recorder.status();
    const store::Status before = status;
    status.lifecycle = core::Lifecycle::running;
    status.main_process = {};
    status.attempt_started = os::wall_now();
    if (!status.started) {
        status.started = status.attempt_started;
        status.started_at = os::now();
    }
    RecordedStart log(resources.recorder.prepare_start(), attempt == 1);
    const std::array held{resources.out.fifo_path().c_str(),
                          err ? resources.err->fifo_path().c_str() : nullptr};
    const Result<ProcessKey> main_process =
        os::spawn({spec.command, env, spec.cwd, in->get(), out->get(), err ? err.get() : out->get(),
                   held, spec.umask.value_or(077), spec.nice, limits, &log});
    resources.recorder.go_on_after(log.record());
    if (!main_process) {
        status = before;
        return main_process.error();
    }
    status.main_process = *main_process;
    return {};
}

} // namespace bgt::supervise
