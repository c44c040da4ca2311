#include "support/catch.hpp"

#include <bgt/config/settings.hpp>

#include <map>

using namespace bgt;
using namespace bgt::config;

namespace {

/// Files and variables without a disk.
struct World {
    std::map<std::string, std::string> files, variables;

    Result<Loaded> load() const
    {
        Sources sources;
        sources.env = [this](const char* name) {
            const auto found = variables.find(name);
            return found == variables.end() ? nullptr : found->second.c_str();
        };
        sources.cwd = "/p/a";
        sources.user_file = "/home/config.toml";
        sources.read = [this](const std::string& path, unsigned) -> Result<File> {
            const auto found = files.find(path);
            return found == files.end() ? File{} : File{true, found->second, ""};
        };
        return config::load(sources);
    }
};

const Entry& entry(const Rule& rule, std::string_view key)
{
    for (const Entry& one : rule.entries)
        if (one.key == key) return one;
    FAIL("no " << key);
    return rule.entries.front();
}

} // namespace

TEST_CASE("rules of the nearest file come before the user's, each file's in its order")
{
    World world;
    world.files = {
        {"/p/bgt.toml", "grace = 1\n\n[[rule]]\nmatch = \"b\"\n\n[[rule]]\nmatch = \"a\"\n"},
        {"/home/config.toml", "[[rule]]\nmatch = \"c\"\n"},
        {"/bgt.toml", "[[rule]]\nmatch = \"too far\"\n"}};
    const auto loaded = world.load();
    REQUIRE(loaded);
    std::string all;
    for (const Rule& rule : loaded->settings.rules)
        all += rule.match + "@" + rule.where + "<" + rule.folder + ">;";
    CHECK(all == "b@/p/bgt.toml:3</p>;a@/p/bgt.toml:6</p>;c@/home/config.toml:1</home>;");
    CHECK(loaded->settings.rules[0].origin == Origin::project_file);
    CHECK(loaded->settings.rules[2].origin == Origin::user_file);
    CHECK(loaded->settings.grace == std::chrono::seconds(1));
    CHECK(loaded->rows.size() == 16); // rules are no settings
}

TEST_CASE("a rule keeps its options as they were written, with their places")
{
    World world;
    world.files["/p/bgt.toml"] = "[[rule]]\nmatch = 'x$'\ntimeout = \"10m\"\nretries = 3\nsplit = "
                                 "true\nready-log = [\"a\", 'b']\n"
                                 "ready_port = [80, \"any\"]\nnot_judged_here = []\n";
    const auto loaded = world.load();
    REQUIRE(loaded);
    REQUIRE(loaded->settings.rules.size() == 1);
    const Rule& rule = loaded->settings.rules[0];
    CHECK(rule.match == "x$");
    CHECK(rule.match_at == "/p/bgt.toml:2:9");
    CHECK(rule.entries.size() == 6);
    CHECK(std::get<std::string>(entry(rule, "timeout").value) == "10m");
    CHECK(entry(rule, "timeout").key_at == "/p/bgt.toml:3:1");
    CHECK(entry(rule, "timeout").value_at == "/p/bgt.toml:3:11");
    CHECK(entry(rule, "timeout").line_at == "/p/bgt.toml:3");
    CHECK(std::get<long long>(entry(rule, "retries").value) == 3);
    CHECK(std::get<bool>(entry(rule, "split").value));
    CHECK(std::get<std::vector<std::string>>(entry(rule, "ready-log").value) ==
          std::vector<std::string>{"a", "b"});
    CHECK(std::get<std::vector<std::string>>(entry(rule, "ready_port").value) ==
          std::vector<std::string>{"80", "any"});
    CHECK(std::get<std::vector<std::string>>(entry(rule, "not_judged_here").value).empty());
    const auto pattern = compile(rule);
    REQUIRE(pattern);
    CHECK(pattern->matches("make x"));
    CHECK_FALSE(pattern->matches("x y"));
}

TEST_CASE("a mistake in a rule has its place")
{
    World world;
    const auto [text, message] = GENERATE(table<std::string, std::string>({
        {"[rule]\nmatch = \"x\"", ":1:2: rules are written [[rule]], with two brackets"},
        {"rule = \"x\"", ":1:1: rules are written [[rule]], with two brackets"},
        {"rule = [1]", ":1:9: a rule is a table, not a whole number"},
        {"[[rule]]\nmacht = \"x\"",
         ":1:1: a rule needs `match`, a regular expression for command lines"},
        {"\n[[rule]]\nmatch = 5", ":3:9: match must be a string"},
        {"[[rule]]\nmatch = [\"x\"]", ":2:9: match must be a string"},
        {"[[rule]]\nmatch = \"x\"\ntimeout = 1.5",
         ":3:11: timeout cannot be a number with a point; write a string, a whole number, true or "
         "an array of strings"},
        {"[[rule]]\nmatch = \"x\"\nenv = { A = 1 }", ":3:7: env cannot be a table; write a string, "
                                                     "a whole number, true or an array of strings"},
        {"[[rule]]\nmatch = \"x\"\ntag = [\"a=b\", true]",
         ":3:15: tag cannot hold a boolean; write an array of strings"},
    }));
    world.files["/p/bgt.toml"] = text;
    const auto loaded = world.load();
    REQUIRE_FALSE(loaded);
    CHECK(loaded.error().message == "/p/bgt.toml" + message);
    CHECK(loaded.error().kind == ErrorKind::usage);
}

TEST_CASE("a key that only resembles `rule` is unknown")
{
    World world;
    world.files["/p/bgt.toml"] = "rules = 1";
    CHECK(world.load().error().message ==
          "/p/bgt.toml:1:1: unknown key rules; did you mean `rule`?");
}

TEST_CASE("a bad regex is told where it is used, and hinders nothing else")
{
    World world;
    world.files["/p/bgt.toml"] = "[[rule]]\nmatch = \"a(\"\n";
    const auto loaded = world.load();
    REQUIRE(loaded);
    const auto pattern = compile(loaded->settings.rules.at(0));
    REQUIRE_FALSE(pattern);
    CHECK(pattern.error().message.starts_with(
        "/p/bgt.toml:2:9: match: bad regular expression \"a(\""));
}

TEST_CASE("what the environment sets is known")
{
    World world;
    world.files["/p/bgt.toml"] = "timeout = 5\n";
    world.variables = {{"BGT_GRACE", "3"}, {"BGT_LOG_MAX", ""}};
    const auto loaded = world.load();
    REQUIRE(loaded);
    CHECK(loaded->settings.in_environment == std::set<std::string, std::less<>>{"grace"});
}
