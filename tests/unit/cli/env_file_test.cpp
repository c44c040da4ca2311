#include "support/catch.hpp"

#include "cli/run/env_file.hpp"
#include "cli/run/limits.hpp"
#include <limits>

using namespace bgt;
using namespace bgt::cli;

namespace {

using Lines = std::vector<std::string>;

Lines read(std::string_view text)
{
    const auto parsed = parse_env_file(text, "f");
    if (!parsed) FAIL(parsed.error().message);
    return *parsed;
}

std::string wrong(std::string_view text)
{
    const auto parsed = parse_env_file(text, "f");
    REQUIRE_FALSE(parsed);
    return parsed.error().message;
}

} // namespace

TEST_CASE("env file: plain, exported and commented lines")
{
    CHECK(read("A=1\n\n# no\n  B = two words \t\nexport C=3\r\nD=\nE=x=y") ==
          Lines{"A=1", "B=two words", "C=3", "D=", "E=x=y"});
    CHECK(read("").empty());
    CHECK(read("A=1 # said\nB=a#b\nC=#all\n") == Lines{"A=1", "B=a#b", "C="});
}

TEST_CASE("env file: quotes")
{
    CHECK(read("A='x # \"$y\\n'  # c\nB=\"a\\n\\\"\\$\\\\\\q\"\nC=\"\"\n") ==
          Lines{"A=x # \"$y\\n", "B=a\n\"$\\\\q", "C="});
}

TEST_CASE("env file: errors name the line")
{
    CHECK(wrong("A=1\nwhat\n") == "f:2: expected NAME=VALUE, found 'what'");
    CHECK(wrong("=1") == "f:1: '' is not the name of a variable");
    CHECK(wrong("a b=1") == "f:1: 'a b' is not the name of a variable");
    CHECK(wrong("A='x") == "f:1: the quote ' is not closed");
    CHECK(wrong("A=\"x\" y") == "f:1: text after the closing quote: 'y'");
    CHECK(wrong(std::string_view("A=\0", 3)) == "f:1: a NUL byte");
}

TEST_CASE("env file: not there, or a folder")
{
    CHECK_FALSE(read_env_file("/nonexistent/file"));
    CHECK_FALSE(read_env_file("/"));
}

TEST_CASE("resource limits")
{
    CHECK(parse_resource_limit("nofile=64")->value == 64);
    CHECK(parse_resource_limit("as=1G")->value == 1ull << 30);
    CHECK(parse_resource_limit("cpu=1500ms")->value == 2);
    CHECK(parse_resource_limit("core=unlimited")->value ==
          std::numeric_limits<std::uint64_t>::max());
    for (const char* bad :
         {"", "nofile", "nofile=", "nofile=-1", "nofile=1x", "cpu=0", "as=lots", "fds=3", "=3"}) {
        INFO(bad);
        CHECK_FALSE(parse_resource_limit(bad));
    }
}
