// [[alert]]: what begins and is over is told once, whoever looks; and whose alerts count.
#include "support/catch.hpp"
#include "support/lab.hpp"
#include "support/queue_lab.hpp"
#include "support/skip.hpp"

#include <bgt/store/alert_book.hpp>

#include <csignal>
#include <filesystem>
#include <sys/stat.h>

using namespace bgt::test;
namespace fs = std::filesystem;
namespace json = boost::json;

namespace {

bool has(const std::string& text, const std::string& part)
{
    return text.find(part) != std::string::npos;
}

/// In the user's own file, which needs no trust.
void put(const Lab& lab, const std::string& text)
{
    fs::create_directories(lab.folder() + "/config/bgt");
    write_file(lab.folder() + "/config/bgt/config.toml", text);
}

Lab& with_config(Lab& lab)
{
    lab.set_env("XDG_CONFIG_HOME=" + lab.folder() + "/config");
    return lab;
}

json::object alert_of(const Lab& lab, std::int64_t number = 1)
{
    const json::object answer = lab.ask({"alerts"}).as_object();
    for (const auto& one : answer.at("alerts").as_array())
        if (number_at(one.as_object(), "/number") == number) return one.as_object();
    return {};
}

/// The lines that the hook has written, once there are so many.
std::string lines_in(const Lab& lab, const std::string& name, std::size_t count)
{
    const std::string path = lab.folder() + "/" + name;
    const auto lines = [&] {
        const std::string text = read_file(path);
        return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
    };
    eventually(test_timeout, [&] { return lines() >= count; });
    return read_file(path);
}

void run_task(const Lab& lab, const std::string& name, int code)
{
    const Ran ran = lab({"run", "--wait", "--name", name, "-c", "exit " + std::to_string(code)});
    INFO(ran);
    REQUIRE(ran.code == code);
}

/// Nobody looks at the alerts of the root any more: the supervisors have ended.
bool is_quiet(const Lab& lab)
{
    return eventually(test_timeout, [&] { return find_marked(lab.folder()).empty(); });
}

std::string toml(const std::string& when, const std::string& more)
{
    return "[[alert]]\nwhen = \"" + when + "\"\n" + more + "\n";
}

} // namespace

TEST_CASE("an alert is told once when it begins, and once when it is over")
{
    Lab lab;
    with_config(lab);
    put(lab, toml("failures_in_row >= 2",
                  "match = \"night*\"\nrun = \"echo $BGT_HOOK $BGT_ALERT $BGT_ALERT_WHAT "
                  "$BGT_ALERT_WHEN $BGT_ALERT_MATCH/$BGT_ALERT_VALUE/$BGT_TASK_ID >> told; "
                  "pwd >> $BGT_ROOT/../where; echo said; exit 3\""));
    run_task(lab, "nightly", 1);
    run_task(lab, "other", 1);
    CHECK(alert_of(lab).at("state") == "quiet");
    for (const int code : {1, 1, 4}) run_task(lab, "nightly", code);
    const std::string file = "config/bgt/told";
    CHECK(lines_in(lab, file, 1) == "alert 1 begins failures_in_row >= 2 night*/2 in a row/3\n");
    CHECK(read_file(lab.folder() + "/where") == lab.folder() + "/config/bgt\n");
    CHECK(alert_of(lab).at("state") == "firing");
    run_task(lab, "nightly", 0);
    run_task(lab, "nightly", 0);
    CHECK(lines_in(lab, file, 2) == "alert 1 begins failures_in_row >= 2 night*/2 in a row/3\n"
                                    "alert 1 over failures_in_row >= 2 night*/0 in a row/6\n");
    REQUIRE(
        eventually(test_timeout, [&] { return at(alert_of(lab), "/told/hook_ended").as_bool(); }));
    const json::object alert = alert_of(lab);
    CHECK(alert.at("state") == "quiet");
    CHECK(text_at(alert, "/told/what") == "over");
    CHECK(number_at(alert, "/told/code") == 3);
    CHECK(text_at(alert, "/told/output") == "said\n");
    REQUIRE(is_quiet(lab));
    struct stat info {};
    REQUIRE(::stat((lab.root() + "/alerts").c_str(), &info) == 0);
    CHECK((info.st_mode & 0777) == 0600);

    std::string told;
    const json::value events = lab.ask({"events", "--type", "alert"});
    for (const auto& event : events.at("events").as_array())
        told += text_at(event.as_object(), "/level") + " " +
                text_at(event.as_object(), "/data/what") + "; ";
    CHECK(told == "warning begins; info over; ");
    const Ran table = lab({"alerts"});
    INFO(table);
    CHECK(has(table.out, "N  ALERT                 MATCH   STATE  NOW         TOLD"));
    CHECK(has(table.out, "1  failures_in_row >= 2  night*  quiet  0 in a row  over "));
    CHECK(has(table.out, ": exit 3"));
}

TEST_CASE("many ends at once tell each alert once, whoever of them looks")
{
    Lab lab;
    with_config(lab);
    for (const std::string name : {"a", "b"}) write_file(lab.folder() + "/told-" + name, "");
    put(lab, toml("failures_in_row >= 15",
                  "match = \"a*\"\nrun = \"echo $BGT_ALERT_WHAT >> $BGT_ROOT/../told-a\"") +
                 toml("failures_in_row >= 15",
                      "match = \"b*\"\nrun = \"echo $BGT_ALERT_WHAT >> $BGT_ROOT/../told-b\""));
    for (int i = 0; i < 30; ++i)
        lab.start({"--name", (i % 2 == 0 ? "a" : "b") + std::to_string(i), "--", "false"});
    CHECK(lines_in(lab, "told-a", 1) == "begins\n");
    CHECK(lines_in(lab, "told-b", 1) == "begins\n");
    REQUIRE(is_quiet(lab));
    CHECK(lines_in(lab, "told-a", 1) == "begins\n");
    CHECK(lines_in(lab, "told-b", 1) == "begins\n");
    CHECK(text_at(alert_of(lab), "/value") == "15 in a row");
}

TEST_CASE("the alerts of a bgt.toml count once it is trusted, and no longer than that")
{
    const Lab lab;
    write_file(lab.work() + "/bgt.toml",
               toml("failures_in_row >= 1", "run = \"echo $BGT_ALERT_WHAT >> told\""));
    const Ran ignored = lab({"run", "--wait", "--", "false"});
    CHECK(ignored.err == "bgt run: " + lab.work() +
                             "/bgt.toml is not trusted, so this is ignored: alert (read the file, "
                             "then: bgt trust " +
                             lab.work() + ")\n");
    CHECK(has(lab({"alerts"}).err, "is not trusted, so this is ignored: alert ("));
    CHECK(lab.ask({"alerts"}).at("alerts").as_array().empty());
    const Ran trusted = lab({"trust"});
    INFO(trusted);
    CHECK(has(trusted.out, "  line 1: alert failures_in_row >= 1: run = echo $BGT_ALERT_WHAT"));
    CHECK(lab({"run", "--wait", "--", "false"}).err.empty());
    CHECK(lines_in(lab, "work/told", 1) == "begins\n");
    CHECK(lab({"trust", "--revoke"}).code == 0);
    CHECK_FALSE(has(read_file(lab.root() + "/alerts"), "failures_in_row"));
}

TEST_CASE("an alert that is in no file any more is forgotten")
{
    Lab lab;
    with_config(lab);
    put(lab, toml("active > 5", "") + toml("wait > 1h", ""));
    CHECK(lab.ask({"alerts"}).at("alerts").as_array().size() == 2);
    put(lab, toml("wait > 1h", "run = \"true\""));
    run_task(lab, "a", 0);
    CHECK(text_at(alert_of(lab, 2), "/run") == "true");
    CHECK(alert_of(lab, 1).empty());
    put(lab, "");
    CHECK(lab.ask({"alerts"}).at("alerts").as_array().empty());
    const Ran none = lab({"alerts"});
    CHECK(none.code == 0);
    CHECK(none.err == "bgt alerts: there are no alerts ([[alert]] in bgt.toml, see man "
                      "bgt-alerts)\n");
}

TEST_CASE("a hook can be tested")
{
    Lab lab;
    with_config(lab);
    put(lab, toml("active > 5", "run = \"echo $BGT_ALERT_WHAT: $BGT_ALERT_VALUE; exit 7\"") +
                 toml("active > 6", "run = \"true\"") + toml("active > 7", ""));
    const Ran failed = lab({"alerts", "--test", "1"});
    CHECK(failed.code == 125);
    CHECK(failed.out == "alert 1: its hook ended with 7\n  test: a test\n");
    CHECK(lab({"alerts", "--test", "2"}).code == 0);
    CHECK(refused(lab, {"alerts", "--test", "3"}) ==
          "bgt alerts: alert 3: it has no `run` and no `webhook`\n");
    CHECK(refused(lab, {"alerts", "--test", "4"}) ==
          "bgt alerts: there is no alert 4 (bgt alerts lists them)\n");
    CHECK(has(refused(lab, {"alerts", "--test", "x"}), "--test: it is the number of an alert"));
    const json::object tested = lab.ask({"alerts", "--test", "2"}).as_object();
    CHECK(tested.at("fine") == true);
    CHECK(number_at(tested, "/code") == 0);
    CHECK(alert_of(lab).at("state") == "quiet");
    CHECK(alert_of(lab).at("told").is_null());
}

TEST_CASE("a webhook gets JSON, and neither a shell nor a file of curl's has a say")
{
    Lab lab;
    const std::string curl = find_program("curl"), python = find_program("python3");
    if (curl.empty() || python.empty()) return skip("curl and python3 are needed");
    with_config(lab);
    const std::string port = std::to_string(free_port());
    write_file(lab.work() + "/serve.py", R"(
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers['Content-Length']))
        with open('asked', 'ab') as file:
            file.write(self.path.encode() + b' ' + self.headers['Content-Type'].encode() + b'\n' + body + b'\n')
        self.send_response(500 if 'bad' in self.path else 204)
        self.end_headers()
http.server.HTTPServer(('127.0.0.1', int(sys.argv[1])), Handler).serve_forever()
)");
    write_file(lab.work() + "/.curlrc", "url = http://localhost:1/\nfail\n");
    lab.set_env("HOME=" + lab.work());
    const std::string url = "http://127.0.0.1:" + port;
    lab.start({"--ready-port", port, "--wait-ready", "--", python, "serve.py", port});
    put(lab, toml("failures_in_row >= 1", "match = 'it\"s\\$(touch pwned)'\nwebhook = \"" + url +
                                              "/a?b=$(touch%20pwned)\"") +
                 toml("active > 1000", "webhook = \"" + url + "/bad\"") +
                 toml("active > 2000", "webhook = \"http://127.0.0.1:1/\""));
    const Ran good = lab({"alerts", "--test", "1"});
    INFO(good);
    CHECK(good.code == 0);
    CHECK(good.out == "alert 1: its hook ended with 204\n");
    const std::string asked = read_file(lab.work() + "/asked");
    CHECK(has(asked, "/a?b=$(touch%20pwned) application/json\n"));
    const json::object body = json::parse(asked.substr(asked.find('\n') + 1)).as_object();
    CHECK(text_at(body, "/what") == "test");
    CHECK(text_at(body, "/when") == "failures_in_row >= 1");
    CHECK(text_at(body, "/match") == "it\"s\\$(touch pwned)");
    CHECK_FALSE(fs::exists(lab.work() + "/pwned"));
    const Ran bad = lab({"alerts", "--test", "2"});
    CHECK(bad.code == 125);
    CHECK(bad.out == "alert 2: its hook ended with 500 (the answer is 500)\n");
    const Ran refused = lab({"alerts", "--test", "3"});
    CHECK(refused.code == 125);
    CHECK(has(refused.out, "alert 3: its hook did not end by itself (no answer: "));
}

TEST_CASE("mistakes in an alert are told with their place")
{
    Lab lab;
    with_config(lab);
    const auto [text, said] = GENERATE(table<std::string, std::string>({
        {"[[alert]]\nrun = \"true\"\n", ":1:1: an alert needs `when`"},
        {toml("error_rate < 1", ""), ":2:8: when: bad condition 'error_rate < 1'"},
        {toml("error_rate > 0.1", "over = \"0\""), ":1:1: over is longer than 0s"},
        {toml("error_rate > 0.1", "over = \"1 hour\""), ":3:8: over: bad duration"},
        {toml("wait > 1m", "over = \"1h\""), ":1:1: over means nothing with wait"},
        {toml("active > 1", "min_runs = 3"), ":1:1: min_runs means nothing with active"},
        {toml("error_rate > 0.1", "min_runs = 0"), ":3:12: min_runs: it is a whole number"},
        {toml("error_rate > 0.1", "match = \"\""), ":3:9: match: it is a pattern"},
        {toml("error_rate > 0.1", "run = 3"), ":3:7: run must be a string"},
        {toml("error_rate > 0.1", "run = \"\""), ":3:7: run: a command is missing"},
        {toml("error_rate > 0.1", "webhook = \"ftp://x/\""), ":3:11: webhook: it begins with http"},
        {toml("error_rate > 0.1", "run = \"a\"\nwebhook = \"http://x/\""),
         ":1:1: an alert takes `run` or `webhook`, not both"},
        {toml("error_rate > 0.1", "macth = \"x\""), "unknown key macth in an alert; did you mean"},
        {"[alert]\nwhen = \"x\"\n", ":1:2: alerts are written [[alert]], with two brackets"},
        {"alert = [1]\n", "an alert is a table, not a whole number"},
    }));
    put(lab, text);
    INFO(text);
    CHECK(has(refused(lab, {"run", "--", "true"}), said));
    CHECK(lab({"ps"}).code == 0); // what works without settings does
}

TEST_CASE("a damaged file is said, and the alerts begin anew")
{
    Lab lab;
    with_config(lab);
    put(lab, toml("failures_in_row >= 1", "run = \"echo $BGT_ALERT_WHAT >> told\""));
    run_task(lab, "a", 1);
    CHECK(lines_in(lab, "config/bgt/told", 1) == "begins\n");
    REQUIRE(is_quiet(lab));
    std::string text = read_file(lab.root() + "/alerts");
    text[20] ^= 1;
    write_file(lab.root() + "/alerts", text);
    const Ran ran = lab({"run", "--wait", "--", "false"});
    INFO(ran);
    CHECK(ran.code == 1);
    CHECK(has(ran.err, "/alerts is damaged: whether an alert has been told already is not known"));
    CHECK(lines_in(lab, "config/bgt/told", 2) == "begins\nbegins\n");
    CHECK(lab({"run", "--wait", "--", "true"}).err.empty());
}

TEST_CASE("what waits for too long is found by who dispatches")
{
    Lab lab;
    with_config(lab);
    put(lab, toml("wait > 1s", "match = \"slow\"\nrun = \"echo wait $BGT_ALERT_WHAT >> told\"") +
                 toml("active >= 2", "run = \"echo active $BGT_ALERT_WHAT >> told\""));
    CHECK(lab({"queue", "set", "default", "slots=1"}).code == 0);
    submit_one(lab, {"--", "sleep", "1000"});
    submit_one(lab, {"--name", "quick", "--hold", "--", "true"});
    const std::string slow = submit_one(lab, {"--name", "slow", "--", "sleep", "1000"});
    CHECK(lines_in(lab, "config/bgt/told", 1) == "wait begins\n");
    CHECK(lab({"queue", "set", "default", "slots=2"}).code == 0);
    const std::string both = lines_in(lab, "config/bgt/told", 3);
    CHECK(has(both, "wait over\n"));
    CHECK(has(both, "active begins\n"));
    CHECK(lab({"kill", "--now", slow}).code == 0);
    CHECK(has(lines_in(lab, "config/bgt/told", 4), "active over\n"));
}

TEST_CASE("what did not run by its time is found, and over once it runs")
{
    Lab lab;
    with_config(lab);
    put(lab, toml("did_not_run_by 00:00", "match = \"backup\"\nrun = \"echo $BGT_ALERT_WHAT >> "
                                          "told\""));
    CHECK(alert_of(lab).at("state") == "unknown"); // that time was before it was known
    auto book = bgt::store::decode_alerts(read_file(lab.root() + "/alerts"));
    REQUIRE(book);
    book->alerts.front().known_since = {};
    write_file(lab.root() + "/alerts", bgt::store::encode_alerts(*book));
    CHECK(alert_of(lab).at("state") == "firing");
    CHECK(lines_in(lab, "config/bgt/told", 1) == "begins\n");
    run_task(lab, "other", 0);
    run_task(lab, "backup", 1);
    CHECK(lines_in(lab, "config/bgt/told", 2) == "begins\nover\n");
}

TEST_CASE("a hook has a minute, and one that was killed is shown")
{
    Lab lab;
    with_config(lab);
    put(lab, toml("failures_in_row >= 1", "run = \"echo $PPID > hook; exec sleep 1000\""));
    run_task(lab, "a", 1);
    const auto teller = static_cast<pid_t>(std::stol(lines_in(lab, "config/bgt/hook", 1)));
    CHECK_FALSE(at(alert_of(lab), "/told/hook_ended").as_bool());
    REQUIRE(::kill(teller, SIGKILL) == 0);
    REQUIRE(
        eventually(test_timeout, [&] { return at(alert_of(lab), "/told/hook_ended").as_bool(); }));
    CHECK(text_at(alert_of(lab), "/told/error") ==
          "its hook was interrupted: the process that ran it was killed");
}
