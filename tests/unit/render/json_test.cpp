#include "sample.hpp"
#include "support/catch.hpp"
#include <bgt/base/text.hpp>
#include <bgt/render/json.hpp>

#include <boost/json.hpp>
#include <fstream>
#include <limits>
#include <set>
#include <sstream>

using namespace std::chrono_literals;
using namespace bgt::render;
namespace json = boost::json;

namespace {

const auto now = sample::after(252s);

bgt::ops::Snapshot with_spec(bgt::ops::Snapshot task)
{
    const auto spec = sample::give_spec(task);
    spec->command = {"npm", "run", "dev"};
    spec->cwd = "/home/u/p";
    spec->tags = {{"job", "e2e"}};
    return task;
}

std::set<std::string> keys_of(const json::object& object)
{
    std::set<std::string> keys;
    for (const auto& member : object) keys.emplace(member.key());
    return keys;
}

} // namespace

TEST_CASE("the JSON of a living task")
{
    auto task = with_spec(sample::running(7, "web", "npm run dev"));
    task.ports = {5173};
    task.log_bytes = 1234;
    task.log_tail = "building\nlistening\n";
    CHECK(task_json(task, now) ==
          json::parse(R"({"id":7,"name":"web","state":"running","exit":null,"last_line":"listening",
        "tags":{"job":"e2e"},"command":["npm","run","dev"],
        "cwd":"/home/u/p","kind":"job","lifecycle":"running","activity":null,"notices":[],"ready":false,"ready_at":null,"paused":false,"adopted":false,
        "pid":4211,"supervisor":4210,"attempt":1,"attempt_started_at":null,"next_attempt_at":null,"created_at":"2026-01-01T00:00:00.000Z",
        "started_at":"2026-01-01T00:00:00.000Z","ended_at":null,"duration_s":252.0,"outcome":null,
        "progress":{"fraction":null,"step":null,"total_steps":null,"text":null},"survivors":[],"stop_steps":[],
        "processes":3,"cpu":0.123,"rss_bytes":125829120,"ports":[5173],"leftover":[],"watch":null,"supervisor_stopped":false,
        "log":{"path":"/root/tasks/7/out.log","stderr_path":null,"bytes":1234,"dropped_bytes":0,"freed_bytes":0},
        "folder":"/root/tasks/7","problem":null})"));
}

TEST_CASE("the JSON of an ended task")
{
    auto task = sample::ended(3, "sleep 9",
                              {.kind = bgt::core::OutcomeKind::signaled,
                               .signal = 15,
                               .reason = bgt::core::Reason::timeout,
                               .leftover_killed = 2});
    task.status.dropped_bytes = 5;
    task.status.freed_bytes = 10;
    task.status.freed_err_bytes = 100;
    task.status.tally = {{15, 3, 3}};
    task.status.survivors = {77};
    const auto object = task_json(task, now);
    CHECK(object.at("outcome") ==
          json::parse(R"({"kind":"signaled","code":null,"signal":"SIGTERM","reason":"timeout",
        "leftover_killed":2,"exit_code":123})"));
    CHECK(object.at("duration_s") == 12.3);
    CHECK(object.at("ended_at") == "2026-01-01T00:00:12.300Z");
    CHECK(object.at("supervisor").is_null());
    CHECK(object.at("tags").is_null());
    CHECK(object.at("command").is_null());
    CHECK(object.at("processes") == 0);
    CHECK(object.at("ports") == json::array{});
    CHECK(object.at("log").at("dropped_bytes") == 115);
    CHECK(object.at("log").at("freed_bytes") == 110);
    CHECK(object.at("stop_steps") == json::parse(R"([{"signal":"SIGTERM","found":3,"ended":3}])"));
    CHECK(object.at("survivors") == json::parse("[77]"));
}

TEST_CASE("what was not looked at is null, never made up")
{
    auto task = sample::running(1, "", "x");
    task.processes = 0;
    task.cpu.reset();
    task.rss_bytes.reset();
    const auto object = task_json(task, now);
    for (const char* key : {"name", "processes", "cpu", "rss_bytes", "ports"})
        CHECK(object.at(key).is_null());
    task.cpu = std::numeric_limits<double>::quiet_NaN();
    CHECK(task_json(task, now).at("cpu").is_null());
}

TEST_CASE("lost is a lifecycle of its own")
{
    const auto object =
        task_json(sample::ended(1, "x", {.kind = bgt::core::OutcomeKind::lost}), now);
    CHECK(object.at("lifecycle") == "lost");
    CHECK(object.at("outcome").at("kind") == "lost");
    CHECK(object.at("outcome").at("exit_code") == 122);
}

TEST_CASE("every field is there, also of a damaged task")
{
    const auto keys = keys_of(task_json(with_spec(sample::running(1, "", "x")), now));
    auto damaged = sample::running(2, "never seen", "never seen");
    damaged.problem = "status: too short";
    const auto object = task_json(damaged, now);
    CHECK(keys_of(object) == keys);
    CHECK(object.at("problem") == "status: too short");
    CHECK(object.at("state") == "damaged");
    for (const auto& member : object) {
        const std::string key(member.key());
        if (key != "id" && key != "state" && key != "folder" && key != "problem")
            CHECK(member.value().is_null());
    }
}

TEST_CASE("answers")
{
    CHECK(tasks_json({}) == "{\"schema\":1,\"tasks\":[]}\n");
    CHECK(error_json("no such task 7", 125) ==
          "{\"schema\":1,\"error\":{\"message\":\"no such task 7\",\"code\":125}}\n");
    const auto two = json::parse(
        tasks_json({sample::running(1, "", "x"), sample::ended(2, "x", sample::exited(0))}, now));
    REQUIRE(two.at("tasks").as_array().size() == 2);
    CHECK(two.at("tasks").at(1).at("id") == 2);
}

TEST_CASE("any bytes become valid JSON in valid UTF-8")
{
    auto task = sample::running(1, "a\xff", "x");
    const auto spec = sample::give_spec(task);
    spec->command = {"\xff\xfe\x1b\n\"", std::string("\xed\xa0\x80")};
    spec->tags = {{"k\xff", "v\xff"}};
    spec->cwd = "/\xff";
    task.folder = "/root\xff/tasks/1";
    task.status.text = "\xe2\x82";
    for (const auto& text : {tasks_json({task}, now), error_json("\xff\n", 125)}) {
        CHECK(bgt::to_valid_utf8(text) == text);
        CHECK(text.find('\n') == text.size() - 1);
        CHECK_NOTHROW(json::parse(text));
    }
}

TEST_CASE("events")
{
    const bgt::store::TaskEvent event{
        sample::created,
        "started",
        {{"pid", std::int64_t{5}}, {"at", std::string("x")}, {"note", std::string("\xff")}}};
    CHECK(event_json(event) == json::parse("{\"at\":\"2026-01-01T00:00:00.000Z\",\"event\":"
                                           "\"started\",\"pid\":5,\"note\":\"\xEF\xBF\xBD\"}"));
}

TEST_CASE("the schema lists exactly the fields that a task has")
{
    std::ifstream file(BGT_SOURCE_DIR "/docs/schema.json");
    REQUIRE(file);
    std::stringstream text;
    text << file.rdbuf();
    const auto schema = json::parse(text.str());
    const auto& defs = schema.at("$defs").as_object();
    const auto check = [&](const char* name, const json::object& real) {
        INFO(name);
        std::set<std::string> required;
        for (const auto& key : defs.at(name).at("required").as_array())
            required.emplace(key.as_string());
        CHECK(required == keys_of(real));
        CHECK(defs.at(name).at("additionalProperties") == false);
    };
    const auto task = task_json(with_spec(sample::ended(1, "x", sample::exited(0))), now);
    check("task", task);
    check("outcome", task.at("outcome").as_object());
    check("log", task.at("log").as_object());
    check("progress", task.at("progress").as_object());
}

TEST_CASE("what a terminal might obey is escaped, and read back as it was")
{
    const std::string hostile = "a\x7f\xc2\x9b"
                                "31m\xc2\xa0\xe2\x82\xac\xc2\x80\xe2\x80\xae";
    const std::string text = answer_json({{"text", hostile}});
    CHECK(text ==
          "{\"schema\":1,\"text\":\"a\\u007f\\u009b31m\xc2\xa0\xe2\x82\xac\\u0080\\u202e\"}\n");
    CHECK(json::parse(text).at("text").as_string() == hostile);
}

TEST_CASE("a piece of a log as JSON")
{
    bgt::ops::LogPiece piece;
    piece.id = 7;
    piece.text = "a\"\\\x01\x7f\n";
    piece.start = 3;
    piece.before = 3;
    piece.truncated = true;
    piece.cursor = 512;
    piece.end_of_log = true;
    piece.dropped_bytes = 3;
    const std::string text = bgt::render::logs_json({piece});
    CHECK(text.ends_with("}\n"));
    const auto value = boost::json::parse(text);
    CHECK(value.at("schema") == 1);
    const auto& log = value.at("logs").at(0);
    CHECK(log.at("id") == 7);
    CHECK(log.at("cursor") == 512);
    CHECK(log.at("start") == 3);
    CHECK(log.at("before") == 3);
    CHECK(log.at("truncated") == true);
    CHECK(log.at("end_of_log") == true);
    CHECK(log.at("dropped_bytes") == 3);
    CHECK(std::string(log.at("text").as_string()) == piece.text);
}
