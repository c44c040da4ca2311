#include "support/catch.hpp"

#include <bgt/core/graph.hpp>

#include <chrono>
#include <numeric>

using namespace bgt::core;

namespace {

using Ids = std::vector<std::int64_t>;
using Edges = std::vector<GraphEdge>;

Ids up_to(std::int64_t last)
{
    Ids out(static_cast<std::size_t>(last));
    std::iota(out.begin(), out.end(), 1);
    return out;
}

/// "1 (2 (4) 3 (4!))": in brackets what stands below; ! is repeated.
std::string drawn(const Ids& tasks, const Edges& edges)
{
    std::string out;
    std::size_t depth = 0;
    for (const GraphLine& line : draw_graph(tasks, edges)) {
        if (line.depth > depth) out += " (";
        else if (!out.empty()) out += std::string(depth - line.depth, ')') + " ";
        out += std::to_string(line.task) + (line.repeated ? "!" : "");
        depth = line.depth;
    }
    return out + std::string(depth, ')');
}

} // namespace

TEST_CASE("a graph is drawn from those that wait for nothing")
{
    CHECK(drawn({}, {}).empty());
    CHECK(drawn({3, 7}, {}) == "3 7");
    CHECK(drawn({1, 2, 3}, {{1, 2}, {2, 3}}) == "1 (2 (3))");
    CHECK(drawn({1, 2, 3}, {{3, 1}, {2, 1}}) == "2 (1) 3 (1!)");
}

TEST_CASE("a diamond is drawn once, and what hangs on it too")
{
    const Edges edges{{1, 2}, {1, 3}, {2, 4}, {3, 4}, {4, 5}};
    CHECK(drawn(up_to(5), edges) == "1 (2 (4 (5)) 3 (4!))");
    // 2^40 ways lead from the first to the last.
    Edges diamonds;
    for (std::int64_t at = 1; at < 120; at += 3)
        for (const std::int64_t side : {at + 1, at + 2}) {
            diamonds.push_back({at, side});
            diamonds.push_back({side, at + 3});
        }
    CHECK(draw_graph(up_to(121), diamonds).size() == diamonds.size() + 1);
}

TEST_CASE("lines say what leads past them")
{
    const std::vector<GraphLine> lines =
        draw_graph(up_to(4), {{1, 2, DependsOn::any}, {2, 3, DependsOn::ready}, {1, 4}});
    REQUIRE(lines.size() == 4);
    CHECK(lines[0] == GraphLine{1, std::nullopt, 0, false, false, 0});
    CHECK(lines[1] == GraphLine{2, DependsOn::any, 1, false, false, 1});
    CHECK(lines[2] == GraphLine{3, DependsOn::ready, 2, true, false, 1});
    CHECK(lines[3] == GraphLine{4, DependsOn::ok, 1, true, false, 0});
}

TEST_CASE("a circle, which no sound journal has, is drawn all the same")
{
    CHECK(drawn({1, 2, 3}, {{1, 2}, {2, 3}, {3, 1}}) == "1 (2 (3 (1!)))");
}

TEST_CASE("what is related to a task: all before it, all after it, and nothing beside it")
{
    const Edges edges{{1, 3}, {2, 3}, {3, 4}, {2, 5}, {6, 7}};
    CHECK(related_tasks({3}, edges) == Ids{1, 2, 3, 4});
    CHECK(related_tasks({5}, edges) == Ids{2, 5});
    CHECK(related_tasks({7, 4}, edges) == Ids{1, 2, 3, 4, 6, 7});
    CHECK(related_tasks({9}, edges) == Ids{9});
    CHECK(related_tasks({}, edges).empty());
}

TEST_CASE("100,000 tasks: a chain, one to all, all to one")
{
    constexpr std::int64_t count = 100'000;
    Edges edges;
    std::size_t lines = count;
    SECTION("a chain")
    {
        for (std::int64_t at = 1; at < count; ++at) edges.push_back({at, at + 1});
        CHECK(draw_graph(up_to(count), edges).back().depth == count - 1);
    }
    SECTION("one to all")
    {
        for (std::int64_t at = 2; at <= count; ++at) edges.push_back({1, at});
    }
    SECTION("all to one")
    {
        for (std::int64_t at = 1; at < count; ++at) edges.push_back({at, count});
        lines = 2 * count - 2;
    }
    const auto began = std::chrono::steady_clock::now();
    CHECK(draw_graph(up_to(count), edges).size() == lines);
    CHECK(related_tasks({1}, edges).size() >= 2);
    // A second is much on any machine; with quadratic time it would be many minutes.
    CHECK(std::chrono::steady_clock::now() - began < std::chrono::seconds(20));
}
