#include "operations.hpp"

#include <algorithm>

namespace bgt::api {

namespace {

// ---- what several operations take and answer ----

constexpr Field ready_members[] = {
    {.name = "port",
     .type = Type::integer,
     .doc = "the command listens on this port; 0: on any",
     .max = 65535},
    {.name = "log", .doc = "a line of its output matches this regular expression (RE2)"},
    {.name = "http", .doc = "this URL answers, \"http://localhost:5173/\""},
};

constexpr Field command_field{.name = "command",
                              .doc = "text for bash (sh where there is none); or argv"};
constexpr Field argv_field{.name = "argv", .doc = "the command without a shell", .list = true};
constexpr Field cwd_field{.name = "cwd", .doc = "the folder in which it runs"};
constexpr Field env_field{
    .name = "env", .type = Type::variables, .doc = "added to the environment of the server"};
constexpr Field name_field{.name = "name",
                           .doc = "a name for it, unique among tasks that have not ended"};
constexpr Field keep_field{.name = "keep",
                           .type = Type::flag,
                           .doc = "it outlives this server; else it ends with it",
                           .fallback = "false"};
constexpr Field timeout_field{.name = "timeout_s",
                              .type = Type::number,
                              .doc = "it is ended after so long; without: never",
                              .min = 0.001,
                              .max = 31'536'000};
constexpr Field id_field{.name = "id", .type = Type::task, .doc = "id or name", .required = true};
constexpr Field ids_field{
    .name = "ids", .type = Type::task, .doc = "ids or names", .list = true, .max_size = 100};
constexpr Field mine_field{
    .name = "mine", .type = Type::flag, .doc = "all living tasks of this server"};

constexpr Field id_answer{.name = "id", .type = Type::integer, .required = true};
constexpr Field name_answer{.name = "name"};
constexpr Field state_answer{.name = "state",
                             .doc = "running, ready, needs input, stalled, exit 1, SIGKILL, ...",
                             .required = true};
constexpr Field exit_answer{
    .name = "exit",
    .type = Type::integer,
    .doc = "once it has ended: its code; 128+N of signal N; 120 to 123: bgt ended it, or lost it"};
constexpr Field age_answer{.name = "age", .type = Type::number, .doc = "seconds since its start"};
constexpr Field ports_answer{.name = "ports", .type = Type::integer, .list = true};
constexpr Field attempts_answer{.name = "attempts", .type = Type::integer};
constexpr Field tail_answer{.name = "tail", .doc = "its last lines"};
constexpr Field cursor_answer{
    .name = "cursor", .type = Type::integer, .doc = "for read: where what comes next begins"};
constexpr Field cursor_required{.name = "cursor", .type = Type::integer, .required = true};
constexpr Field hint_answer{.name = "hint", .doc = "what to call next"};
constexpr Field prompt_answer{.name = "prompt",
                              .doc = "it waits for input, and this is its question"};

constexpr Field brief_members[] = {
    id_answer,           name_answer,
    state_answer,        exit_answer,
    age_answer,          ports_answer,
    attempts_answer,     {.name = "last", .doc = "its last line of output"},
    {.name = "problem"}, tail_answer,
};
constexpr Field tasks_answer{.name = "tasks",
                             .type = Type::object,
                             .required = true,
                             .list = true,
                             .members = brief_members};

// ---- requests and answers ----

constexpr Field run_request[] = {
    command_field,
    argv_field,
    cwd_field,
    env_field,
    {.name = "stdin_text", .doc = "its stdin, which ends after it (not with interactive)"},
    {.name = "interactive",
     .type = Type::flag,
     .doc = "its stdin stays open for send",
     .fallback = "false"},
    name_field,
    {.name = "ready",
     .type = Type::object,
     .doc = "it is a server: what makes it ready (all that is given)",
     .members = ready_members},
    {.name = "wait_s",
     .type = Type::number,
     .doc = "come back after so long, if it has neither ended nor become ready before",
     .fallback = "20",
     .max = 50},
    timeout_field,
    {.name = "if_exists",
     .doc = "what to do if a task of this name has not ended",
     .fallback = "\"fail\"",
     .choices = "fail|reuse|replace"},
    keep_field,
};
constexpr Field run_answer[] = {
    id_answer,
    name_answer,
    state_answer,
    exit_answer,
    {.name = "ready", .type = Type::flag},
    {.name = "reused", .type = Type::flag, .doc = "it was there already"},
    {.name = "instead_of", .type = Type::integer, .doc = "the ended task that this one replaces"},
    age_answer,
    ports_answer,
    attempts_answer,
    tail_answer,
    {.name = "skipped", .type = Type::integer, .doc = "bytes of output before the tail"},
    cursor_answer,
    prompt_answer,
    hint_answer,
    {.name = "problem"},
};

constexpr Field read_request[] = {
    id_field,
    {.name = "cursor",
     .type = Type::integer,
     .doc = "of an earlier answer: only what came after it"},
    {.name = "from",
     .doc = "without a cursor: the end or the start of the log",
     .fallback = "\"tail\"",
     .choices = "tail|start"},
    {.name = "wait_s",
     .type = Type::number,
     .doc = "where there is nothing new: wait so long for it",
     .fallback = "10",
     .max = 50},
    {.name = "max_bytes", .type = Type::integer, .fallback = "4096", .min = 64, .max = 262'144},
    {.name = "grep", .doc = "only lines that match this regular expression (RE2)"},
    {.name = "line_max",
     .type = Type::integer,
     .doc = "cut longer lines",
     .fallback = "500",
     .min = 20,
     .max = 65'536},
};
constexpr Field read_answer[] = {
    id_answer,
    state_answer,
    {.name = "text", .required = true},
    cursor_required,
    {.name = "more", .type = Type::flag, .doc = "there is more to read now", .required = true},
    exit_answer,
    {.name = "skipped", .type = Type::integer, .doc = "bytes before the text that are left out"},
    prompt_answer,
};

constexpr Field wait_request[] = {
    ids_field,
    mine_field,
    {.name = "until",
     .doc = "log needs pattern",
     .fallback = "\"exit\"",
     .choices = "exit|ready|port|log|input|quiet"},
    {.name = "pattern", .doc = "regular expression (RE2) of a line, for log"},
    {.name = "port", .type = Type::integer, .min = 1, .max = 65535},
    {.name = "quiet_s",
     .type = Type::number,
     .doc = "no output for so long, for quiet",
     .fallback = "5",
     .min = 0.1,
     .max = 3600},
    {.name = "after_cursor",
     .type = Type::integer,
     .doc = "for log: only output after it counts; without: after now"},
    {.name = "any", .type = Type::flag, .doc = "the first task is enough", .fallback = "false"},
    {.name = "timeout_s", .type = Type::number, .fallback = "30", .max = 50},
};
constexpr Field wait_answer[] = {
    {.name = "result",
     .doc = "impossible: it can't come any more; stuck: it makes no progress, or waits for input; "
            "crash-loop: it ends again and again",
     .required = true,
     .choices = "met|timeout|impossible|stuck|crash-loop"},
    {.name = "timed_out", .type = Type::flag},
    {.name = "id", .type = Type::integer, .doc = "of the task that decided"},
    {.name = "condition"},
    {.name = "line", .doc = "the line that matched"},
    cursor_answer,
    tasks_answer,
    hint_answer,
};

constexpr Field list_request[] = {
    {.name = "mine",
     .type = Type::flag,
     .doc = "only what this server started; false: all tasks",
     .fallback = "true"},
    {.name = "state", .choices = "queued|starting|running|paused|stopping|ended|failed|lost"},
    {.name = "limit", .type = Type::integer, .fallback = "12", .min = 1, .max = 200},
};
constexpr Field list_answer[] = {
    tasks_answer,
    {.name = "more", .type = Type::integer, .doc = "so many are not listed"},
};

constexpr Field events_request[] = {
    ids_field,
    {.name = "mine",
     .type = Type::flag,
     .doc = "without ids: only what this server started; false: all",
     .fallback = "true"},
    {.name = "cursor", .doc = "of an earlier answer: what came after it; without: the newest"},
    {.name = "types", .doc = "ended, ready, needs-input, retry, ...", .list = true, .max_size = 50},
    {.name = "level",
     .doc = "this severe or more",
     .fallback = "\"info\"",
     .choices = "error|warning|info|debug"},
    {.name = "wait_s",
     .type = Type::number,
     .doc = "with a cursor, where there is nothing new: wait so long for it",
     .fallback = "10",
     .max = 50},
    {.name = "limit", .type = Type::integer, .fallback = "12", .min = 1, .max = 200},
};
constexpr Field event_members[] = {
    {.name = "at"},
    {.name = "type", .required = true},
    {.name = "level", .required = true},
    {.name = "id", .type = Type::integer, .doc = "of the task"},
    name_answer,
    {.name = "text", .required = true},
    tail_answer,
};
constexpr Field events_answer[] = {
    {.name = "events",
     .type = Type::object,
     .required = true,
     .list = true,
     .members = event_members},
    {.name = "cursor", .doc = "for the next call", .required = true},
    {.name = "older", .type = Type::flag, .doc = "there are older ones"},
};

constexpr Field why_request[] = {
    id_field,
    {.name = "detail",
     .type = Type::flag,
     .doc = "the whole report: processes, sockets, locks",
     .fallback = "false"},
};
constexpr Field why_answer[] = {
    id_answer,
    state_answer,
    {.name = "sentence", .required = true},
    {.name = "cause"},
    {.name = "certainty", .choices = "sure|likely|unsure"},
    {.name = "not_ready",
     .doc = "conditions that do not hold, and what is there instead",
     .list = true},
    {.name = "port_held_by"},
    {.name = "hook_failed", .doc = "the user's command for its end or hang that failed last"},
    {.name = "next", .doc = "what to do"},
    tail_answer,
    {.name = "report"},
};

constexpr Field send_request[] = {
    id_field,
    {.name = "text", .doc = "a newline is added where it ends without one"},
    {.name = "eof", .type = Type::flag, .doc = "close its stdin afterwards", .fallback = "false"},
    {.name = "wait_s",
     .type = Type::number,
     .doc = "for its answer, until it asks again or is silent",
     .fallback = "5",
     .max = 50},
};
constexpr Field send_answer[] = {
    id_answer,
    state_answer,
    {.name = "text", .doc = "what it said since", .required = true},
    cursor_required,
    {.name = "more", .type = Type::flag},
    exit_answer,
    prompt_answer,
};

constexpr Field stop_request[] = {
    ids_field,
    mine_field,
    {.name = "now", .type = Type::flag, .doc = "SIGKILL at once", .fallback = "false"},
};
constexpr Field stop_answer[] = {
    tasks_answer,
    {.name = "errors", .list = true},
};

constexpr Field restart_request[] = {
    id_field,
    {.name = "wait_ready_s", .type = Type::number, .fallback = "20", .max = 50},
};

constexpr Field submit_request[] = {
    command_field,
    argv_field,
    cwd_field,
    env_field,
    name_field,
    {.name = "queue", .doc = "its name; without: default"},
    {.name = "priority", .type = Type::integer, .min = -1'000'000, .max = 1'000'000},
    {.name = "after",
     .doc = "what it waits for: \"12\" (must end with 0), \"12:any\", \"12:fail\", \"12:ready\"",
     .list = true,
     .max_size = 100},
    {.name = "key", .doc = "at most one task with this key runs at a time"},
    timeout_field,
    keep_field,
};
constexpr Field submit_answer[] = {
    id_answer,
    {.name = "queue", .required = true},
    {.name = "queue_size", .type = Type::integer, .required = true},
    {.name = "position", .type = Type::integer, .required = true},
};

constexpr Operation table[] = {
    {.name = "run",
     .title = "Run a command",
     .doc = "Starts a command in the background and answers when it has ended, is ready, or wait_s "
            "has passed: then it goes on, and nothing is killed. Give `ready` for servers. Tasks "
            "end with this server (all their processes) unless keep is true.",
     .access = Access::run,
     .destructive = true,
     .request = run_request,
     .answer = run_answer,
     .call = call_run},
    {.name = "read",
     .title = "Read output",
     .doc = "Output of a task, from a cursor or its end. Waits for something new, so there is no "
            "need to sleep. `more` says whether to call again at once.",
     .idempotent = true,
     .request = read_request,
     .answer = read_answer,
     .call = call_read},
    {.name = "wait",
     .title = "Wait for tasks",
     .doc = "Waits until tasks end or a condition is met, and comes back early when that can't "
            "come any more or a task is stuck.",
     .idempotent = true,
     .request = wait_request,
     .answer = wait_answer,
     .call = call_wait},
    {.name = "list",
     .title = "List tasks",
     .doc = "The tasks of this server, the living first.",
     .idempotent = true,
     .request = list_request,
     .answer = list_answer,
     .call = call_list},
    {.name = "events",
     .title = "What happened",
     .doc = "What happened to tasks (started, ready, needs-input, retry, ended, ...), the oldest "
            "first. Waits for something new behind a cursor.",
     .idempotent = true,
     .request = events_request,
     .answer = events_answer,
     .call = call_events},
    {.name = "why",
     .title = "Explain a task",
     .doc = "Why a task hangs, is not ready, waits in a queue, or how it ended.",
     .idempotent = true,
     .request = why_request,
     .answer = why_answer,
     .call = call_why},
    {.name = "send",
     .title = "Write to stdin",
     .doc = "Writes to the stdin of a task that was started with interactive, and answers what it "
            "says until its next question.",
     .access = Access::control,
     .request = send_request,
     .answer = send_answer,
     .call = call_send},
    {.name = "stop",
     .title = "Stop tasks",
     .doc = "Ends tasks with all their processes, and answers when they are gone.",
     .access = Access::control,
     .destructive = true,
     .idempotent = true,
     .request = stop_request,
     .answer = stop_answer,
     .call = call_stop},
    {.name = "restart",
     .title = "Restart a task",
     .doc = "Ends the command of a task and starts it again; an ended one as a new task. Waits "
            "until it is ready, where it has a condition for that.",
     .access = Access::run,
     .destructive = true,
     .request = restart_request,
     .answer = run_answer,
     .call = call_restart},
    {.name = "submit",
     .title = "Queue a command",
     .doc = "Puts a command into a queue, where it waits for its turn and for other tasks; run "
            "starts at once.",
     .access = Access::run,
     .request = submit_request,
     .answer = submit_answer,
     .call = call_submit},
};

} // namespace

std::span<const Operation> operations()
{
    return table;
}

const Operation* find_operation(std::string_view name)
{
    const auto* const found = std::ranges::find(table, name, &Operation::name);
    return found == std::end(table) ? nullptr : found;
}

} // namespace bgt::api
