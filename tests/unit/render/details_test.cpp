#include "sample.hpp"
#include "support/catch.hpp"
#include <bgt/base/text.hpp>
#include <bgt/render/details.hpp>

#include <sstream>

using namespace std::chrono_literals;
using ProcessRow = bgt::ops::Process;
using bgt::render::task_details;

namespace {

bgt::ops::Snapshot full_task()
{
    auto task = sample::running(7, "web", "npm run dev");
    task.ports = {5173};
    task.log_bytes = 3 << 20;
    task.status.freed_bytes = 1 << 20;
    task.status.dropped_bytes = 512;
    task.status.kind = bgt::core::Kind::service;
    const auto spec = sample::give_spec(task);
    spec->command = {"npm", "run", "it's dev"};
    spec->cwd = "/home/u/p";
    spec->tags = {{"job", "e2e"}};
    spec->policy.timeout = 600s;
    spec->owner = bgt::ProcessKey{99, 1};
    spec->limits = {{"nofile", 1024}};
    spec->nice = 5;
    return task;
}

std::vector<ProcessRow> some_processes()
{
    return {{4211, 4210, 'S', 252s, "npm run dev"},
            {4300, 4211, 'S', 250s, "sh -c vite"},
            {4301, 4300, 'R', 249s,
             "node /home/u/p/node_modules/.bin/vite --with --a --very --long --command --line"},
            {4400, 4210, 'D', 10s, "daemon"}};
}

std::vector<bgt::store::TaskEvent> some_events()
{
    return {{sample::created, "started", {{"pid", std::int64_t{4211}}}},
            {sample::created + 1s, "note", {{"text", std::string("two words\x1b[2J")}}}};
}

const auto now = sample::after(252s);

} // namespace

TEST_CASE("all about a living task, at 80 columns")
{
    CHECK("\n" + task_details({full_task(), some_processes(), some_events(), {}}, now,
                              {.width = 80}) ==
          R"(
task 7 (web): running
  lifecycle  running for 4m12s, service
  command    npm run 'it'\''s dev'
  cwd        /home/u/p
  tags       job=e2e
  created    2026-01-01T00:00:00.000Z
  started    2026-01-01T00:00:00.000Z
  usage      3 processes, 12% CPU, 120 MiB memory
  supervisor 4210
  ports      5173
  log        /root/tasks/7/out.log (3 MiB, the first 1 MiB freed, 512 B dropped)
  timeout    10m
  stop       TERM:5s, then KILL
  leftover   kill
  owner      process 99
  limits     nofile=1024 nice=5
  log-max    256MiB
  processes
    4211 S  4m12s npm run dev
      4300 S  4m10s sh -c vite
        4301 R   4m9s node /home/u/p/node_modules/.bin/vite --with --a --very -…
    4400 D    10s daemon
  events
    2026-01-01T00:00:00.000Z started pid=4211
    2026-01-01T00:00:01.000Z note text='two words?[2J'
)");
}

TEST_CASE("all about an ended task, without a terminal")
{
    const bgt::core::Outcome outcome{
        .kind = bgt::core::OutcomeKind::signaled, .signal = 9, .reason = bgt::core::Reason::killed};
    auto task = sample::ended(3, "sleep 100", outcome);
    task.status.tally = {{15, 3, 1}, {9, 2, 1}};
    task.status.survivors = {77};
    CHECK("\n" + task_details({task, {}, {}, {}}, now, {}) == R"(
task 3: killed
  lifecycle  ended, job
  outcome    killed on request: SIGKILL (bgt wait gives 137)
  command    sleep 100
  created    2026-01-01T00:00:00.000Z
  started    2026-01-01T00:00:00.000Z
  ended      2026-01-01T00:00:12.300Z after 12s
  stopped by SIGTERM ended 1 of 3, SIGKILL ended 1 of 2
  survivors  77
  log        /root/tasks/3/out.log (0 B)
)");
}

TEST_CASE("a damaged task says how")
{
    auto task = sample::running(9, "never seen", "never seen");
    task.problem = "status: checksum wrong";
    CHECK(task_details({task, {}, {}, {}}, now, {}) ==
          "task 9: damaged\n  problem    status: checksum wrong\n  command    never seen\n  record "
          "    /root/tasks/9\n");
}

TEST_CASE(
    "no line of processes or events is wider than the terminal, and nothing reaches it unchecked")
{
    auto task = full_task();
    auto spec = std::make_shared<bgt::store::TaskSpec>(*task.spec);
    spec->command = {"a\nb", "\x1b[31m"};
    task.spec = std::move(spec);
    const auto text = task_details({task, some_processes(), some_events(), {}}, now, {.width = 40});
    CHECK(text.find('\x1b') == std::string::npos);
    std::istringstream in(text.substr(text.find("  processes")));
    for (std::string line; std::getline(in, line);) CHECK(bgt::display_width(line) <= 40);
}

TEST_CASE("a table of processes that bites its own tail ends")
{
    const std::vector<ProcessRow> circle{
        {1, 2, 'S', {}, "a"}, {2, 1, 'S', {}, "b"}, {3, 3, 'S', {}, "c"}, {4, 3, 'S', {}, "d"}};
    const auto text = task_details({full_task(), circle, {}, {}}, now, {});
    CHECK(text.find("    3 S") != std::string::npos);
    CHECK(text.find("      4 S") != std::string::npos);
}

TEST_CASE("earlier attempts have a line each")
{
    const std::vector<bgt::store::TaskEvent> attempts{
        {bgt::WallTime(std::chrono::seconds(1'700'000'000)),
         "attempt-ended",
         {{"outcome", "exited"},
          {"code", 75},
          {"signal", 0},
          {"reason", "self"},
          {"attempt", 1},
          {"lived_ms", 61'000},
          {"log_from", 0},
          {"log_to", 512}}},
        {bgt::WallTime(std::chrono::seconds(1'700'000'000)),
         "attempt-ended",
         {{"outcome", "signaled"},
          {"code", 0},
          {"signal", 15},
          {"reason", "output-timeout"},
          {"attempt", 2}}},
        {bgt::WallTime(std::chrono::seconds(1'700'000'000)),
         "attempt-ended",
         {{"attempt", "of another kind"}}}};
    const auto text = task_details({full_task(), {}, {}, attempts}, now, {});
    CHECK(text.find("  attempts\n    1  exit 75 after 1m1s, ended 2023-11-14T22:13:20") !=
          std::string::npos);
    CHECK(text.find(", log from byte 0 to 512\n    2  SIGTERM, output-timeout after ") !=
          std::string::npos);
}
