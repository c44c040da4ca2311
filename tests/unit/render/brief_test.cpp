// What programs that pay for each byte are told.
#include <bgt/render/brief.hpp>
#include <bgt/render/json_text.hpp>

#include <boost/json.hpp>

#include "support/catch.hpp"

using namespace bgt;
namespace json = boost::json;

TEST_CASE("numbers are written as people write them")
{
    CHECK(render::json_text(json::value(0.273)) == "0.273");
    CHECK(render::json_text(json::value(2.0)) == "2");
    CHECK(render::json_text(json::value(-0.00001)) == "0");
    CHECK(render::json_text(json::value(12.34567)) == "12.346");
    CHECK(render::json_text(json::value(1e300)) == "1e+300");
    CHECK(render::json_text(json::value(12345678901234)) == "12345678901234");
    CHECK(render::json_text(json::parse(R"({"a":[1,{}],"b":{"c":null},"d":"\u0085"})")) ==
          R"({"a":[1,{}],"b":{"c":null},"d":"\u0085"})");
}

TEST_CASE("a task in few bytes: what is not known is left out")
{
    ops::Snapshot task;
    task.id = store::TaskId{7};
    task.status.name = "web";
    task.status.lifecycle = core::Lifecycle::running;
    task.status.ready = true;
    task.ports = {5173};
    task.log_tail = "VITE ready\n\x1b[32mlocal\x1b[0m\n";
    CHECK(render::json_text(render::brief_task_json(task)) ==
          R"({"id":7,"name":"web","state":"ready","ports":[5173],"last":"local"})");
    task.status = {};
    task.ports.clear();
    task.log_tail.clear();
    task.status.lifecycle = core::Lifecycle::ended;
    task.status.outcome = {core::OutcomeKind::exited, 3};
    task.status.attempt = 2;
    CHECK(render::json_text(render::brief_task_json(task)) ==
          R"({"id":7,"state":"exit 3","exit":3,"attempts":2})");
}

TEST_CASE("lines are cut at a character, and a tail begins with a line")
{
    CHECK(render::cut_lines("abcdef\nab\n", 4) == "abcd… (+2)\nab\n");
    CHECK(render::cut_lines("aéé", 2) == "a… (+4)");
    CHECK(render::tail_of("one\ntwo\nthree\n", 100, 50) == "one\ntwo\nthree\n");
    CHECK(render::tail_of("one\ntwo\nthree\n", 10, 50) == "two\nthree\n");
    CHECK(render::tail_of("one\ntwo\nthree\n", 8, 50) == "three\n");
    CHECK(render::tail_of("éé", 3, 50) == "é");
    CHECK(render::tail_of("", 3, 50).empty());
}
