// Lines of the output as those who search in it see them: long ones, and those of one attempt.
#include "support/catch.hpp"
#include "support/lab.hpp"

using namespace bgt::test;

TEST_CASE("a long line is the same to all who search, while it comes and afterwards")
{
    const Lab lab;
    const std::string script = "printf '\"error\" '; head -c 400000 /dev/zero | tr '\\0' x; read go; echo ' r-77'; read end";
    const std::string id = lab.start({"--stdin", "pipe", "-c", script});
    REQUIRE(lab({"wait", id, "--for", "log:x{100}$", "--timeout", "10s"}).code == 0); // the first piece is there
    const std::string pattern = "\"error\".*r-77";
    Child live(lab.bgt({"wait", id, "--for", "log:" + pattern, "--timeout", "20s"}));
    Child follow(lab.bgt({"logs", "-f", "--grep", pattern, id}));
    REQUIRE(lab({"send", id, "go"}).code == 0);
    CHECK(live.finish().code == 0);
    CHECK(lab({"wait", id, "--for", "log:" + pattern, "--timeout", "10s"}).code == 0);
    REQUIRE(lab({"send", id, "end"}).code == 0);
    const std::string line = "\"error\" " + std::string(400'000, 'x') + " r-77\n";
    CHECK((follow.finish().out == line));
    CHECK((lab({"logs", "-n1", "--grep", pattern, id}).out == line));
    CHECK((lab({"logs", "--grep", pattern, id}).out == line));
    CHECK((text_at(lab.ask({"logs", "--grep", pattern, id}), "/logs/0/text") == line));
    CHECK((text_at(lab.ask({"logs", "--grep", pattern, "--max-bytes", "16K", id}), "/logs/0/text") == line));
}
