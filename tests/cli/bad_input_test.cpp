// Bad input: one clear message, the right code, no crash, no trace.
#include "support/catch.hpp"
#include "support/lab.hpp"

#include <algorithm>

using namespace bgt::test;

namespace {

struct Case {
    Words words;
    std::string err; ///< all of stderr, without the newline at its end
};

const std::string durations = "; write e.g. 500ms, 30s, 10m, 1h30m";
const std::string sizes = "the units are K, M, G, T, P or KiB, MiB, ... (powers of 1024); write "
                          "e.g. 4096, 64K, 256MiB, 1.5G";
const std::string units = "the units are d, h, m, s, ms, us, ns";

void check(const Lab& lab, const std::vector<Case>& cases)
{
    for (const Case& one : cases) {
        const Ran ran = lab(one.words);
        INFO(ran);
        CHECK(ran.in_time);
        CHECK(ran.code == 125);
        CHECK(ran.out.empty());
        CHECK(ran.err == one.err + "\n");
    }
}

} // namespace

TEST_CASE("bad words before and after a verb")
{
    const Lab lab;
    check(lab,
          {
              {{"frobnicate"}, "bgt: there is no verb 'frobnicate' (bgt --help lists all)"},
              {{"kil"}, "bgt: there is no verb 'kil' (did you mean kill?)"},
              {{"--nope", "ps"}, "bgt: unknown option --nope before the verb (bgt --help)"},
              {{"--root"}, "bgt: --root needs a value: --root DIR"},
              {{"--root", "", "ps"}, "bgt ps: --root needs a folder"},
              {{"ps", "--nope"}, "bgt ps: unknown option --nope (did you mean --name?)"},
              {{"run", "--nope", "--", "true"},
               "bgt run: unknown option --nope (did you mean --name or --nice?)"},
              {{"run", "--timeout"}, "bgt run: --timeout needs a value: --timeout D"},
              {{"version", "x"}, "bgt version: takes no argument 'x'"},
              {{"completion", "tcsh"}, "bgt completion: which shell? bgt completion bash|zsh|fish"},
              {{"config", "nokey"}, "bgt config: there is no key 'nokey' (bgt config lists all)"},
              {{"config", "grac"}, "bgt config: there is no key 'grac' (did you mean grace?)"},
              {{"gc", "--keep", "x"}, "bgt gc: --keep: expected a number of tasks"},
              {{"ps", "--format", "{"},
               "bgt ps: a { without its } in --format ({{ is a plain brace)"},
              {{"ps", "--watch"}, "bgt ps: --watch needs a terminal on stdout"},
              {{"ps", "--state", "bogus"},
               "bgt ps: unknown state 'bogus'; there are: queued, starting, running, paused, "
               "stopping, backing-off, ended, failed, lost"},
          });
    const Ran usage = lab({});
    CHECK(usage.code == 125);
    CHECK(usage.out.empty());
    CHECK(usage.err.starts_with("Usage: bgt "));
    CHECK(lab.listing().empty()); // nobody made a state root
}

TEST_CASE("bad values of run")
{
    const Lab lab;
    write_file(lab.work() + "/plain", "x");
    write_file(lab.work() + "/envfile", "A=1\n2bad line\n");
    const auto run = [](const Words& options) {
        Words words{"run"};
        words.insert(words.end(), options.begin(), options.end());
        words.insert(words.end(), {"--", "true"});
        return words;
    };
    check(
        lab,
        {
            {{"run"}, "bgt run: no command given: bgt run [options] [--] COMMAND [ARG...]"},
            {{"run", "--"}, "bgt run: no command given: bgt run [options] [--] COMMAND [ARG...]"},
            {run({"--timeout", "5x"}), "bgt run: --timeout: bad duration 5x: " + units + durations},
            {run({"--timeout", ""}),
             "bgt run: --timeout: bad duration '': it is empty" + durations},
            {run({"--grace", "-1"}),
             "bgt run: --grace: bad duration -1: it is negative" + durations},
            {run({"--log-max", "5Q"}), "bgt run: --log-max: bad size 5Q: " + sizes},
            {run({"--log-max", "0"}), "bgt run: --log-max: 0 would keep nothing (off: no limit)"},
            {run({"--memory-max", "much"}), "bgt run: --memory-max: bad size much: it needs a "
                                            "number; write e.g. 4096, 64K, 256MiB, 1.5G"},
            {run({"--limit", "bogus=1"}), "bgt run: --limit knows as, core, cpu, data, fsize, "
                                          "memlock, nofile, nproc, stack, not 'bogus'"},
            {run({"--limit", "nofile=x"}), "bgt run: --limit nofile: 'x' is not a number"},
            {run({"--nice", "99"}), "bgt run: --nice: '99' is not a number from -20 to 19"},
            {run({"--owner", "0"}), "bgt run: --owner: '0' is not a number from 1 to 2147483647"},
            {run({"--owner", "999999999"}),
             "bgt run: --owner: there is no running process 999999999"},
            {run({"--cwd", "/no/such"}), "bgt run: --cwd /no/such: No such file or directory"},
            {run({"--cwd", "plain"}), "bgt run: --cwd " + lab.work() + "/plain: not a folder"},
            {run({"--env", "=x"}), "bgt run: --env =x: expected K=V"},
            {run({"--env-file", "/no/such"}),
             "bgt run: --env-file /no/such: No such file or directory"},
            {run({"--env-file", "envfile"}),
             "bgt run: envfile:2: expected NAME=VALUE, found '2bad line'"},
            {run({"--leftover", "bogus"}),
             "bgt run: --leftover knows kill, wait, keep, not 'bogus'"},
            {run({"--stop-signals", "FOO:1s"}),
             "bgt run: --stop-signals: unknown signal FOO: write e.g. TERM, SIGINT, 15 (`kill -l` "
             "lists them)"},
            {run({"--stdin", "/no/such"}), "bgt run: --stdin /no/such: No such file or directory"},
            {run({"--tag", "x"}), "bgt run: --tag x: expected K=V"},
            {run({"--if-absent"}), "bgt run: --if-absent needs --name NAME"},
            {run({"--if-absent", "--replace", "--name", "x"}),
             "bgt run: --if-absent and --replace exclude each other"},
        });
    CHECK(lab.listing().empty());
}

TEST_CASE("bad names")
{
    const Lab lab;
    const std::string letters =
        "holds a character that a name can't: use letters, digits, '.', '_' and '-'";
    const std::string at_run = "bgt run: --name: the name ";
    check(lab, {
                   {{"run", "--name", "a/b", "--", "true"}, at_run + "\"a/b\" " + letters},
                   {{"run", "--name", "..", "--", "true"},
                    at_run + "\"..\" must begin with a letter or '_'"},
                   {{"run", "--name", "a\nb", "--", "true"}, at_run + "\"a b\" " + letters},
                   {{"run", "--name", "7", "--", "true"},
                    at_run + "\"7\" must begin with a letter or '_'"},
                   {{"run", "--name", "", "--", "true"},
                    at_run + "is empty: a name has 1 to 64 of letters, digits, '.', '_' and '-'"},
                   {{"run", "--name", std::string(10000, 'a'), "--", "true"},
                    at_run + "\"" + std::string(64, 'a') +
                        "...\" is too long (10000 bytes): a name has at most 64 characters"},
                   {{"show", "7"}, "bgt show: no such task 7 (bgt ps -a lists all)"},
                   {{"show", "foo"}, "bgt show: no task named foo (bgt ps -a lists all)"},
                   {{"show", "../../etc"},
                    "bgt show: '../../etc' is neither an id nor a name of a task"},
                   {{"show", ""}, "bgt show: '' is neither an id nor a name of a task"},
                   {{"show", "-"}, "bgt show: there is no task yet"},
                   {{"show", "99999999999999999999"},
                    "bgt show: '99999999999999999999' is neither an id nor a name of a task"},
               });
    CHECK(lab.listing().empty());
}

TEST_CASE("bad values of the verbs that look at tasks")
{
    const Lab lab;
    const std::string id = lab.start({"--", "true"});
    check(
        lab,
        {
            {{"wait", "--for", "log:(", id},
             "bgt wait: --for: bad regular expression \"(\": missing ): ("},
            {{"wait", "--for", "bogus", id},
             "bgt wait: --for: unknown condition \"bogus\"; there are exit, exit=0, ready, "
             "log:REGEX, log-fail:REGEX, "
             "port, port:N, tcp:HOST:N, http:URL[=STATUS], https:URL[=STATUS], unix:PATH, "
             "file:PATH, cmd:COMMAND, "
             "gone:CONDITION, progress=N, "
             "quiet:D, mem>SIZE, cpu<PERCENT:D, stalled, waiting-input"},
            {{"wait", "--for", "port:99999", id},
             "bgt wait: --for: a port is a number from 1 to 65535, not \"99999\""},
            {{"wait", "--for", "http:ftp://x", id},
             "bgt wait: --for: bad URL 'ftp://x': only http:// and https:// are known"},
            {{"wait", "--timeout", "5x", id},
             "bgt wait: --timeout: bad duration 5x: " + units + durations},
            {{"logs", "--grep", "[", id},
             "bgt logs: --grep: bad regular expression \"[\": missing ]: ["},
            {{"logs", "--cursor", "-5", id},
             "bgt logs: --cursor needs a whole number of 0 or more, not \"-5\""},
            {{"logs", "-n", "x", id},
             "bgt logs: --lines needs a whole number of 0 or more, not \"x\""},
            {{"kill", "--grace", "x", id},
             "bgt kill: --grace: bad duration x: it needs a number and a unit" + durations},
            {{"kill"},
             "bgt kill: which task? give an id, a name, - (the newest), --all, --name or --tag"},
            {{"signal"}, "bgt signal: which signal? bgt signal SIGNAL TASK..."},
            {{"signal", "FOO", id},
             "bgt signal: unknown signal FOO: write e.g. TERM, SIGINT, 15 (`kill -l` lists them)"},
            {{"send"}, "bgt send: which task? bgt send TASK [TEXT...]"},
        });
    CHECK(lab.wait(id) == 0);
}

TEST_CASE("a bad configuration")
{
    Lab lab;
    SECTION("in the nearest bgt.toml")
    {
        write_file(lab.work() + "/bgt.toml", "grace = \"1s\"\ngrase = \"2s\"\n");
        const Ran ran = lab({"run", "--", "true"});
        INFO(ran);
        CHECK(ran.code == 125);
        CHECK(ran.err.find(lab.work() + "/bgt.toml:2:1: ") != std::string::npos);
        CHECK(ran.err.find("grase") != std::string::npos);
        CHECK(std::count(ran.err.begin(), ran.err.end(), '\n') == 1);
    }
    SECTION("in the environment")
    {
        lab.set_env("BGT_GRACE=soon");
        const Ran ran = lab({"run", "--", "true"});
        INFO(ran);
        CHECK(ran.code == 125);
        CHECK(ran.err.find("BGT_GRACE") != std::string::npos);
    }
    CHECK(lab.listing().empty());
}

TEST_CASE("an argument list that the kernel refuses")
{
    const Lab lab;
    // Each of them fits; with what bgt adds to the environment the whole does not.
    Words words{"run", "--", "true"};
    for (int i = 0; i < 18; ++i) words.push_back(std::string(110000, 'x'));
    Invocation what = lab.bgt(words);
    for (int i = 0; i < 1; ++i) what.env.push_back("PAD=" + std::string(110000, 'y'));
    // Up to the very limit, one more kilobyte a time.
    bool refused = false;
    for (int more = 0; more < 60 && !refused; ++more) {
        what.argv.push_back(std::string(4000, 'z'));
        const Ran ran = run(what);
        if (ran.code == 201) break; // not even bgt itself could be started
        if (ran.code == 0) continue;
        INFO(ran.err);
        refused = true;
        CHECK((ran.code == 125 || ran.code == 126));
        CHECK(ran.err.find("Argument list too long") != std::string::npos);
        CHECK(ran.out.empty());
    }
    for (const std::string& name : lab.listing()) CHECK(name.find("names/") == std::string::npos);
}
