// What a task says of its results and of what happens in it: bgt notify, bgt result, bgt show.
#include "support/catch.hpp"
#include "support/lab.hpp"

#include <algorithm>
#include <csignal>
#include <filesystem>

using namespace bgt::test;

namespace {

boost::json::object result_of(const Lab& lab, const std::string& task)
{
    return at(lab.ask({"result", task}), "/results").as_array().at(0).as_object();
}

/// Runs a shell text, in which `$bgt` is the program, to its end.
std::string run_script(const Lab& lab, const std::string& script, int code = 0)
{
    const std::string id = lab.start({"-c", "bgt=" BGT_BINARY "; " + script});
    CHECK(lab.wait(id) == code);
    return id;
}

} // namespace

TEST_CASE("the result of a task: summary, metrics, artefacts with their sizes")
{
    const Lab lab;
    const std::string id = run_script(
        lab, "printf 12345 >here; $bgt notify --summary 'first' --metric n=1; "
             "$bgt notify --summary '42 tests passed' --metric n=42 --metric ratio=0.273 "
             "--artifact here --artifact missing --artifact .");
    const auto result = result_of(lab, id);
    CHECK(text_at(result, "/summary") == "42 tests passed");
    CHECK(at(result, "/metrics/n").to_number<double>() == 42);
    CHECK(at(result, "/metrics/ratio").to_number<double>() == 0.273);
    CHECK(text_at(result, "/artifacts/0/path") == lab.work() + "/here");
    CHECK(number_at(result, "/artifacts/0/bytes") == 5);
    CHECK(at(result, "/artifacts/1/bytes").is_null());
    CHECK(text_at(result, "/artifacts/1/problem") == "it is not there");
    CHECK(number_at(result, "/artifacts/2/bytes") == 0);
    const Ran text = lab({"result", id});
    CHECK(text.out.find("  summary   42 tests passed\n  metric    n = 42\n") != std::string::npos);
    CHECK(text.out.find("/missing: it is not there\n") != std::string::npos);
    const Ran show = lab({"show", id});
    CHECK(show.out.find("summary    42 tests passed\n") != std::string::npos);
    CHECK(show.out.find("metrics    n=42 ratio=0.273\n") != std::string::npos);
    CHECK(show.out.find("artifact-missing") != std::string::npos);
    CHECK(number_at(lab.show(id), "/results/artifacts/0/bytes") == 5);
}

TEST_CASE("results that have no room, and lines that are damaged, are said")
{
    const Lab lab;
    const std::string id =
        run_script(lab, "for i in $(seq 0 63); do set --; "
                        "for k in $(seq 0 15); do set -- \"$@\" --metric m$((i * 16 + k))=1; done; "
                        "$bgt notify \"$@\"; done");
    CHECK(number_at(result_of(lab, id), "/dropped") == 24);
    CHECK(number_at(lab.show(id), "/results/dropped") == 24);
    const std::string words = "24 metrics or artifacts were dropped (at most 1000 of each";
    CHECK(lab({"result", id}).out.find("  missing   " + words) != std::string::npos);
    CHECK(lab({"show", id}).out.find(words) != std::string::npos);
    write_file(lab.task_folder(id) + "/results.jsonl", "garbage\n");
    CHECK(number_at(result_of(lab, id), "/damaged_lines") == 1);
    CHECK(lab({"result", id}).out.find("1 lines of results.jsonl are damaged") !=
          std::string::npos);
    std::filesystem::remove(lab.task_folder(id) + "/results.jsonl");
    std::filesystem::create_symlink("/etc/passwd", lab.task_folder(id) + "/results.jsonl");
    CHECK(text_at(result_of(lab, id), "/problem").find("results.jsonl") != std::string::npos);
}

TEST_CASE("lines of the execution log, with their data")
{
    const Lab lab;
    const std::string id =
        run_script(lab, "$bgt notify --log warning 'cache is cold' --data '{\"misses\": 12}'; "
                        "$bgt notify --log info two words; $bgt notify --log debug x --data 0.5");
    const auto task = lab.show(id);
    std::vector<boost::json::object> lines;
    for (const auto& event : at(task, "/events").as_array())
        if (event.at("event") == "log") lines.push_back(event.as_object());
    REQUIRE(lines.size() == 3);
    CHECK(text_at(lines[0], "/level") == "warning");
    CHECK(text_at(lines[0], "/text") == "cache is cold");
    CHECK(number_at(lines[0], "/data/misses") == 12);
    CHECK(text_at(lines[1], "/text") == "two words");
    CHECK(lines[2].at("data").to_number<double>() == 0.5);
}

TEST_CASE("a task without results has none, and one that runs has them so far")
{
    const Lab lab;
    const std::string none = run_script(lab, "true");
    CHECK(at(result_of(lab, none), "/summary").is_null());
    CHECK(!std::filesystem::exists(lab.task_folder(none) + "/results.jsonl"));
    CHECK(lab({"result", none}).code == 0);
    CHECK(lab({"result", "nosuch"}).code == 125);
    const std::string running =
        lab.start({"-c", BGT_BINARY " notify --artifact /etc/passwd; echo said; exec sleep 100"});
    REQUIRE(lab.logged(running, "said"));
    const auto result = result_of(lab, running);
    CHECK(text_at(result, "/lifecycle") == "running");
    CHECK(text_at(result, "/artifacts/0/path") == "/etc/passwd");
    CHECK(at(result, "/artifacts/0/bytes").is_null());
    CHECK(at(result, "/artifacts/0/problem").is_null());
}

TEST_CASE("another supervisor looks at the artefacts, too")
{
    const Lab lab;
    const std::string id =
        lab.start({"-c", BGT_BINARY " notify --artifact missing; echo said; exec sleep 100"});
    REQUIRE(lab.logged(id, "said"));
    const auto supervisor = static_cast<pid_t>(number_at(lab.show(id), "/supervisor"));
    REQUIRE(::kill(supervisor, SIGKILL) == 0);
    REQUIRE(eventually(test_timeout, [&] { return !is_alive(supervisor); }));
    lab.show(id); // adopts it
    CHECK(lab({"kill", id}).code == 0);
    CHECK(text_at(result_of(lab, id), "/artifacts/0/problem") == "it is not there");
}

TEST_CASE("results that make no sense are refused, and hostile ones do no harm")
{
    const Lab lab;
    for (const Words& words : std::initializer_list<Words>{{"--log", "fatal", "x"},
                                                           {"--log", "info"},
                                                           {"--data", "{}"},
                                                           {"--log", "info", "x", "--data", "{"},
                                                           {"--metric", "n"},
                                                           {"--metric", "=1"},
                                                           {"--metric", "n=x"},
                                                           {"--metric", "n=inf"},
                                                           {"--metric", "a b=1"},
                                                           {"--artifact", ""},
                                                           {"--artifact", "a\nb"},
                                                           {"--artifact", "\xff"}}) {
        Words all = words;
        all.insert(all.begin(), "notify");
        const Ran ran = lab(all);
        INFO(ran);
        CHECK(ran.code == 125);
        CHECK(std::count(ran.err.begin(), ran.err.end(), '\n') == 1);
    }
    const std::string id =
        run_script(lab, "$bgt notify --summary \"$(printf 'a\\033[2Jb')\" --metric m=1; true");
    write_file(lab.task_folder(id) + "/results.jsonl",
               read_file(lab.task_folder(id) + "/results.jsonl") +
                   "garbage\n{\"at\":\"2026-01-01T00:00:00Z\",\"event\":\"metric\",\"name\":"
                   "\"\\u001b[2J\","
                   "\"value\":\"1\"}\n{\"at\":\"2026-01-01T00:00:00Z\",\"event\":\"metric\","
                   "\"name\":\"m\",\"value\":\"nan\"}\n");
    const Ran text = lab({"result", id});
    CHECK(text.code == 0);
    CHECK(text.out.find('\033') == std::string::npos);
    CHECK(at(result_of(lab, id), "/metrics/m").to_number<double>() == 1);
}
