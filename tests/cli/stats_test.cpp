// bgt stats, and the history from which it comes.
#include "support/catch.hpp"
#include "support/lab.hpp"
#include "support/skip.hpp"

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <map>
#include <sstream>

using namespace bgt::test;

namespace {

/// The row of that name; empty: there is none.
boost::json::object row(const Lab& lab, const std::string& name, Words words = {})
{
    words.insert(words.begin(), "stats");
    const auto answer = lab.ask(words);
    for (const auto& item : at(answer, "/stats").as_array())
        if (item.at("name").is_string() && item.at("name").as_string() == name)
            return item.as_object();
    return {};
}

/// A record comes after the end that `bgt wait` tells.
bool has_records(const Lab& lab, std::int64_t count)
{
    return eventually(test_timeout, [&] {
        return at(lab.ask({"stats"}), "/history/records").to_number<std::int64_t>() == count;
    });
}

void run_and_wait(const Lab& lab, Words options, const std::string& script)
{
    options.push_back("-c");
    options.push_back(script);
    const std::string id = lab.start(options);
    lab.wait(id);
    REQUIRE(eventually(test_timeout,
                       [&] { return !std::filesystem::exists(lab.root() + "/active/" + id); }));
}

/// "name{labels}" with the value of each counter.
std::map<std::string, double> counters(const Lab& lab)
{
    const Ran ran = lab({"stats", "--openmetrics"});
    INFO(ran);
    REQUIRE(ran.code == 0);
    std::map<std::string, double> out;
    std::istringstream lines(ran.out);
    for (std::string line; std::getline(lines, line);) {
        const auto space = line.rfind(' ');
        if (!line.starts_with('#') && line.find("_total") != line.npos)
            out[line.substr(0, space)] = std::stod(line.substr(space + 1));
    }
    return out;
}

} // namespace

TEST_CASE("stats counts what ended, also when its tasks are gone")
{
    const Lab lab;
    CHECK(lab({"stats"}).code == 0);
    CHECK(at(lab.ask({"stats"}), "/stats").as_array().empty());
    for (const char* script : {"true", "true", "sleep 0.3", "exit 3"})
        run_and_wait(lab, {"--name", "build", "--tag", "branch=main"}, script);
    run_and_wait(lab, {"--retries", "1"}, "exit 1");
    CHECK(lab({"rm", "--all"}).code == 0);
    const auto build = row(lab, "build");
    CHECK(number_at(build, "/runs") == 4);
    CHECK(number_at(build, "/ok") == 3);
    CHECK(number_at(build, "/failed") == 1);
    CHECK(at(build, "/success_rate").as_double() == 0.75);
    CHECK(at(build, "/max_s").to_number<double>() >= 0.3);
    CHECK(at(build, "/median_s").to_number<double>() < 0.3);
    CHECK(at(build, "/p95_s") == at(build, "/max_s"));
    CHECK(number_at(build, "/max_memory_bytes") > 100'000);
    CHECK(at(build, "/cpu_s").to_number<double>() >= 0);
    CHECK(number_at(row(lab, "main", {"--by", "tag:branch"}), "/runs") == 4);
    const auto all = at(lab.ask({"stats"}), "/stats").as_array();
    REQUIRE(all.size() == 2); // without a name: the other
    CHECK(all[0].at("name").is_null());
    CHECK(all[0].at("retried") == 1);
    CHECK(row(lab, "build", {"nosuch"}).empty());
    CHECK(number_at(row(lab, "build", {"b*"}), "/runs") == 4);
    CHECK(number_at(row(lab, "build", {"--since", "1h"}), "/runs") == 4);
    CHECK(row(lab, "build", {"--since", "0"}).empty());
}

TEST_CASE("numbers in JSON are written as people write them")
{
    const Lab lab;
    run_and_wait(lab, {"--name", "x"}, "sleep 0.05");
    const Ran ran = lab({"stats", "--json"});
    CHECK(ran.out.find("\"max_s\":0.") != std::string::npos);
    CHECK(ran.out.find("E-") == std::string::npos);
    CHECK(ran.out.find("\"success_rate\":1,") != std::string::npos);
}

TEST_CASE("tables, trend and export")
{
    const Lab lab;
    run_and_wait(lab, {"--name", "build"}, "true");
    run_and_wait(lab, {"--name", "build"}, "exit 1");
    const Ran table = lab({"stats"});
    CHECK(table.out.starts_with("NAME   RUNS  OK  FAILED  RATE  HUNG"));
    CHECK(table.out.find("\nbuild     2   1       1   50%") != std::string::npos);
    CHECK(table.out.find("\nnow: 0 active\n") != std::string::npos);
    const Ran trend = lab({"stats", "build", "--trend", "1d"});
    CHECK(trend.out.starts_with("FROM"));
    CHECK(trend.out.find("####") != std::string::npos);
    const auto spans = at(lab.ask({"stats", "--trend", "1h"}), "/trend").as_array();
    REQUIRE(!spans.empty());
    CHECK(spans.back().at("runs").as_int64() >= 1);
    const Ran lines = lab({"stats", "export"});
    CHECK(std::ranges::count(lines.out, '\n') == 2);
    const auto first = boost::json::parse(lines.out.substr(0, lines.out.find('\n'))).as_object();
    CHECK(text_at(first, "/name") == "build");
    CHECK(text_at(first, "/result") == "ok");
    CHECK(number_at(first, "/id") == 1);
}

TEST_CASE("stats refuses what makes no sense")
{
    const Lab lab;
    for (const Words& words : std::initializer_list<Words>{{"--by", "host"},
                                                           {"--by", "tag:"},
                                                           {"--trend", "0"},
                                                           {"--trend", "x"},
                                                           {"--since", "yesterday"},
                                                           {"--openmetrics", "--json"},
                                                           {"--openmetrics", "build"},
                                                           {"export", "--json"},
                                                           {"export", "--by", "name"}}) {
        Words all = words;
        all.insert(all.begin(), "stats");
        const Ran ran = lab(all);
        INFO(ran);
        CHECK(ran.code == 125);
        const bool json = std::ranges::find(words, "--json") != words.end();
        if (json) CHECK(ran.out.starts_with("{\"schema\":1,\"error\":"));
        CHECK(ran.err.starts_with("bgt stats: ") != json);
    }
    CHECK(lab({"stats", "--since", "yesterday"})
              .err.starts_with(
                  "bgt stats: --since: bad time yesterday; write e.g. 10m (ago), 14:00, "));
}

TEST_CASE("a task of which the supervisor was killed counts once, as lost")
{
    const Lab lab;
    const std::string id = lab.start({"--name", "x", "--", "sleep", "100"});
    const auto task = lab.show(id);
    for (const char* key : {"/supervisor", "/pid"}) {
        const auto pid = static_cast<pid_t>(number_at(task, key));
        REQUIRE(::kill(pid, SIGKILL) == 0);
        REQUIRE(eventually(test_timeout, [&] { return !is_alive(pid); }));
    }
    for (int i = 0; i < 3; ++i) CHECK(text_at(lab.show(id), "/lifecycle") == "lost");
    const auto found = row(lab, "x");
    CHECK(number_at(found, "/runs") == 1);
    CHECK(number_at(found, "/failed") == 1);
    CHECK(at(found, "/mean_s").is_null());
}

TEST_CASE("a supervisor that is killed before its task is in the history: gc puts it there, once")
{
    const Lab lab;
    run_and_wait(lab, {"--name", "x"}, "true");
    // As it is when the final record is written and nothing after it was done.
    std::filesystem::remove(lab.root() + "/history/current");
    write_file(lab.root() + "/active/1", "");
    CHECK(lab({"gc"}).code == 0);
    CHECK(number_at(row(lab, "x"), "/runs") == 1);
    write_file(lab.root() + "/active/1", "");
    CHECK(lab({"gc"}).code == 0);
    CHECK(number_at(row(lab, "x"), "/runs") == 1);
}

TEST_CASE("what waited in a queue, and what never started")
{
    const Lab lab;
    CHECK(lab({"submit", "--queue", "q", "--name", "first", "-c", "sleep 0.3"}).code == 0);
    CHECK(lab({"submit", "--queue", "q", "--name", "second", "--", "true"}).code == 0);
    CHECK(lab({"submit", "--queue", "q", "--hold", "--name", "third", "--", "true"}).code == 0);
    CHECK(lab({"submit", "--queue", "q", "--name", "fourth", "--", "/no/such/command"}).code == 0);
    const auto now = at(lab.ask({"stats"}), "/now/queues").as_array();
    CHECK(std::ranges::any_of(now, [](const auto& queue) {
        return queue.at("name") == "q" && queue.at("slots") == 1 && queue.at("held") == 1;
    }));
    CHECK(lab({"kill", "third"}).code == 0);
    REQUIRE(has_records(lab, 4));
    CHECK(at(row(lab, "second"), "/wait_mean_s").to_number<double>() >= 0.2);
    CHECK(number_at(row(lab, "third"), "/not_started") == 1);
    CHECK(number_at(row(lab, "third"), "/runs") == 0);
    CHECK(number_at(row(lab, "fourth"), "/failed") == 1);
    CHECK(number_at(row(lab, "q", {"--by", "queue"}), "/runs") == 3);
}

TEST_CASE("a hang is counted")
{
    const Lab lab;
    const std::string id =
        lab.start({"--name", "x", "--output-timeout", "300ms", "--", "sleep", "100"});
    CHECK(lab.wait(id) == 120);
    REQUIRE(has_records(lab, 1));
    CHECK(number_at(row(lab, "x"), "/hung") == 1);
}

TEST_CASE("counters never fall: not by rm, gc, and a history that is cut")
{
    const Lab lab;
    std::map<std::string, double> before;
    const auto check = [&] {
        const auto now = counters(lab);
        for (const auto& [name, value] : before) {
            INFO(name);
            REQUIRE(now.contains(name));
            CHECK(now.at(name) >= value);
        }
        before = now;
    };
    for (int i = 0; i < 3; ++i) {
        run_and_wait(lab, {"--name", "build"}, "true");
        run_and_wait(lab, {"--name", "n" + std::to_string(i)}, "exit 1");
        check();
        const Ran trimmed = lab({"gc", "--history", "--keep", "1"});
        CHECK(trimmed.code == 0);
        check();
    }
    CHECK(lab({"rm", "--all"}).code == 0);
    CHECK(lab({"gc", "--history", "--keep", "0"}).out ==
          "removed 1 record of the history, 0 stay\n");
    check();
    CHECK(before.at("bgt_runs_total{name=\"build\",queue=\"\",result=\"ok\"}") == 3);
    CHECK(at(lab.ask({"stats"}), "/stats").as_array().empty());
}

TEST_CASE("promtool takes the counters")
{
    const Lab lab;
    if (run({{"promtool", "--version"}, caller_environment(), "/", std::nullopt, {}}).code != 0)
        return skip("no promtool");
    const auto takes = [&] {
        const Ran metrics = lab({"stats", "--openmetrics"});
        CHECK(metrics.code == 0);
        const Ran checked =
            run({{"promtool", "check", "metrics"}, caller_environment(), "/", metrics.out, {}});
        INFO(checked);
        CHECK(checked.code == 0);
    };
    takes();
    run_and_wait(lab, {"--name", "build"}, "true");
    takes();
}

TEST_CASE("the history can be turned off, and is for no folder to turn off")
{
    Lab lab;
    write_file(lab.work() + "/bgt.toml", "history_max = 0\n");
    const Ran ran = lab({"run", "--name", "x", "--", "true"});
    CHECK(ran.err.find("history_max never applies in a bgt.toml") != std::string::npos);
    lab.wait("1");
    REQUIRE(has_records(lab, 1));
    std::filesystem::remove(lab.work() + "/bgt.toml");
    lab.set_env("BGT_HISTORY_MAX=0");
    run_and_wait(lab, {"--name", "x"}, "true");
    CHECK(number_at(row(lab, "x"), "/runs") == 1);
    CHECK(lab({"gc"}).code == 0); // drops what is there
    CHECK(row(lab, "x").empty());
    CHECK(lab({"stats"}).err.find("history_max = 0") != std::string::npos);
}

TEST_CASE("damage in the history is told, and the rest counts")
{
    const Lab lab;
    for (int i = 0; i < 3; ++i) run_and_wait(lab, {"--name", "x"}, "true");
    const std::string file = lab.root() + "/history/current";
    std::string bytes = read_file(file);
    bytes[bytes.size() / 2] ^= 1;
    write_file(file, bytes);
    const Ran ran = lab({"stats", "--json"});
    CHECK(ran.code == 0);
    CHECK(ran.err.find("1 place of the history") != std::string::npos);
    CHECK(number_at(row(lab, "x"), "/runs") == 2);
    run_and_wait(lab, {"--name", "x"}, "true");
    CHECK(number_at(row(lab, "x"), "/runs") == 3);
}

TEST_CASE("a task of which processes were kept counts once, whoever supervised it")
{
    const Lab lab;
    const std::string id =
        lab.start({"--name", "x", "--leftover", "keep", "-c", "sleep 100 & echo started"});
    CHECK(lab.wait(id) == 0);
    REQUIRE(has_records(lab, 1));
    const auto supervisor = static_cast<pid_t>(number_at(lab.show(id), "/supervisor"));
    REQUIRE(::kill(supervisor, SIGKILL) == 0);
    REQUIRE(eventually(test_timeout, [&] { return !is_alive(supervisor); }));
    // As if it had been killed before it came to that.
    std::filesystem::remove(lab.root() + "/history/current");
    lab.show(id); // adopts it
    CHECK(lab({"kill", id}).code == 0);
    REQUIRE(has_records(lab, 1));
    CHECK(number_at(row(lab, "x"), "/ok") == 1);
}
