#include <bgt/cli/verb.hpp>

namespace bgt::cli {

namespace {

constexpr VerbInfo table[] = {
    {"run", "start a command in the background and print its id", "[options] [--] COMMAND [ARG...]",
     make_run, config::Mistakes::refuse},
    {"submit", "put a command into a queue, and print the id of the task",
     "[options] [--] COMMAND [ARG...]", make_submit, config::Mistakes::refuse},
    {"queue", "list the queues, and change them",
     "[ls|show|set|pause|resume|drain|clear|rm] [NAME] [KEY=VALUE...]", make_queue},
    {"schedule", "run commands again and again, at given times",
     "[ls|add|edit|rm|...] [NAME] [options] [-- COMMAND...]", make_schedule,
     config::Mistakes::refuse, " ls rm pause resume next history explain install uninstall "},
    {"hold", "do not start waiting tasks until they are released", "[options] TASK...", make_hold},
    {"release", "let held tasks start", "[options] TASK...", make_release},
    {"move", "change the place of waiting tasks in their queue", "[options] TASK...", make_move},
    {"scope", "run a command, and end the tasks that it started when it ends",
     "[options] [--] COMMAND [ARG...]", make_scope, config::Mistakes::refuse},
    {"shutdown", "end all tasks, and start none meanwhile", "[options] [TASK...]", make_shutdown},
    {"graph", "show which tasks wait for which others", "[options] [TASK...]", make_graph},
    {"up", "start the processes of a project that are not running", "[options] [NAME...]", make_up,
     config::Mistakes::refuse},
    {"down", "end the processes of a project", "[options] [NAME...]", make_down},
    {"ps", "list tasks", "[options] [TASK...]", make_ps},
    {"show", "show everything that is known about tasks", "[options] TASK...", make_show},
    {"result", "print the results that tasks reported", "[options] TASK...", make_result},
    {"logs", "print the output of tasks", "[options] TASK...", make_logs},
    {"events", "print what happens to all tasks", "[options] [TASK...]", make_events},
    {"wait", "wait until tasks end or a condition is met", "[options] TASK...", make_wait},
    {"kill", "end tasks and all their processes", "[options] TASK...", make_kill},
    {"why", "explain what tasks are doing, and why one makes no progress", "[options] TASK...",
     make_why},
    {"restart", "end the command of tasks and start it again", "[options] TASK...", make_restart},
    {"retry", "start a new task like another one", "[options] TASK...", make_retry,
     config::Mistakes::refuse},
    {"signal", "send a signal to tasks", "[options] SIGNAL TASK...", make_signal},
    {"pause", "stop every process of tasks (SIGSTOP)", "[options] TASK...", make_pause},
    {"resume", "continue paused tasks (SIGCONT)", "[options] TASK...", make_resume},
    {"send", "write text to the stdin of a task", "[options] TASK [TEXT...]", make_send},
    {"notify", "report from inside a task: ready, progress, heartbeat", "[options]", make_notify},
    {"rm", "remove ended tasks and their logs", "[options] TASK...", make_rm},
    {"gc", "remove old ended tasks", "[options]", make_gc, config::Mistakes::refuse},
    {"stats", "show how often and how long tasks ran, from the history of ended tasks",
     "[options] [NAME...|export]", make_stats},
    {"alerts", "show how the alerts stand, and test one", "[options]", make_alerts},
    {"mcp", "let coding agents use bgt (Model Context Protocol, on stdin and stdout)", "[options]",
     make_mcp},
    {"serve", "let other programs and a page in the browser use bgt (HTTP on this machine)",
     "[options]", make_serve},
    {"config", "print the settings in force and where each comes from", "[options] [KEY]",
     make_config, config::Mistakes::refuse},
    {"trust", "trust a bgt.toml, so that it may run and redirect things", "[options] [DIR]",
     make_trust, config::Mistakes::refuse},
    {"completion", "print the completion script of a shell", "bash|zsh|fish", make_completion},
    {"version", "print the version and what it was built with", "[options]", make_version},
};

} // namespace

std::span<const VerbInfo> verbs()
{
    return table;
}

const VerbInfo* find_verb(std::string_view name)
{
    if (name == "stop") name = "kill";
    if (name == "ls") name = "ps";
    for (const auto& verb : table)
        if (verb.name == name) return &verb;
    return nullptr;
}

void declare_places(Parser& parser, Places& target)
{
    parser.option("--root", target.root, "DIR", Value::folder,
                  "the folder that holds all tasks (default: see bgt config root)");
    parser.option("--config", target.config, "FILE", Value::file,
                  "read FILE in place of the nearest bgt.toml");
}

} // namespace bgt::cli
