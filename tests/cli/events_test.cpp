// bgt events: what happens in the state root, as one stream.
#include "support/catch.hpp"
#include "support/lab.hpp"

#include <csignal>
#include <sys/stat.h>

using namespace bgt::test;
namespace json = boost::json;

namespace {

json::array events_of(const Lab& lab, Words words = {})
{
    words.insert(words.begin(), "events");
    return at(lab.ask(words), "/events").as_array();
}

std::vector<std::string> types_of(const json::array& events)
{
    std::vector<std::string> types;
    for (const json::value& event : events) types.emplace_back(at(event, "/type").as_string());
    return types;
}

/// An end is told a moment after it can be waited for.
json::array after_end(const Lab& lab, const std::string& task, Words words = {})
{
    json::array events;
    Words asked = words;
    words.insert(words.end(), {"--type", "ended", task});
    CHECK(eventually(test_timeout, [&] { return !events_of(lab, words).empty(); }));
    return events_of(lab, asked);
}

} // namespace

TEST_CASE("the life of a task is told in its order")
{
    const Lab lab;
    CHECK(events_of(lab).empty());
    CHECK(lab({"events"}).out.empty());
    const std::string id = lab.start({"--name", "web", "--", "true"});
    const json::array events = after_end(lab, id);
    REQUIRE(types_of(events) == Words{"created", "started", "ended"});
    for (const json::value& event : events) {
        CHECK(at(event, "/task").as_int64() == 1);
        CHECK(at(event, "/name").as_string() == "web");
        CHECK(at(event, "/level").as_string() == "info");
    }
    CHECK(at(events[1], "/data/pid").as_int64() > 0);
    CHECK(at(events[2], "/data/outcome").as_string() == "exited");
    CHECK(types_of(events_of(lab, {"--type", "started", "--type", "ended"})) ==
          Words{"started", "ended"});
    struct stat st {};
    REQUIRE(::stat((lab.root() + "/events/1").c_str(), &st) == 0);
    CHECK((st.st_mode & 0777) == 0600);
}

TEST_CASE("what a task says itself has the level that it says")
{
    const Lab lab;
    const std::string id = lab.start({"-c", "'" BGT_BINARY "' notify --log warning cold"});
    after_end(lab, id);
    const json::array said = events_of(lab, {"--type", "log"});
    REQUIRE(said.size() == 1);
    CHECK(at(said[0], "/level").as_string() == "warning");
    CHECK(at(said[0], "/data/text").as_string() == "cold");
    CHECK(events_of(lab, {"--type", "log", "--level", "error"}).empty());
}

TEST_CASE("a failure is an error with its last lines, a limit a warning, a kill neither")
{
    const Lab lab;
    const std::string bad = lab.start({"-c", "seq 9; printf '\\033[31mno\\033[0m\\n'; exit 3"});
    after_end(lab, bad);
    const std::string slow = lab.start({"--timeout", "50ms", "--", "sleep", "100"});
    after_end(lab, slow);
    const std::string killed = lab.start({"--", "sleep", "100"});
    CHECK(lab({"kill", killed}).code == 0);
    after_end(lab, killed);
    const json::array ends = events_of(lab, {"--type", "ended"});
    REQUIRE(ends.size() == 3);
    CHECK(at(ends[0], "/level").as_string() == "error");
    CHECK(at(ends[0], "/data/tail").as_string() == "6\n7\n8\n9\nno");
    CHECK(at(ends[1], "/level").as_string() == "warning");
    CHECK(at(ends[1], "/data/reason").as_string() == "timeout");
    CHECK(at(ends[2], "/level").as_string() == "info");
    CHECK(events_of(lab, {"--type", "ended", "--level", "warning"}).size() == 2);
    const Ran text = lab({"events", "--level", "error"});
    INFO(text);
    CHECK(text.out.find("has ended: outcome=exited exit_code=3\n    | 6\n") != std::string::npos);
    CHECK(text.out.find("    | no\n") != std::string::npos);
    CHECK(text.out.find('\x1b') == std::string::npos);
}

TEST_CASE("retries, what waits in a queue, and what never starts are told")
{
    const Lab lab;
    const std::string id = lab.start({"--retries", "1", "--backoff", "1ms", "--", "false"});
    CHECK(types_of(after_end(lab, id)) == Words{"created", "started", "retry", "started", "ended"});
    CHECK(lab({"submit", "--name", "q", "--", "false"}).code == 0);
    CHECK(lab({"submit", "--name", "after", "--after", "q", "--", "true"}).code == 0);
    const json::array q = after_end(lab, "q", {"q"});
    CHECK(types_of(q) == Words{"queued", "started", "ended"});
    const json::array after = after_end(lab, "after", {"after"});
    CHECK(types_of(after) == Words{"queued", "ended"});
    CHECK(at(after[1], "/data/reason").as_string() == "dependency-failed");
    CHECK(at(after[1], "/level").as_string() == "warning");
    CHECK(lab({"submit", "--hold", "--array", "1-5", "--", "true"}).code == 0); // 4 to 8
    CHECK(types_of(events_of(lab, {"6"})) == Words{"queued"});
    CHECK(events_of(lab, {"--queue", "default"}).size() == 6);
}

TEST_CASE("the setting log_level says what is recorded")
{
    Lab lab;
    lab.set_env("BGT_LOG_LEVEL=warning");
    const std::string bad = lab.start({"--", "false"});
    CHECK(types_of(after_end(lab, bad, {bad})) == Words{"ended"});
    lab.set_env("BGT_LOG_LEVEL=debug");
    const std::string loud = lab.start({"--timeout", "1h", "--", "true"});
    after_end(lab, loud);
    CHECK(events_of(lab, {"--type", "decision"}).empty());
    const json::array decisions = events_of(lab, {"--type", "decision", "--level", "debug", loud});
    REQUIRE_FALSE(decisions.empty());
    const bool has_end = std::any_of(decisions.begin(), decisions.end(), [](const auto& one) {
        return at(one, "/data/event").as_string() == "main-ended";
    });
    CHECK(has_end);
    const std::string seen = lab.start({"--idle-timeout", "400ms", "--", "sleep", "100"});
    after_end(lab, seen);
    CHECK_FALSE(events_of(lab, {"--type", "sample", "--level", "debug", seen}).empty());
    CHECK(lab({"submit", "--name", "q", "--", "true"}).code == 0);
    after_end(lab, "q");
    CHECK(events_of(lab, {"--type", "claimed", "--level", "debug", "q"}).size() == 1);
    lab.set_env("BGT_LOG_LEVEL=loud");
    CHECK(lab({"run", "--", "true"}).code == 125);
}

TEST_CASE("a schedule tells of its times")
{
    const Lab lab;
    CHECK(lab({"schedule", "add", "tick", "--every", "1s", "--times", "1", "--", "true"}).code ==
          0);
    CHECK(eventually(test_timeout, [&] { return !events_of(lab, {"--type", "ended"}).empty(); }));
    const json::array events = events_of(lab);
    REQUIRE(types_of(events) == Words{"schedule", "queued", "started", "ended"});
    CHECK(at(events[0], "/data/schedule").as_string() == "tick");
    CHECK(at(events[0], "/data/what").as_string() == "fired");
}

TEST_CASE("a selection narrows the stream, also to tasks that were removed")
{
    const Lab lab;
    lab.start({"--name", "web", "--tag", "job=e2e", "--", "true"});
    lab.start({"--name", "db", "--", "true"});
    after_end(lab, "web");
    after_end(lab, "db");
    CHECK(events_of(lab, {"web"}).size() == 3);
    CHECK(events_of(lab, {"2", "web"}).size() == 6);
    CHECK(events_of(lab, {"--name", "w*"}).size() == 3);
    CHECK(events_of(lab, {"--tag", "job"}).size() == 3);
    CHECK(at(events_of(lab, {"-"}).front(), "/task").as_int64() == 2);
    CHECK(lab({"rm", "web"}).code == 0);
    CHECK(events_of(lab, {"web"}).size() == 3);
    CHECK(events_of(lab, {"1"}).size() == 3);
    CHECK(lab({"events", "nosuch"}).code == 125);
    CHECK(lab({"events", "99"}).code == 125);
}

TEST_CASE("a cursor continues, a time narrows, and what is neither is refused")
{
    const Lab lab;
    const std::string first = lab.start({"--", "true"});
    const json::array events = after_end(lab, first);
    for (std::size_t n = 0; n < events.size(); ++n) {
        const std::string cursor(at(events[n], "/cursor").as_string());
        CHECK(events_of(lab, {"--since", cursor}).size() == events.size() - n - 1);
    }
    const auto answer = lab.ask({"events", "--type", "hang"});
    CHECK(at(answer, "/events").as_array().empty());
    CHECK(at(answer, "/cursor") == at(events.back(), "/cursor"));
    CHECK(events_of(lab, {"--since", "1h"}).size() == 3);
    CHECK(events_of(lab, {"--since", "0s"}).empty());
    for (const Words& bad : {Words{"--since", "e1-1-0"},
                             {"--since", "e9"},
                             {"--since", ""},
                             {"--type", "end"},
                             {"--level", "loud"},
                             {"--since", "\x1b[31m"},
                             {"--type", "\x1b[31m"},
                             {"\x1b[31m"}}) {
        Words words{"events"};
        words.insert(words.end(), bad.begin(), bad.end());
        const Ran ran = lab(words);
        INFO(ran);
        CHECK(ran.code == 125);
        CHECK(ran.err.find('\x1b') == std::string::npos);
    }
    std::filesystem::remove_all(lab.root() + "/events");
    const std::string cursor(at(events.back(), "/cursor").as_string());
    CHECK(types_of(events_of(lab, {"--since", cursor})) == Words{"gap"});
    const std::string second = lab.start({"--", "true"});
    after_end(lab, second);
    CHECK(types_of(events_of(lab, {"--since", cursor})) ==
          Words{"gap", "created", "started", "ended"});
}

TEST_CASE("damage is told and costs nothing else, and nothing is followed out of the root")
{
    const Lab lab;
    const std::string id = lab.start({"--", "true"});
    after_end(lab, id);
    const std::string segment = lab.root() + "/events/1";
    std::string bytes = read_file(segment);
    bytes[bytes.find('\n') + 20] ^= 1; // of "started"
    write_file(segment, bytes + "half a line");
    const std::string second = lab.start({"--", "true"});
    CHECK(types_of(after_end(lab, second)) ==
          Words{"created", "gap", "ended", "gap", "created", "started", "ended"});
    const Lab other;
    std::filesystem::create_directories(other.root() + "/events");
    std::filesystem::permissions(other.root(), std::filesystem::perms::owner_all);
    REQUIRE(::mkfifo((other.root() + "/events/1").c_str(), 0600) == 0);
    const std::string third = other.start({"--", "true"});
    CHECK(types_of(after_end(other, third)) == Words{"gap", "created", "started", "ended"});
    const Lab linked;
    std::filesystem::create_directories(linked.root());
    std::filesystem::permissions(linked.root(), std::filesystem::perms::owner_all);
    std::filesystem::create_directory_symlink(linked.folder(), linked.root() + "/events");
    CHECK(linked({"run", "--wait", "--", "true"}).code == 0);
    CHECK(linked({"events"}).code == 125);
    CHECK_FALSE(std::filesystem::exists(linked.folder() + "/1"));
}

TEST_CASE("a follower prints what comes, and continues when the stream was removed")
{
    const Lab lab;
    Child follower(lab.bgt({"events", "-f", "--json"}));
    CHECK(eventually(test_timeout, [&] { return std::filesystem::exists(lab.root()); }));
    const std::string first = lab.start({"--name", "one", "--", "true"});
    CHECK(follower.says("\"type\":\"ended\""));
    const std::string line = follower.out().substr(0, follower.out().find('\n'));
    CHECK(at(json::parse(line), "/type").as_string() == "created");
    CHECK(at(json::parse(line), "/schema").as_int64() == 1);
    std::filesystem::remove_all(lab.root() + "/events");
    const std::string second = lab.start({"--name", "two", "--", "true"});
    CHECK(follower.says("\"two\""));
    const std::string out = follower.out();
    CHECK(out.find("\"gap\"") < out.find("\"two\""));
    // Its supervisor may still write there.
    REQUIRE(eventually(test_timeout, [&] {
        std::error_code failed;
        std::filesystem::remove_all(lab.root(), failed);
        return !std::filesystem::exists(lab.root());
    }));
    CHECK(follower.finish().code == 125);
}
