#include "support/catch.hpp"

#include <bgt/core/pattern.hpp>
#include <bgt/core/progress.hpp>

using namespace bgt;
using namespace bgt::core;

namespace {

std::optional<double> found(const std::string& line, const std::string& pattern)
{
    const Result<Pattern> compiled = Pattern::compile(pattern);
    REQUIRE(compiled);
    const auto progress = find_progress(line, *compiled);
    return progress ? progress->fraction : std::nullopt;
}

} // namespace

TEST_CASE("progress by a pattern of the user's: a percentage, a fraction, done and total")
{
    CHECK(found("epoch 40 done", "epoch ([0-9]+)") == 0.4);
    CHECK(found("p=45.5", "p=([0-9.]+)") == 0.455);
    CHECK(found("p=0.5", "p=([0-9.]+)") == 0.5);
    CHECK(found("p=1.0", "p=([0-9.]+)") == 1.0);
    CHECK(found("p=1", "p=([0-9.]+)") == 0.01); // without a dot it is a percentage
    CHECK(found("tile 3 of 12", "tile ([0-9]+) of ([0-9]+)") == 0.25);
    CHECK(found("tile 12 of 12", "tile ([0-9]+) of ([0-9]+)") == 1.0);
}

TEST_CASE("a pattern that finds something else finds no progress")
{
    CHECK_FALSE(found("nothing", "p=([0-9]+)"));
    CHECK_FALSE(found("p=101", "p=([0-9]+)"));
    CHECK_FALSE(found("p=-3", "p=(-?[0-9]+)"));
    CHECK_FALSE(found("p=x", "p=(.)"));
    CHECK_FALSE(found("p=", "p=(.*)"));
    CHECK_FALSE(found("p=nan", "p=(.*)"));
    CHECK_FALSE(found("p=1e999", "p=(.*)"));
    CHECK_FALSE(found("3/0", "([0-9]+)/([0-9]+)"));
    CHECK_FALSE(found("5/4", "([0-9]+)/([0-9]+)"));
    CHECK_FALSE(found("45%", "45%")); // no group
    CHECK_FALSE(found("a", "(b)?a"));
}
