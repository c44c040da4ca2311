#include "sample.hpp"
#include "support/catch.hpp"
#include <bgt/base/text.hpp>
#include <bgt/render/table.hpp>

#include <sstream>

using namespace std::chrono_literals;
using bgt::core::Lifecycle;
using bgt::core::OutcomeKind;
using bgt::core::Reason;
using bgt::render::task_table;

namespace {

std::vector<bgt::ops::Snapshot> some_tasks()
{
    std::vector<bgt::ops::Snapshot> tasks;
    tasks.push_back(sample::running(7, "web", "npm run dev"));
    tasks.back().ports = {5173};
    tasks.back().log_tail = "starting\n\x1b[32m  VITE ready in 300 ms\x1b[0m\n";
    tasks.push_back(sample::running(12, "a-name-that-is-rather-long-for-a-table",
                                    "make -j8 all and everything that follows from it"));
    tasks.back().status.lifecycle = Lifecycle::stopping;
    tasks.back().cpu = 7.94;
    tasks.back().ports = {80, 443, 8080, 9090, 65535};
    tasks.push_back(sample::running(13, "", "sleep 100"));
    tasks.back().status.paused = true;
    tasks.back().cpu = 0.0;
    tasks.push_back(sample::ended(3, "true", sample::exited(0)));
    tasks.push_back(sample::ended(4, "sh -c 'exit 3'", sample::exited(3)));
    tasks.back().log_tail = "it failed\n";
    tasks.push_back(sample::ended(5, "echo \xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e \xf0\x9f\x98\x80",
                                  {.kind = OutcomeKind::signaled, .signal = 9}));
    tasks.push_back(sample::ended(
        6, "sleep 9", {.kind = OutcomeKind::signaled, .signal = 15, .reason = Reason::timeout}));
    tasks.push_back(sample::ended(8, "x", {.kind = OutcomeKind::lost}));
    tasks.push_back(sample::running(9, "never seen", "never seen"));
    tasks.back().problem = "task 9 is damaged: status: checksum wrong";
    return tasks;
}

std::vector<std::string> lines_of(const std::string& text)
{
    std::vector<std::string> lines;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    return lines;
}

const auto now = sample::after(252s);

} // namespace

TEST_CASE("of an end before the machine knew the time it is not said how long ago it was")
{
    std::vector<bgt::ops::Snapshot> tasks{sample::ended(3, "true", sample::exited(0))};
    tasks.front().status.ended = bgt::WallTime(40s);
    const std::string table = task_table(tasks, now, {});
    CHECK(table.find("exit 0") != std::string::npos);
    CHECK(table.find("ago") == std::string::npos);
}

TEST_CASE("the table at 80 columns")
{
    CHECK("\n" + task_table(some_tasks(), now, {.width = 80}) == R"(
ID  NAME      STATE              AGE   CPU      MEM  PORTS      COMMAND
 7  web       running          4m12s   12%  120 MiB  5173       npm run dev
12  a-name-…  stopping         4m12s  794%  120 MiB  80,443,+3  make -j8 all an…
13  -         paused           4m12s  0.0%  120 MiB  -          sleep 100
 3  -         exit 0, 3m ago     12s     -        -  -          true
 4  -         exit 3, 3m ago     12s     -        -  -          sh -c 'exit 3'
 5  -         SIGKILL, 3m ago    12s     -        -  -          echo 日本語 😀
 6  -         timeout, 3m ago    12s     -        -  -          sleep 9
 8  -         lost, 3m ago       12s     -        -  -          x
 9  -         damaged              -     -        -  -          task 9 is damag…
)");
}

TEST_CASE("the table at 200 columns")
{
    CHECK("\n" + task_table(some_tasks(), now, {.width = 200}) == R"(
ID  NAME                      STATE              AGE   CPU      MEM  PORTS           COMMAND                                           LAST
 7  web                       running          4m12s   12%  120 MiB  5173            npm run dev                                       VITE ready in 300 ms
12  a-name-that-is-rather-l…  stopping         4m12s  794%  120 MiB  80,443,8080,+2  make -j8 all and everything that follows from it
13  -                         paused           4m12s  0.0%  120 MiB  -               sleep 100
 3  -                         exit 0, 3m ago     12s     -        -  -               true
 4  -                         exit 3, 3m ago     12s     -        -  -               sh -c 'exit 3'                                    it failed
 5  -                         SIGKILL, 3m ago    12s     -        -  -               echo 日本語 😀
 6  -                         timeout, 3m ago    12s     -        -  -               sleep 9
 8  -                         lost, 3m ago       12s     -        -  -               x
 9  -                         damaged              -     -        -  -               task 9 is damaged: status: checksum wrong
)");
}

TEST_CASE("the table without a terminal pads nothing")
{
    CHECK("\n" + task_table(some_tasks(), now, {}) == R"(
ID  NAME  STATE  AGE  CPU  MEM  PORTS  COMMAND  LAST
7  web  running  4m12s  12%  120 MiB  5173  npm run dev  VITE ready in 300 ms
12  a-name-that-is-rather-long-for-a-table  stopping  4m12s  794%  120 MiB  80,443,8080,9090,65535  make -j8 all and everything that follows from it
13  -  paused  4m12s  0.0%  120 MiB  -  sleep 100
3  -  exit 0, 3m ago  12s  -  -  -  true
4  -  exit 3, 3m ago  12s  -  -  -  sh -c 'exit 3'  it failed
5  -  SIGKILL, 3m ago  12s  -  -  -  echo 日本語 😀
6  -  timeout, 3m ago  12s  -  -  -  sleep 9
8  -  lost, 3m ago  12s  -  -  -  x
9  -  damaged  -  -  -  -  task 9 is damaged: status: checksum wrong
)");
}

TEST_CASE("no line is wider than the terminal, whatever its width")
{
    for (std::size_t width = 1; width <= 220; ++width) {
        INFO("width " << width);
        const auto lines = lines_of(task_table(some_tasks(), now, {.width = width}));
        REQUIRE(lines.size() == some_tasks().size() + 1);
        for (const auto& line : lines) {
            REQUIRE(bgt::display_width(line) <= width);
            REQUIRE((line.empty() || line.back() != ' '));
        }
    }
}

TEST_CASE("columns are aligned by what a terminal shows")
{
    std::vector<bgt::ops::Snapshot> tasks{sample::running(1, "", "ascii"),
                                          sample::running(2, "", "\xe6\x97\xa5\xe6\x9c\xac")};
    for (auto& task : tasks) task.log_tail = "last\n";
    const auto lines = lines_of(task_table(tasks, now, {.width = 200}));
    REQUIRE(lines.size() == 3);
    const auto column = [&](const std::string& line) {
        return bgt::display_width(line.substr(0, line.rfind("last")));
    };
    CHECK(column(lines[1]) == column(lines[2]));
}

TEST_CASE("only the state is coloured, and only when asked")
{
    const std::vector<bgt::ops::Snapshot> tasks{sample::running(1, "", "x"),
                                                sample::ended(2, "x", sample::exited(0)),
                                                sample::ended(3, "x", sample::exited(1))};
    const auto colored = task_table(tasks, now, {.width = 80, .color = true});
    CHECK(colored.find("\x1b[32mrunning\x1b[0m") != std::string::npos);
    CHECK(colored.find("\x1b[2mexit 0, 3m ago\x1b[0m") != std::string::npos);
    CHECK(colored.find("\x1b[31mexit 1, 3m ago\x1b[0m") != std::string::npos);
    CHECK(task_table(tasks, now, {.width = 80}).find('\x1b') == std::string::npos);
}

TEST_CASE("an empty table is its header, or nothing")
{
    CHECK(task_table({}, now, {}) == "ID  NAME  STATE  AGE  CPU  MEM  PORTS  COMMAND  LAST\n");
    CHECK(task_table({}, now, {.width = std::nullopt, .header = false}) == "");
}

TEST_CASE("for programs a command is cut, too")
{
    const auto task = sample::running(1, "", "echo " + std::string(5000, 'x'));
    for (const auto& line : lines_of(task_table({task}, now, {})))
        CHECK(bgt::display_width(line) <= 250);
}

TEST_CASE("hostile text can neither add a line nor reach the terminal")
{
    auto task = sample::running(1, "", "printf '\x1b[2J\n\xff'");
    task.log_tail = "\x1b]0;own\x07\x1b[2Jx\r\x9b";
    const auto text = task_table({task}, now, {});
    CHECK(lines_of(text).size() == 2);
    CHECK(text.find('\x1b') == std::string::npos);
    CHECK(bgt::to_valid_utf8(text) == text);
}
