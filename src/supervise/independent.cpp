#include "independent.hpp"

#include "start_parts.hpp"
#include "supervisor_resources.hpp"

#include <bgt/base/descriptor.hpp>
#include <bgt/base/text.hpp>
#include <bgt/os/background.hpp>
#include <bgt/os/beside.hpp>
#include <bgt/os/privileges.hpp>
#include <bgt/os/proc.hpp>
#include <bgt/os/tree.hpp>
#include <bgt/supervise/caller_context.hpp>
#include <bgt/supervise/control.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <fmt/format.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

namespace bgt::supervise {
namespace {

constexpr std::size_t largest_payload = 80u << 20; ///< far above what execve(2) takes

/// In this order they come with the request; the last is there with StdinFrom::caller.
enum Place : std::size_t { payload_place, report_place, lock_place, stdin_place };

/// What the new supervisor has to know.
struct Payload {
    store::TaskId id;
    std::string root;
    store::QueueContext caller;
};

std::string encode(const Payload& payload)
{
    return to_string(payload.id) + "\n" + payload.root + '\0' +
           store::encode_context(payload.caller);
}

Result<Payload> decode(std::string_view text)
{
    Payload out;
    const std::size_t line = text.find('\n'), end = text.find('\0');
    if (line == text.npos || end == text.npos || line > end ||
        std::from_chars(text.data(), text.data() + line, out.id.value).ec != std::errc())
        return Error::failed("the request for an independent task is damaged");
    out.root = text.substr(line + 1, end - line - 1);
    BGT_TRY_ASSIGN(out.caller, store::decode_context(text.substr(end + 1)));
    return out;
}

/// A file without a name that holds the text.
Result<Fd> file_of(const std::string& text)
{
    Fd file(::memfd_create("bgt", MFD_CLOEXEC));
    if (!file)
        return Error::system("a file for the supervisor of the outer task (memfd_create)", errno);
    if (const int err = write_all(file.get(), text))
        return Error::system("writing for the supervisor of the outer task", err);
    return file;
}

Result<std::string> text_of(int file)
{
    std::string text;
    std::array<char, 64 * 1024> part;
    while (text.size() <= largest_payload) {
        const ssize_t count = retry_on_eintr([&] {
            return ::pread(file, part.data(), part.size(), static_cast<off_t>(text.size()));
        });
        if (count < 0) return Error::system("reading the request for an independent task", errno);
        if (count == 0) return text;
        text.append(part.data(), static_cast<std::size_t>(count));
    }
    return Error::failed("the request for an independent task is too large");
}

Result<TaskAround> open_around(const std::string& folder)
{
    // ROOT/tasks/ID
    const std::size_t last = folder.rfind('/');
    const std::size_t middle =
        last == folder.npos || last == 0 ? folder.npos : folder.rfind('/', last - 1);
    store::TaskId id;
    const char* const end = folder.data() + folder.size();
    if (middle == folder.npos || folder.substr(middle, last - middle) != "/tasks" ||
        std::from_chars(folder.data() + last + 1, end, id.value).ptr != end)
        return Error::failed("BGT_TASK_DIR names no folder of a task: " + printable(folder));
    BGT_TRY_ASSIGN(store::Root root,
                   store::Root::open(folder.substr(0, middle), store::Root::IfMissing::empty));
    return TaskAround{std::move(root), id};
}

/// The new supervisor, in a process of its own beside this one.
Result<void> fork_beside_tree(const std::vector<int>& given)
{
    BGT_TRY_ASSIGN(const std::string text, text_of(given[payload_place]));
    BGT_TRY_ASSIGN(Payload payload, decode(text));
    BGT_TRY_ASSIGN(store::Root root,
                   store::Root::open(payload.root, store::Root::IfMissing::empty));
    BGT_TRY_ASSIGN(store::TaskDir task, root.open_task(payload.id));
    BGT_TRY_ASSIGN(store::TaskSpec spec, store::read_spec(task.fd()));
    task.take_over_lock(Fd(given[lock_place]));
    // Else this process, which has the outer supervisor's memory, would be found by it.
    os::hide_variable(os::cookie_variable);
    const int report = given[report_place];
    std::vector<int> keep{root.fd(), task.fd(), task.lock_fd(), report};
    LaunchRequest request{std::move(spec), payload.caller.env, payload.caller.retention};
    if (given.size() > stdin_place) {
        request.caller_stdin.reset(given[stdin_place]);
        keep.push_back(given[stdin_place]);
    }
    const std::uint64_t mark = request.spec.mark;
    request.prepare = [&payload, mark] {
        const rlimit limit{mark, mark};
        if (mark != 0) ::setrlimit(RLIMIT_RTTIME, &limit);
        if (!become_like(payload.caller, *os::privileges_of(0))) ::_exit(125);
    };
    const std::string title = fmt::format("bgt:{}", payload.id.value);
    const Result<pid_t> pid = os::fork_supervisor(keep, title, [&] {
        return supervise_new(std::move(root), std::move(task), std::move(request), Fd(report));
    });
    return pid ? Result<void>() : pid.error();
}

/// In the process beside the supervisor, which ends then.
void go_on_beside(const std::vector<int>& given)
{
    const Result<void> done = [&]() -> Result<void> {
        if (!os::supervisor_above(os::own_pid())) return fork_beside_tree(given);
        BGT_TRY_ASSIGN(std::optional<TaskAround> around, task_around());
        if (!around) return Error::failed("it is inside of a task that can't be found");
        return request_start_beside(around->root, around->id, given);
    }();
    if (!done) send_report(given[report_place], {false, done.error()});
}

Error cant_be_had(const Error& why)
{
    return {why.kind, "--independent can't be had here: " + why.message, why.sys_errno};
}

bool has_report(int reader)
{
    pollfd report{reader, POLLIN, 0};
    return ::poll(&report, 1, 0) > 0;
}

} // namespace

Result<std::optional<TaskAround>> task_around()
{
    if (const char* folder = std::getenv(os::folder_variable)) {
        Result<TaskAround> around = open_around(folder);
        if (!around) return cant_be_had(around.error());
        return std::optional(std::move(*around));
    }
    if (std::getenv(os::cookie_variable) == nullptr && !os::supervisor_above(os::own_pid()))
        return std::optional<TaskAround>();
    return cant_be_had(
        Error::failed("this runs in a task, and BGT_TASK_DIR, which says in which, is not set"));
}

void leave_outer(std::vector<std::string>& env)
{
    constexpr std::array<std::string_view, 3> outer{"BGT_COOKIE=", "BGT_TASK_ID=", "BGT_TASK_DIR="};
    std::erase_if(env, [&](const std::string& entry) {
        return std::ranges::any_of(outer, [&](auto name) { return entry.starts_with(name); });
    });
}

Result<void> launch_beside(TaskAround& around, store::Root& root, store::TaskDir task,
                           LaunchRequest request, store::QueueContext caller)
{
    caller.env = std::move(request.env);
    caller.retention = request.retention;
    const store::TaskId id = task.id();
    BGT_TRY(take_lock(task));
    BGT_TRY_ASSIGN(const Fd payload, file_of(encode({id, root.path(), std::move(caller)})));
    BGT_TRY_ASSIGN(Pipe pipe, make_pipe("a pipe to the supervisor"));
    std::vector<int> given{payload.get(), pipe.writer.get(), task.lock_fd()};
    if (request.caller_stdin) given.push_back(request.caller_stdin.get());
    const Result<void> asked = request_start_beside(around.root, around.id, given);
    pipe.writer.reset();
    request = LaunchRequest{};
    task = store::TaskDir{};
    // One that was killed before it could answer may have started it all the same.
    if (!asked && !has_report(pipe.reader.get())) return cant_be_had(asked.error());
    const std::optional<StartReport> answer = receive_report(pipe.reader.get());
    if (answer && answer->started) return {};
    if (!asked) return cant_be_had(asked.error());
    if (answer) return answer->error;
    return recover_launch(root, id);
}

Answer start_beside(const os::Datagram& message)
{
    if (message.descriptors.size() <= lock_place) return {"it came without its descriptors", 0};
    // What is started here has what this process has: nobody gets out of a sandbox by it.
    if (const auto differs = os::confined_otherwise(message.pid, os::own_pid()))
        return {"the supervisor of the outer task differs from it in: " + *differs, 0};
    std::vector<int> given;
    for (const Fd& fd : message.descriptors) given.push_back(fd.get());
    const Result<void> forked = os::fork_beside([&] { go_on_beside(given); });
    return forked ? Answer{} : Answer{forked.error().message, 0};
}

} // namespace bgt::supervise
