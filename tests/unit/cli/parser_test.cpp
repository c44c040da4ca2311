#include "support/catch.hpp"

#include <bgt/cli/parser.hpp>

using bgt::ErrorKind;
using bgt::cli::Parser;
using bgt::cli::Value;

namespace {

/// A verb with one of everything.
struct Sample {
    Parser parser{"sample", "do something", "[options] [WORD...]"};
    bool all = false, quiet = false;
    std::optional<std::string> name, lines, leftover;
    std::vector<std::string> tags, words;

    explicit Sample(bool command = false)
    {
        parser.flag("-a,--all", all, "all of them");
        parser.flag("-q,--quiet", quiet, "say less");
        parser.option("--name", name, "NAME", Value::task_name, "a name");
        parser.option("-n,--lines", lines, "N", Value::number, "how many");
        parser.choice("--leftover", leftover, "kill|wait", "what then");
        parser.list("--tag", tags, "K=V", Value::text, "a tag");
        if (command) parser.command(words);
        else parser.words(words, "WORD", Value::task);
    }
    std::string message(const std::vector<std::string>& args)
    {
        const auto parsed = parser.parse(args);
        REQUIRE_FALSE(parsed);
        CHECK(parsed.error().kind == ErrorKind::usage);
        return parsed.error().message;
    }
};

using Words = std::vector<std::string>;

} // namespace

TEST_CASE("options and words may be mixed")
{
    Sample s;
    REQUIRE(s.parser.parse({"7", "-a", "--name", "web", "-", "--tag=a=1", "--tag", "b=2", "8"}));
    CHECK(s.all);
    CHECK_FALSE(s.quiet);
    CHECK(s.name == "web");
    CHECK(s.tags == Words{"a=1", "b=2"});
    CHECK(s.words == Words{"7", "-", "8"});
}

TEST_CASE("nothing given leaves the targets as they were")
{
    Sample s;
    REQUIRE(s.parser.parse({}));
    CHECK_FALSE(s.name.has_value());
    CHECK(s.words.empty());
}

TEST_CASE("short options: bundled, with their value joined or apart")
{
    Sample s;
    REQUIRE(s.parser.parse({"-aqn5"}));
    CHECK((s.all && s.quiet));
    CHECK(s.lines == "5");
    Sample t;
    REQUIRE(t.parser.parse({"-n", "-5"}));
    CHECK(t.lines == "-5");
}

TEST_CASE("of a single option given twice the last counts")
{
    Sample s;
    REQUIRE(s.parser.parse({"--name", "a", "--name", "b"}));
    CHECK(s.name == "b");
}

TEST_CASE("an empty value is a value")
{
    Sample s;
    REQUIRE(s.parser.parse({"--name=", "7"}));
    CHECK(s.name == "");
    CHECK(s.words == Words{"7"});
    Sample t;
    REQUIRE(t.parser.parse({"--name", "", "7"}));
    CHECK(t.name == "");
    CHECK(t.words == Words{"7"});
}

TEST_CASE("words that a parser could take for something else")
{
    const Words odd{"", "{}", "[a,b]", "%%", "=", "++"};
    Sample s;
    REQUIRE(s.parser.parse(odd));
    CHECK(s.words == odd);
    Sample dash;
    CHECK_FALSE(dash.parser.parse({"7", "-5"})); // CLI11 alone would take it for a word
    Sample t;
    REQUIRE(t.parser.parse({"{}"}));
    CHECK(t.words == Words{"{}"});
    Sample u;
    REQUIRE(u.parser.parse({"--tag", "[a,b]", "--tag", "{}", "--", "--all", "--"}));
    CHECK(u.tags == Words{"[a,b]", "{}"});
    CHECK(u.words == Words{"--all", "--"});
    CHECK_FALSE(u.all);
}

TEST_CASE("a command takes all from its first word on as it stands")
{
    Sample s(true);
    REQUIRE(s.parser.parse({"--name", "x", "make", "-a", "--name=", "--", "--nonsense", "-h"}));
    CHECK(s.name == "x");
    CHECK_FALSE(s.all);
    CHECK(s.words == Words{"make", "-a", "--name=", "--", "--nonsense", "-h"});
    Sample t(true);
    REQUIRE(t.parser.parse({"-a", "--", "--odd", "--", "x"}));
    CHECK(t.all);
    CHECK(t.words == Words{"--odd", "--", "x"});
}

TEST_CASE("a hundred thousand words")
{
    Words many(100'000, "x");
    Sample s(true);
    REQUIRE(s.parser.parse(many));
    CHECK(s.words == many);
}

TEST_CASE("errors are one line and name the option")
{
    CHECK(Sample().message({"--nmae", "x"}) == "unknown option --nmae (did you mean --name?)");
    CHECK(Sample().message({"--leftovers=kill"}) ==
          "unknown option --leftovers (did you mean --leftover?)");
    CHECK(Sample().message({"-x"}) == "unknown option -x (bgt sample --help lists all)");
    CHECK(Sample().message({"-ax"}) == "unknown option -x (bgt sample --help lists all)");
    CHECK(Sample(true).message({"--what\never", "x"}).find('\n') == std::string::npos);
    CHECK(Sample().message({"--name"}) == "--name needs a value: --name NAME");
    CHECK(Sample().message({"7", "-n"}) == "--lines needs a value: --lines N");
    CHECK(Sample().message({"--all=yes"}) == "--all takes no value");
    CHECK(Sample().message({"--leftover", "eat"}) == "--leftover knows kill, wait, not 'eat'");
}

TEST_CASE("a verb without words refuses them")
{
    Parser parser("gc", "collect", "[options]");
    const auto parsed = parser.parse({"7"});
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().message == "takes no argument '7'");
}

TEST_CASE("help is asked for wherever it stands, and wins over nothing else")
{
    Sample s;
    const auto parsed = s.parser.parse({"7", "--help"});
    REQUIRE(parsed);
    CHECK(*parsed == Parser::Outcome::help_wanted);
}

TEST_CASE("help text")
{
    Sample s;
    s.parser.example("bgt sample 7");
    CHECK(s.parser.help(80) == "Usage: bgt sample [options] [WORD...]\n"
                               "\n"
                               "Do something.\n"
                               "\n"
                               "Options:\n"
                               "  -a, --all                 all of them\n"
                               "  -q, --quiet               say less\n"
                               "      --name NAME           a name\n"
                               "  -n, --lines N             how many\n"
                               "      --leftover kill|wait  what then\n"
                               "      --tag K=V             a tag (repeatable)\n"
                               "  -h, --help                print this help\n"
                               "\n"
                               "Examples:\n"
                               "  bgt sample 7\n");
}
