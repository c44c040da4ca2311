#include "support/catch.hpp"

#include <bgt/config/project.hpp>

#include <algorithm>

using namespace bgt;
using namespace bgt::config;
using On = core::DependsOn;

namespace {

PlannedTask task(std::string name, std::vector<ComesAfter> after = {})
{
    return {std::move(name), std::move(after), true, false};
}

std::string names_in_order(const std::vector<PlannedTask>& tasks)
{
    const auto order = start_order(tasks);
    if (!order) return order.error().message;
    std::string out;
    for (const std::size_t at : order->order)
        out += tasks[at].name + std::to_string(order->levels[at]) + " ";
    return out;
}

} // namespace

TEST_CASE("tasks start after those they come after, else in the order of the file")
{
    CHECK(names_in_order({}).empty());
    CHECK(names_in_order({task("b"), task("a")}) == "b0 a0 ");
    CHECK(names_in_order({task("web", {{"db", On::ready}, {"other", On::ok}}), task("db"),
                          task("end", {{"web", On::start}, {"db", On::ready}})}) ==
          "db0 web1 end2 ");
}

TEST_CASE("a circle is named, also of one task alone")
{
    CHECK(names_in_order({task("a", {{"a", On::any}})}) ==
          "the tasks come after each other in a circle: a after a");
    CHECK(names_in_order({task("x"), task("a", {{"b", On::any}}), task("b", {{"a", On::any}})}) ==
          "the tasks come after each other in a circle: a after b after a");
}

TEST_CASE("a long chain costs no recursion, and there is a bound")
{
    std::vector<PlannedTask> tasks;
    for (int i = 0; i < 1000; ++i) {
        tasks.push_back(task("t" + std::to_string(i)));
        if (i > 0) tasks.back().after = {{"t" + std::to_string(i - 1), On::ready}};
    }
    const auto order = start_order(tasks);
    REQUIRE(order);
    CHECK(order->levels.back() == 999);
    tasks.push_back(task("one-more"));
    CHECK_FALSE(start_order(tasks));
}

TEST_CASE("what can never come is refused")
{
    PlannedTask db = task("db");
    db.has_ready = false;
    db.is_service = true;
    CHECK(names_in_order({task("web", {{"db", On::ready}}), db})
              .starts_with("task web comes after db:ready, but db has no condition"));
    CHECK(names_in_order({task("web", {{"db", On::ok}}), db}) ==
          "task web comes after db:ok, the end of a service; say db:start");
    CHECK(names_in_order({task("web", {{"db", On::start}}), db}) == "db0 web1 ");
}

TEST_CASE("those that are named bring along what they come after")
{
    const std::vector<PlannedTask> tasks{task("a"), task("b", {{"a", On::ready}}), task("c"),
                                         task("d", {{"b", On::ready}})};
    CHECK(*with_needed(tasks, {}) == std::vector<std::size_t>{0, 1, 2, 3});
    CHECK(*with_needed(tasks, {"d"}) == std::vector<std::size_t>{0, 1, 3});
    CHECK(*with_needed(tasks, {"c", "a", "c"}) == std::vector<std::size_t>{0, 2});
    CHECK(with_needed(tasks, {"x\x1b"}).error().message.find('\x1b') == std::string::npos);
}

TEST_CASE("a Procfile names a process a line")
{
    const auto read =
        parse_procfile("# none\r\n\nweb:  bundle exec puma -p $PORT \r\nw-1:x: y", "P");
    REQUIRE(read);
    REQUIRE(read->size() == 2);
    CHECK(read->at(0).name == "web");
    CHECK(std::get<std::string>(read->at(0).entries.at(0).value) == "bundle exec puma -p $PORT");
    CHECK(read->at(0).at == "P:3");
    CHECK(std::get<std::string>(read->at(1).entries.at(0).value) == "x: y");
    CHECK(parse_procfile("", "P")->empty());
    for (const char* bad : {"web", "web:", ": x", "a b: x", "web : x", "\x1b: x"})
        CHECK(parse_procfile(bad, "P").error().message == "P:1: a line of a Procfile is NAME: "
                                                          "COMMAND");
}

TEST_CASE("a Procfile of any size is refused or read in linear time")
{
    std::string text;
    for (int i = 0; i < 1000; ++i) text += "p" + std::to_string(i) + ": x\n";
    CHECK(parse_procfile(text, "P")->size() == 1000);
    CHECK(parse_procfile(text + "p7: x\n", "P").error().message ==
          "P:1001: a project may have at most 1000 tasks");
    CHECK(parse_procfile("a: x\nb: x\na: y", "P").error().message == "P:3: there is a a already");
    for (int i = 1000; i < 120'000; ++i) text += "p" + std::to_string(i) + ": x\n";
    CHECK(parse_procfile(text, "P").error().message.starts_with("P:1001: "));
}

TEST_CASE("very many words of `after` cost no more than their number")
{
    std::vector<PlannedTask> tasks;
    for (int i = 0; i < 1000; ++i) {
        tasks.push_back(task("t" + std::to_string(999 - i)));
        for (int other = i - 300; other < i; ++other)
            if (other >= 0)
                tasks.back().after.push_back({"t" + std::to_string(999 - other), On::any});
    }
    std::ranges::reverse(tasks); // each comes after those behind it
    const auto order = start_order(tasks);
    REQUIRE(order);
    CHECK(order->order.front() == 999);
    CHECK(order->levels.front() == 999);
}
