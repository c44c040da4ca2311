// Every --json answer is what docs/schema.json promises.
#include "support/catch.hpp"
#include "support/lab.hpp"
#include "support/skip.hpp"

#include <csignal>

using namespace bgt::test;

namespace {

/// Validates each line of FILE; prints what is wrong.
const char* const validator = R"(
import json, sys
import jsonschema
schema = json.load(open(sys.argv[1]))
cls = jsonschema.validators.validator_for(schema)
cls.check_schema(schema)
validator = cls(schema)
bad = 0
for line in open(sys.argv[2]):
    verb, answer = line.split("\t", 1)
    for error in validator.iter_errors(json.loads(answer)):
        bad += 1
        best = jsonschema.exceptions.best_match([error])
        print(verb, best.message[:400], list(best.absolute_path))
sys.exit(1 if bad else 0)
)";

/// With the caller's environment: python3 may be a wrapper that needs it.
Ran python(const Words& words)
{
    Words argv{"python3"};
    argv.insert(argv.end(), words.begin(), words.end());
    return run({argv, caller_environment(), "/", std::nullopt, {}}, 60s);
}

bool can_validate()
{
    return python({"-c", "import jsonschema; jsonschema.validators.validator_for"}).code == 0;
}

} // namespace

TEST_CASE("every answer in JSON fits the schema", "[slow]")
{
    const std::string schema = BGT_SOURCE_DIR "/docs/schema.json";
    REQUIRE(std::filesystem::exists(schema));
    if (!can_validate()) return skip("no python3 with jsonschema");
    const Lab lab;
    std::string answers;
    const auto collect = [&](const Words& words) {
        Words all = words;
        all.push_back("--json");
        const Ran ran = lab(all);
        INFO(ran);
        REQUIRE(std::count(ran.out.begin(), ran.out.end(), '\n') == 1);
        answers += words[0] + "\t" + ran.out;
    };
    answers += "run\t" + lab({"run", "--json", "--name", "web", "--tag", "job=e2e", "--split", "--",
                              BGT_FIXTURE, "listen", "0"})
                             .out;
    answers +=
        "run\t" + lab({"run", "--json", "--wait", "-c", "printf 'x\\377\\033[0m'; exit 3"}).out;
    const std::string escape =
        lab.start_fixture({"--grace", "200ms", "--leftover", "keep"}, {"escape"});
    const std::string lost = lab.start({"--", "sleep", "100"});
    const std::string left = lab.start_fixture({"--leftover", "keep", "--service"}, {"daemon"});
    const std::string damaged = lab.start({"--name", "damaged", "--", "true"});
    CHECK(lab({"wait", left, damaged}).code == 0);
    lab.pids_said(escape);
    collect({"pause", escape});
    collect({"ps"});
    collect({"resume", escape});
    collect({"signal", "CONT", escape});
    collect({"wait", "--for", "port", "web"});
    collect({"wait", "--timeout", "0", "web"});
    collect({"show", "web", escape});
    collect({"why", "web", escape});
    collect({"schedule", "explain", "30 2 * * *"});
    collect({"why", "--full", "web", escape});
    collect({"kill", escape});
    collect({"wait", "nosuch"});
    collect({"logs", "nosuch"});
    collect({"logs", "--cursor", "1", "web", escape});
    collect({"ps", "--bogus"});
    const auto task = lab.show(lost);
    for (const char* key : {"/supervisor", "/pid"}) {
        const auto pid = static_cast<pid_t>(number_at(task, key));
        REQUIRE(::kill(pid, SIGKILL) == 0);
        REQUIRE(eventually(test_timeout, [&] { return !is_alive(pid); }));
    }
    write_file(lab.task_folder(damaged) + "/status", "garbage");
    collect({"ps", "-a"});
    collect({"ps", "-a", "--brief"});
    collect({"ps", "--fields", "id,attempts,age,last,outcome,progress,log"});
    collect({"show", "--all", "--brief", "--fields", "id,outcome,progress,log,events"});
    collect({"kill", "nosuch", "web", "--fields", "id,state"});
    collect({"send", "web", "x"});
    answers += "notify\t" +
               lab({"run", "--wait", "--", "sh", "-c", "$0 notify --json --beat", BGT_BINARY}).out;
    answers +=
        "run\t" + lab({"run", "--json", "--wait-ready", "--ready-log", "x", "--", "true"}).out;
    collect({"ps", "--leftover"});
    collect({"show", "--all"});
    collect({"show", "nosuch"});
    collect({"logs", "2", escape});
    collect({"logs", "--max-bytes", "4", escape});
    collect({"config"});
    write_file(lab.work() + "/bgt.toml",
               "root = \"x\"\nkeep_age = 1\n[[rule]]\nmatch = \"\"\nenv = \"A=1\"\n");
    collect({"config"});
    CHECK(
        lab({"scope", "--json", "scope.json", "--", BGT_BINARY, "run", "--", "sleep", "9"}).code ==
        0);
    CHECK(lab({"submit", "--hold", "--name", "first", "--", "true"}).code == 0);
    CHECK(lab({"submit", "--hold", "--after", "first", "--", "true"}).code == 0);
    collect({"graph"});
    collect({"events"});
    collect({"events", "--type", "nosuch"});
    answers += "scope\t" + read_file(lab.work() + "/scope.json");
    answers += "run\t" + lab({"run", "--explain", "--json", "--", "true"}).out;
    collect({"trust"});
    collect({"trust", "--list"});
    collect({"trust", "--revoke"});
    collect({"trust", "--revoke"});
    write_file(lab.work() + "/bgt.toml", "[task.a]\ncommand = \"exec sleep 600\"\n");
    collect({"up", "--wait"});
    write_file(lab.work() + "/bgt.toml", "[task.b]\ncommand = \"exit 3\"\nready_log = \"x\"\n");
    collect({"up", "--wait"});
    collect({"down"});
    std::filesystem::remove(lab.work() + "/bgt.toml");
    collect({"version"});
    collect({"rm", lost, left});
    collect({"result", "--all"});
    collect({"stats"});
    collect({"stats", "--by", "tag:job", "--trend", "1h"});
    collect({"gc", "--history", "--keep", "1"});
    answers += "stats\t" + lab({"stats", "export"}).out;
    collect({"gc", "--dry-run"});
    collect({"gc", "--keep", "0"});
    collect({"shutdown"});
    const std::string file = lab.folder() + "/answers";
    write_file(file, answers);
    const Ran checked = python({"-c", validator, schema, file});
    INFO(checked);
    CHECK(checked.code == 0);
}
