// bgt graph: what waits for what.
#include "support/catch.hpp"
#include "support/lab.hpp"
#include "support/queue_lab.hpp"

#include <algorithm>

using namespace bgt::test;

namespace {

std::string submit(const Lab& lab, Words words)
{
    words.insert(words.begin(), "submit");
    words.insert(words.end(), {"--", "true"});
    return submitted(lab(words));
}

} // namespace

TEST_CASE("a graph shows ids, names, states and kinds, and a diamond once")
{
    const Lab lab;
    CHECK(lab({"graph"}).out.empty());
    CHECK(lab.start({"--name", "db", "--", "sleep", "100"}) == "1");
    submit(lab, {"--hold"}); // 2: waits for nobody
    submit(lab, {"--hold", "--name", "build", "--after", "db:start,db:ready"}); // 3
    submit(lab, {"--name", "lint", "--after", "build:any"});                    // 4
    submit(lab, {"--after", "build,lint:fail"});                                // 5
    submit(lab, {"--array", "1-3", "--after", "5"});                            // 6-8
    // That db has started is told by whoever dispatches.
    REQUIRE(eventually(test_timeout,
                       [&] { return lab({"graph"}).out.find("start: 3") == std::string::npos; }));
    const Ran all = lab({"graph"});
    INFO(all);
    CHECK(all.code == 0);
    CHECK(all.out == "1 db (running)\n"
                     "└─ ready: 3 build (held)\n"
                     "   ├─ any: 4 lint (queued)\n"
                     "   │  └─ fail: 5 (queued)\n"
                     "   │     └─ ok: 6-8 (3 tasks) (queued)\n"
                     "   └─ ok: 5 (see above)\n");
    CHECK(lab({"graph", "lint"}).out == all.out);
    CHECK(lab({"graph", "7"}).out.find("6") == std::string::npos);
    CHECK(lab({"graph", "2"}).out == "2 (held)\n");
    CHECK(lab({"graph", "7"}).out.find("ok: 7 (queued)") != std::string::npos);
    const auto json = lab.ask({"graph"});
    CHECK(at(json, "/tasks").as_array().size() == 5);
    CHECK(at(json, "/edges").as_array().size() == 5);
    CHECK(at(json, "/edges/0/on").as_string() == "ready");
    CHECK(at(json, "/tasks/4/count").as_int64() == 3);
    const Ran dot = lab({"graph", "--dot"});
    CHECK(dot.out.find("1 -> 3 [label=\"ready\"];") != std::string::npos);
    CHECK(dot.out.find("3 [label=\"3 build (held)\"];") != std::string::npos);
}

TEST_CASE("a graph of what is not there is refused, and --dot with --json")
{
    const Lab lab;
    CHECK(lab({"graph", "7"}).code == 125);
    CHECK(lab({"graph", "\x1b[31m"}).err.find('\x1b') == std::string::npos);
    CHECK(lab({"graph", "--dot", "--json"}).code == 125);
}

TEST_CASE("a graph of 20,000 waiting tasks, one after the other", "[slow]")
{
    const Lab lab;
    std::string lines = "{\"name\":\"t0\",\"command\":[\"true\"]}\n";
    for (int at = 1; at < 20'000; ++at)
        lines += "{\"name\":\"t" + std::to_string(at) + "\",\"command\":[\"true\"],\"after\":[\"t" +
                 std::to_string(at - 1) + "\"]}\n";
    write_file(lab.work() + "/batch", lines);
    REQUIRE(lab({"submit", "--hold", "--batch", "batch"}, 120s).code == 0);
    const Ran ran = lab({"graph"}, 60s);
    CHECK(ran.in_time);
    CHECK(ran.code == 0);
    CHECK(std::count(ran.out.begin(), ran.out.end(), '\n') == 20'000);
    CHECK(ran.out.find("[19999] ok: 20000") != std::string::npos);
}
