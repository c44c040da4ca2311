// Answers in JSON: which fields they have, how long they are, and where errors are told.
#include "support/catch.hpp"
#include "support/lab.hpp"

#include <algorithm>
#include <regex>

using namespace bgt::test;
namespace json = boost::json;

namespace {

/// All of a text, which must be lines of JSON.
std::vector<json::object> answers_in(const std::string& text)
{
    std::vector<json::object> out;
    std::size_t from = 0;
    for (std::size_t end; (end = text.find('\n', from)) != std::string::npos; from = end + 1) {
        std::error_code error;
        const json::value value = json::parse(text.substr(from, end - from), error);
        INFO(text.substr(from, end - from));
        REQUIRE(!error);
        REQUIRE(value.is_object());
        CHECK(value.at("schema") == 1);
        out.push_back(value.as_object());
    }
    CHECK(from == text.size());
    return out;
}

/// The only answer.
json::object answer_of(const Ran& ran)
{
    const auto all = answers_in(ran.out);
    REQUIRE(all.size() == 1);
    return all.front();
}

/// Those that have the flag --json.
Words verbs_with_json(const Lab& lab)
{
    const std::string help = lab({"--help"}).out;
    Words out;
    const std::regex row("\n  ([a-z]+) +[a-zA-Z]");
    for (std::sregex_iterator at(help.begin(), help.end(), row), end; at != end; ++at) {
        const std::string verb = (*at)[1];
        const std::string own = lab({verb, "--help"}).out;
        if (std::regex_search(own, std::regex("\n +--json( {2,}|\n)"))) out.push_back(verb);
    }
    return out;
}

Words keys_of(const json::value& object)
{
    Words out;
    for (const auto& member : object.as_object()) out.emplace_back(member.key());
    return out;
}

} // namespace

TEST_CASE("with --json there is nothing but JSON on stdout, and no error on stderr")
{
    const Lab lab;
    const Words verbs = verbs_with_json(lab);
    for (const char* verb : {"run", "ps", "kill", "send", "notify", "wait", "stats", "graph"}) {
        INFO(verb);
        CHECK(std::ranges::find(verbs, verb) != verbs.end());
    }
    for (const std::string& verb : verbs) {
        INFO(verb);
        const Ran refused = lab({verb, "--json", "--bogus"});
        INFO(refused);
        CHECK(refused.code == 125);
        CHECK(refused.err.empty());
        CHECK(text_at(answer_of(refused), "/error/message").find("--bogus") != std::string::npos);
        // A task, queue, file, command or process of this name is nowhere.
        const Ran ran = lab({verb, "--json", "nosuch-word"});
        INFO(ran);
        for (const json::object& answer : answers_in(ran.out)) {
            if (answer.contains("error")) CHECK(ran.code == number_at(answer, "/error/code"));
            if (answer.contains("error")) CHECK(ran.err.empty());
        }
        CHECK((ran.code == 0 || !ran.out.empty()));
    }
}

TEST_CASE("the errors of a call with several tasks are in its JSON")
{
    const Lab lab;
    const Words verb = GENERATE(Words{"kill"}, Words{"pause"}, Words{"signal", "KILL"},
                                Words{"show"}, Words{"logs"}, Words{"rm", "--force"},
                                Words{"restart"}, Words{"why"}, Words{"result"});
    const std::string id = lab.start({"--name", "live", "-c", "echo said; exec sleep 100"});
    REQUIRE(lab.logged(id, "said"));
    Words words = verb;
    words.insert(words.end(), {"--json", "nosuch", "live"});
    const Ran ran = lab(words);
    INFO(ran);
    CHECK(ran.code == 125);
    CHECK(ran.err.empty());
    const json::object answer = answer_of(ran);
    CHECK(text_at(answer, "/errors/0/message").find("no task named nosuch") != std::string::npos);
    CHECK(number_at(answer, "/errors/0/code") == 125);
    CHECK_FALSE(answer.contains("error"));
    const Ran twice = lab({verb[0] == "signal" ? "pause" : verb[0], "--json", "nosuch", "nobody"});
    INFO(twice);
    CHECK(twice.code == 125);
    CHECK(twice.err.empty());
    CHECK(twice.out.find("nosuch") != std::string::npos);
    CHECK(twice.out.find("nobody") != std::string::npos);
}

TEST_CASE("an error of one task names the task")
{
    const Lab lab;
    const std::string over = lab.start({"--", "true"});
    CHECK(lab.wait(over) == 0);
    const std::string live = lab.start({"--", "sleep", "100"});
    const Ran ran = lab({"pause", "--json", over, live});
    INFO(ran);
    const json::object answer = answer_of(ran);
    CHECK(number_at(answer, "/errors/0/task") == std::stoll(over));
    CHECK(ran.err.empty());
}

TEST_CASE("--fields and --brief say what of a task is printed")
{
    const Lab lab;
    const std::string id =
        lab.start({"--name", "web", "--tag", "job=e2e", "--", BGT_FIXTURE, "listen", "0"});
    CHECK(lab({"wait", "--for", "port", "--timeout", "20s", id}).code == 0);
    const std::string bad = lab.start({"-c", "echo 'no such table: users'; exit 3"});
    CHECK(lab.wait(bad) == 3);
    const auto task = [&](Words words) { return at(lab.ask(words), "/tasks/0").as_object(); };
    CHECK(keys_of(task({"ps", id, "--fields", "state,id,exit"})) == Words{"state", "id", "exit"});
    CHECK(keys_of(task({"ps", id, "--fields", "state,id,exit", "--brief"})) ==
          Words{"state", "id"});
    const json::object lean = task({"show", id, "--brief"});
    CHECK(keys_of(lean) == Words{"id", "name", "state", "age", "ports", "last"});
    CHECK(json::serialize(lean).size() <= 120);
    const json::object ended = task({"show", bad, "--brief"});
    INFO(ended);
    CHECK(keys_of(ended) == Words{"id", "state", "exit", "age", "last"});
    CHECK(text_at(ended, "/state") == "exit 3");
    CHECK(number_at(ended, "/exit") == 3);
    CHECK(text_at(ended, "/last") == "no such table: users");
    CHECK(json::serialize(ended).size() <= 120);
    const json::object usual = task(
        {"show", id, "--brief", "--fields",
         "id,name,state,exit,age,ports,attempts,last,tags,command,pid,cpu,rss_bytes,started_at"});
    INFO(usual);
    CHECK(json::serialize(usual).size() <= 300);
    const json::object whole = task({"show", bad});
    CHECK(text_at(whole, "/state") == "exit 3");
    CHECK(number_at(whole, "/exit") == 3);
    CHECK(text_at(whole, "/last_line") == "no such table: users");
    CHECK(task({"show", id, "--fields", "attempts,events"})["attempts"].is_array());
    CHECK(task({"ps", id, "--fields", "attempts"})["attempts"] == 1);
    CHECK(keys_of(task({"pause", id, "--fields", "paused"})) == Words{"paused"});
    CHECK(keys_of(task({"wait", id, "--for", "port", "--brief", "--fields", "id"})) == Words{"id"});
    const Ran started = lab({"run", "--json", "--brief", "--fields", "id,attempts", "true"});
    CHECK(keys_of(at(answer_of(started), "/tasks/0")) == Words{"id"});
    for (const Words& wrong : {Words{"ps", "--json", "--fields", "id,nosuch"},
                               {"ps", "--json", "--fields", ""},
                               {"ps", "--fields", "id"},
                               {"ps", "--brief"},
                               {"kill", id, "--json", "--fields", "events"},
                               {"submit", "--json", "--brief", "--", "true"}}) {
        const Ran ran = lab(wrong);
        INFO(ran);
        CHECK(ran.code == 125);
    }
    CHECK(lab({"ps", "--json", "--fields", "x"}).out.find("there are id, name, state") !=
          std::string::npos);
    CHECK(text_at(lab.show(id), "/lifecycle") == "running"); // nothing was killed
}

TEST_CASE("numbers are as people write them")
{
    const Lab lab;
    const std::string id = lab.start({"-c", "sleep 0.3"});
    CHECK(lab.wait(id) == 0);
    for (const Words& words : {Words{"show", "--json", id},
                               {"ps", "-a", "--json"},
                               {"stats", "--json"},
                               {"why", "--json", "--full", id}}) {
        const Ran ran = lab(words);
        INFO(ran);
        CHECK_FALSE(std::regex_search(ran.out, std::regex("[0-9][eE][+-]?[0-9]+[,}\\]]")));
        CHECK_FALSE(std::regex_search(ran.out, std::regex("\":-?[0-9]+\\.[0-9]{4,}")));
    }
}

TEST_CASE("a wait in JSON has its exit code, the reason, and what the task said last")
{
    const Lab lab;
    const std::string id = lab.start({"--name", "slow", "--", "sleep", "100"});
    const Ran timed_out = lab({"wait", "--json", "--timeout", "50ms", id});
    json::object answer = answer_of(timed_out);
    CHECK(timed_out.code == 124);
    CHECK(timed_out.err.empty());
    CHECK(number_at(answer, "/wait/code") == 124);
    CHECK(text_at(answer, "/wait/reason").find("50ms passed: ") == 0);
    const Ran failed = lab({"run", "--json", "--wait", "-c", "echo one; echo two >&2; exit 3"});
    answer = answer_of(failed);
    CHECK(failed.code == 3);
    CHECK(failed.err.empty());
    CHECK(number_at(answer, "/wait/code") == 3);
    CHECK(text_at(answer, "/wait/end") == "met");
    CHECK(text_at(answer, "/wait/reason").find("ended (exit 3)") != std::string::npos);
    CHECK(text_at(answer, "/wait/tail") == "one\ntwo\n");
    CHECK(number_at(answer, "/tasks/0/exit") == 3);
    const Ran left =
        lab({"run", "--json", "--wait", "--max-wait", "50ms", "-c", "echo x; sleep 100"});
    answer = answer_of(left);
    CHECK(left.code == 124);
    CHECK(left.err.empty());
    CHECK(text_at(answer, "/wait/end") == "timed-out");
    CHECK(text_at(answer, "/wait/reason").find("keeps running in the background") !=
          std::string::npos);
    const Ran never = lab({"run", "--json", "--wait-ready", "--ready-log", "listening", "-c",
                           "echo 'no config file'; exit 4"});
    answer = answer_of(never);
    INFO(never);
    CHECK(never.code == 121);
    CHECK(never.err.empty());
    CHECK(number_at(answer, "/wait/code") == 121);
    CHECK(text_at(answer, "/wait/end") == "impossible");
    CHECK(text_at(answer, "/wait/tail") == "no config file\n");
    const Ran ready =
        lab({"run", "--json", "--wait-ready", "--ready-log", "up", "-c", "echo up; sleep 100"});
    answer = answer_of(ready);
    CHECK(ready.code == 0);
    CHECK(text_at(answer, "/wait/end") == "met");
    CHECK(at(answer, "/wait").as_object().contains("tail") == false);
    const Ran many = lab({"submit", "--json", "--wait", "--array", "1-2", "--", "true"});
    INFO(many);
    CHECK(many.code == 0);
    CHECK(at(answer_of(many), "/tasks").as_array().size() == 2);
}

TEST_CASE("why in JSON is at most 4 KiB, unless it is asked for all of it")
{
    const Lab lab;
    std::string noisy =
        "for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do "
        "echo '\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"'; "
        "printf '%0150d\\n' $i; done; ";
    const std::string live = lab.start({"-c", noisy + "sleep 100 & sleep 100"});
    const std::string bad = lab.start({"-c", noisy + "exit 3"});
    CHECK(lab.wait(bad) == 3);
    const auto size = [&](const Words& words) {
        const Ran ran = lab(words);
        INFO(ran);
        CHECK(answers_in(ran.out).size() == 1);
        return ran.out.size();
    };
    CHECK(size({"why", "--json", live}) <= 4096);
    CHECK(size({"why", "--json", bad}) <= 4096);
    CHECK(size({"why", "--json", live, bad}) <= 4096);
    CHECK(size({"why", "--json", "--full", live, bad}) > 4096);
    const json::value report = at(lab.ask({"why", live}), "/reports/0");
    CHECK_FALSE(report.as_object().contains("evidence"));
    CHECK_FALSE(at(report, "/output").as_array().empty());
    CHECK(at(lab.ask({"why", "--full", live}), "/reports/0").as_object().contains("evidence"));
    CHECK(text_at(at(lab.ask({"why", bad}), "/ends/0/task").as_object(), "/state") == "exit 3");
    Words many{"why", "--json"};
    for (int i = 0; i < 30; ++i) many.push_back(lab.start({"--", "false"}));
    for (const std::string& id : Words(many.begin() + 2, many.end())) CHECK(lab.wait(id) == 1);
    CHECK(size(many) <= 4096);
    const json::object cut = answer_of(lab(many));
    CHECK(number_at(cut, "/left_out") > 0);
    CHECK(number_at(cut, "/left_out") +
              static_cast<std::int64_t>(at(cut, "/ends").as_array().size()) ==
          30);
    CHECK(lab({"why", "--full", live}).code == 125);
}

TEST_CASE("send and notify answer in JSON")
{
    const Lab lab;
    const std::string id = lab.start_fixture({"--stdin", "pipe"}, {"echo-stdin"});
    const json::value sent = lab.ask({"send", id, "hello"});
    CHECK(at(sent, "/id") == std::stoll(id));
    CHECK(at(sent, "/sent") == true);
    const Ran none = lab({"send", "--json", "nosuch", "x"});
    CHECK(none.code == 125);
    CHECK(none.err.empty());
    CHECK(answer_of(none).contains("error"));
    const Ran inside =
        lab({"run", "--wait", "--", BGT_BINARY, "notify", "--json", "--status", "x"});
    INFO(inside);
    CHECK(at(answer_of(inside), "/sent") == true);
    CHECK(number_at(answer_of(inside), "/id") == std::stoll(id) + 1);
    const Ran outside = lab({"notify", "--json", "--beat"});
    CHECK(outside.code == 125);
    CHECK(outside.err.empty());
    CHECK(answer_of(outside).contains("error"));
}
