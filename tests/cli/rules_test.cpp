// Rules of bgt.toml, the built-in list, and what `bgt run --explain` says of them; mistakes in the
// options of hangs, readiness and further attempts.
#include "support/catch.hpp"
#include "support/lab.hpp"

using namespace bgt::test;

namespace {

/// `--explain` of these words: the lines, each with its blanks drawn together, without those of
/// settings that no test is about.
std::string explained(const Lab& lab, const Words& words)
{
    Words all{"run", "--explain"};
    all.insert(all.end(), words.begin(), words.end());
    const Ran ran = lab(all);
    INFO(ran);
    CHECK(ran.code == 0);
    CHECK(ran.err.empty());
    CHECK(lab.listing().empty()); // nothing was started
    std::string out;
    for (const char c : ran.out)
        if (c != ' ' || (!out.empty() && out.back() != ' ')) out += c;
    return out;
}

/// The line of one option, without its name.
std::string line(const std::string& text, const std::string& option)
{
    const auto from = ("\n" + text).find("\n" + option + " ");
    if (from == std::string::npos) return "";
    const auto begin = from + option.size() + 1;
    return text.substr(begin, text.find('\n', begin) - begin);
}

/// A trusted bgt.toml, if it holds no mistake.
void rules(const Lab& lab, const std::string& text)
{
    write_file(lab.work() + "/bgt.toml", text);
    (void)lab({"trust"});
}

std::string error(const Lab& lab, const Words& options)
{
    Words words{"run"};
    words.insert(words.end(), options.begin(), options.end());
    words.insert(words.end(), {"--", "true"});
    const Ran ran = lab(words);
    INFO(ran);
    CHECK(ran.code == 125);
    CHECK(ran.out.empty());
    CHECK(lab.listing().empty());
    return ran.err;
}

} // namespace

TEST_CASE("--explain without anything set")
{
    const Lab lab;
    const Ran ran = lab({"run", "--explain", "--", "make", "-j8", "all tests"});
    CHECK(ran.code == 0);
    CHECK(ran.out == "command           make -j8 'all tests'\n"
                     "rule              none applies\n"
                     "kind              job     default\n"
                     "timeout           off     default\n"
                     "cpu-limit         off     default\n"
                     "output-timeout    off     default\n"
                     "progress-timeout  off     default\n"
                     "idle-timeout      off     default\n"
                     "quiet-after       1m      default\n"
                     "stalled-after     5m      default\n"
                     "restart           no      default\n"
                     "grace             5s      default\n"
                     "stop-signals      TERM    default\n"
                     "kill-mode         tree    default\n"
                     "leftover          kill    default\n"
                     "log-max           256MiB  default\n");
    CHECK(lab.listing().empty());
}

TEST_CASE("a flag goes before a variable, that before a rule, that before the rest of the files")
{
    Lab lab;
    rules(lab,
          "grace = \"1s\"\ntimeout = \"1h\"\nleftover = \"wait\"\n\n[[rule]]\nmatch = \"^sleep\"\n"
          "grace = \"2s\"\ntimeout = \"2h\"\noutput_timeout = \"2m\"\n");
    lab.set_env("BGT_GRACE=3s");
    const auto file = lab.work() + "/bgt.toml:";
    const auto text = explained(lab, {"--output-timeout", "4m", "--", "sleep", "9"});
    CHECK(line(text, "rule") == file + "5, by its match '^sleep'");
    CHECK(line(text, "output-timeout") == "4m --output-timeout");
    CHECK(line(text, "grace") == "3s BGT_GRACE");
    CHECK(line(text, "timeout") == "2h rule at " + file + "8");
    CHECK(line(text, "leftover") == "wait " + file + "3");
    CHECK(line(text, "idle-timeout") == "off default");
    const auto other = explained(lab, {"--", "make", "sleep"});
    CHECK(line(other, "rule") == "none applies");
    CHECK(line(other, "timeout") == "1h " + file + "2");
}

TEST_CASE("the first rule that matches counts, the project's before the user's")
{
    Lab lab;
    std::filesystem::create_directories(lab.folder() + "/xdg/bgt");
    lab.set_env("XDG_CONFIG_HOME=" + lab.folder() + "/xdg");
    write_file(lab.folder() + "/xdg/bgt/config.toml",
               "[[rule]]\nmatch = \"\"\ntag = \"from=user\"\nretries = 1\n");
    rules(lab, "[[rule]]\nmatch = \"make a\"\ntag = \"from=first\"\n[[rule]]\nmatch = "
               "\"make\"\ntag = \"from=second\"\nnice = 1\n");
    CHECK(line(explained(lab, {"--", "make", "a"}), "tag").starts_with("'from=first'"));
    CHECK(line(explained(lab, {"--", "make", "a"}), "nice").empty()); // rules are not mixed
    CHECK(line(explained(lab, {"--", "make", "b"}), "tag").starts_with("'from=second'"));
    CHECK(line(explained(lab, {"--", "true"}), "retries") ==
          "1 rule at " + lab.folder() + "/xdg/bgt/config.toml:4");
}

TEST_CASE("what is matched is the command line with its quotes, or the text for the shell")
{
    const Lab lab;
    rules(lab, "[[rule]]\nmatch = \"^echo 'a b'$\"\nsplit = true\n[[rule]]\nmatch = '^a \"\\$x\" "
               "&& b$'\nrm = true\n");
    CHECK(line(explained(lab, {"--", "echo", "a b"}), "split").starts_with("yes rule at "));
    CHECK(line(explained(lab, {"-c", "a \"$x\" && b"}), "rm").starts_with("yes rule at "));
    CHECK(line(explained(lab, {"--", "echo", "a", "b"}), "rule") == "none applies");
}

TEST_CASE("a rule fills in what nobody said")
{
    const Lab lab;
    std::filesystem::create_directory(lab.work() + "/sub");
    rules(lab, "[[rule]]\nmatch = \"BGT_RULED\"\nname = \"web\"\ntag = [\"a=1\", \"b=2\"]\ntimeout "
               "= 90\ncwd = \"sub\"\nrm = false\n"
               "env = \"X=1\"\nstop-signals = \"INT:1s\"\non_hang = \"exec:echo x\"\nidle_timeout "
               "= \"1h\"\nretries = 2\nretry_on = 7\n"
               "log_max = \"1MiB\"\nlimit = [\"nofile=99\"]\nclear_env = true\n");
    const std::string id = lab.start({"--name", "mine", "-c", "echo $X BGT_RULED; ulimit -n; pwd"});
    lab.wait(id);
    CHECK(lab.log(id) == "1 BGT_RULED\n99\n" + lab.work() + "/sub\n");
    const auto task = lab.show("mine");
    CHECK(text_at(task, "/tags") == R"({"a":"1","b":"2"})");
    const auto spec = boost::json::parse(read_file(lab.task_folder(id) + "/spec.json"));
    CHECK(at(spec, "/log_max") == 1 << 20);
}

TEST_CASE("the kind: flags, then the rule, then the built-in list")
{
    const Lab lab;
    rules(lab, "[[rule]]\nmatch = \"^vite\"\nkind = \"job\"\n[[rule]]\nmatch = \"^make "
               "serve\"\nservice = true\n"
               "[[rule]]\nmatch = \"^ready\"\nready_log = \"up\"\n[[rule]]\nmatch = \"^npm "
               "run\"\ngrace = \"9s\"\n");
    const auto file = lab.work() + "/bgt.toml:";
    const auto kind = [&](const Words& words) { return line(explained(lab, words), "kind"); };
    CHECK(kind({"--", "vite"}) == "job rule at " + file + "3");
    CHECK(kind({"--service", "--", "vite"}) == "service --service");
    CHECK(kind({"--ready-port", "any", "--", "vite"}) == "service --ready-port");
    CHECK(kind({"--job", "--ready-port", "any", "--", "vite"}) == "job --job");
    CHECK(kind({"--", "make", "serve"}) == "service rule at " + file + "6");
    CHECK(kind({"--job", "--", "make", "serve"}) == "job --job");
    CHECK(kind({"--", "ready"}) == "service rule at " + file + "9");
    CHECK(kind({"--", "npx", "vite"}) == "service built-in rule \"vite\"");
    CHECK(kind({"--job", "--", "npx", "vite"}) == "job --job");
    CHECK(kind({"--", "npx", "vite", "build"}) == "job default");
    const auto both = explained(lab, {"--", "npm", "run", "dev"});
    CHECK(line(both, "kind") == "service built-in rule \"package script\"");
    CHECK(line(both, "grace") == "9s rule at " + file + "12");
    CHECK(line(both, "quiet-after").empty()); // a service may be quiet
}

TEST_CASE("a flag takes the place of what excludes it in a rule")
{
    const Lab lab;
    rules(
        lab,
        "[[rule]]\nmatch = \"\"\nrestart = \"always\"\nmax_restarts = \"5/10m\"\nservice = true\n");
    CHECK(line(explained(lab, {"--", "true"}), "max-restarts").starts_with("5/10m rule"));
    const auto text = explained(lab, {"--retries", "3", "--job", "--", "true"});
    CHECK(line(text, "retries") == "3 --retries");
    CHECK(line(text, "restart") == "no default");
    CHECK(line(text, "kind") == "job --job");
}

TEST_CASE("--explain as JSON")
{
    const Lab lab;
    rules(lab, "[[rule]]\nmatch = \"x\"\ntimeout = 60\n");
    const Ran ran = lab({"run", "--explain", "--json", "--grace", "1s", "--", "tail", "-f", "x"});
    const auto answer = boost::json::parse(ran.out);
    CHECK(at(answer, "/schema") == 1);
    CHECK(at(answer, "/explain/command_line") == "tail -f x");
    CHECK(at(answer, "/explain/kind") == "service");
    CHECK(at(answer, "/explain/rule") ==
          boost::json::value{{"where", lab.work() + "/bgt.toml:1"}, {"match", "x"}});
    CHECK(at(answer, "/explain/known_service/name") == "tail -f");
    std::string all;
    for (const auto& row : at(answer, "/explain/options").as_array())
        all += boost::json::serialize(row) + "\n";
    CHECK(all.find(R"({"option":"timeout","value":"1m","origin":"rule","where":")" + lab.work() +
                   "/bgt.toml:3\"}") != std::string::npos);
    CHECK(all.find(R"({"option":"grace","value":"1s","origin":"flag","where":"--grace"})") !=
          std::string::npos);
    CHECK(all.find(R"({"option":"idle-timeout","value":"off","origin":"built-in","where":null})") !=
          std::string::npos);
}

TEST_CASE("a mistake in any rule is told with its place, and only where tasks are started")
{
    const Lab lab;
    const auto [text, message] = GENERATE(table<std::string, std::string>({
        {"outputtimeout = 5",
         "3:1: unknown key outputtimeout in a rule; did you mean `output_timeout`?"},
        {"zzzzzzzz = 5",
         "3:1: unknown key zzzzzzzz in a rule; it takes `match` and the options of `bgt run`"},
        {"timeout = \"soon\"", "3:11: timeout: bad duration soon: "},
        {"timeout = true", "3:11: timeout must be a string"},
        {"timeout = [\"1s\"]", "3:11: timeout must be a string"},
        {"split = \"yes\"", "3:9: split must be true or false"},
        {"name = 5", "3:8: name must be a string"},
        {"tag = 5", "3:7: tag must be a string or an array of strings"},
        {"tag = \"x\"", "3:7: --tag x: expected K=V"},
        {"env = \"A\\u0000=1\"", "3:7: env: a NUL can't be passed on"},
        {"kind = \"demon\"", "3:8: kind is \"service\" or \"job\""},
        {"leftover = \"eat\"", "3:12: leftover: it is one of kill, wait, keep, not 'eat'"},
        {"restart = \"maybe\"",
         "3:11: restart: it is one of no, on-failure, on-hang, always, not 'maybe'"},
        {"ready_log = \"(\"", "3:13: ready_log: bad regular expression"},
        {"ready_port = 70000", "3:14: ready_port"},
        {"wait = true", "3:1: --wait is for the command line only, not for a rule"},
        {"shell = \"x\"", "3:1: --shell is for the command line only, not for a rule"},
        {"ready_timeout = 5", "1: --ready-timeout needs a condition: "},
        {"service = true\njob = true", "1: --service and --job exclude each other"},
        {"[[rule]]\nmatch = \"a)\"", "4:9: match: bad regular expression"},
    }));
    rules(lab, "[[rule]]\nmatch = \"never this\"\n" + text + "\n");
    INFO(text);
    const auto said = error(lab, {});
    INFO(said);
    const auto where = text.find("ready_port") == 0
                           ? lab.work() + "/bgt.toml:"
                           : "bgt run: " + lab.work() + "/bgt.toml:" + message;
    CHECK(said.find(where) != std::string::npos);
    CHECK(std::count(said.begin(), said.end(), '\n') == 1);
    CHECK(lab({"ps"}).code == 0);
    const Ran config = lab({"config"});
    CHECK(config.code == 125);
    CHECK(config.err == "bgt config" + said.substr(7));
}

TEST_CASE("bgt config shows the rules")
{
    const Lab lab;
    rules(lab, "grace = 1\n[[rule]]\nmatch = \"^npm\"\ntimeout = 5\nservice = true\n");
    const auto file = lab.work() + "/bgt.toml:2";
    const Ran ran = lab({"config"});
    CHECK(ran.out.ends_with("\n\nRULE" + std::string(file.size() - 2, ' ') + "MATCH\n" + file +
                            "  ^npm\n"));
    CHECK(at(lab.ask({"config"}), "/rules") ==
          boost::json::value{{{"match", "^npm"},
                              {"origin", "project-file"},
                              {"where", file},
                              {"options", {"service", "timeout"}},
                              {"ignored", boost::json::array{}}}});
    CHECK(lab({"config", "grace"}).out == "1s\n");
}

TEST_CASE("bad values and contradictions of hangs, readiness and further attempts")
{
    const Lab lab;
    const auto [options, message] = GENERATE(table<Words, std::string>({
        {{"--output-timeout", "x"}, "--output-timeout: bad duration x: "},
        {{"--idle-timeout", "0"}, "--idle-timeout: "},
        {{"--progress-timeout", "-1"}, "--progress-timeout: bad duration -1: it is negative"},
        {{"--quiet-after", "0"}, "--quiet-after: "},
        {{"--on-hang", "explode", "--idle-timeout", "1"},
         "--on-hang: it is one of kill, restart, report, exec:CMD, not 'explode'\n"},
        {{"--on-hang", "exec", "--idle-timeout", "1"},
         "--on-hang: it is one of kill, restart, report, exec:CMD, not 'exec'\n"},
        {{"--on-hang", "exec:", "--idle-timeout", "1"},
         "--on-hang: exec: needs a command after the colon\n"},
        {{"--on-hang", "report"},
         "--on-hang needs a limit: --output-timeout, --progress-timeout, --idle-timeout or "
         "--ready-timeout\n"},
        {{"--dump", "all"}, "--dump knows none, auto, not 'all'\n"},
        {{"--service", "--job"}, "--service and --job exclude each other\n"},
        {{"--service", "--quiet-after", "1"},
         "--quiet-after is for jobs: a service may be quiet (--idle-timeout is for both)\n"},
        {{"--service", "--stalled-after", "1"},
         "--stalled-after is for jobs: a service may be quiet (--idle-timeout is for both)\n"},
        {{"--ready-log", "("}, "--ready-log: bad regular expression \"(\""},
        {{"--ready-log", ""}, "--ready-log: "},
        {{"--ready-port", "0"}, "--ready-port: a port is a number from 1 to 65535, not \"0\"\n"},
        {{"--ready-port", "x"}, "--ready-port: a port is a number from 1 to 65535, not \"x\"\n"},
        {{"--ready-http", "ftp://localhost"}, "--ready-http: "},
        {{"--ready-cmd", ""}, "--ready-cmd: "},
        {{"--ready-file", ""}, "--ready-file: "},
        {{"--ready-timeout", "5"},
         "--ready-timeout needs a condition: --ready-log, --ready-port or another --ready-*\n"},
        {{"--wait-ready"},
         "--wait-ready needs a condition: --ready-log, --ready-port or another --ready-*\n"},
        {{"--wait-ready", "--wait", "--ready-notify"},
         "--wait and --wait-ready exclude each other\n"},
        {{"--progress-pattern", "["}, "--progress-pattern: bad regular expression \"[\""},
        {{"--progress-pattern", ""}, "--progress-pattern: it needs a regular expression\n"},
        {{"--retries", "-1"}, "--retries: '-1' is not a number from 0 to 1000000\n"},
        {{"--retries", "3", "--restart", "always"},
         "--retries and --restart always both start a failed command again: use one of them\n"},
        {{"--retries", "3", "--restart", "on-failure"},
         "--retries and --restart on-failure both start a failed command again: use one of them\n"},
        {{"--restart", "sometimes"},
         "--restart knows no, on-failure, on-hang, always, not 'sometimes'\n"},
        {{"--restart", "on-hang"},
         "--restart on-hang needs a limit: --output-timeout, --progress-timeout, --idle-timeout or "
         "--ready-timeout\n"},
        {{"--retry-on", "1"}, "--retry-on needs --retries N\n"},
        {{"--retry-on", "0", "--retries", "1"},
         "--retry-on: '0' is not a number from 1 to 255; write a list of exit codes, e.g. "
         "1,75,100-110\n"},
        {{"--retry-on", "1,", "--retries", "1"},
         "--retry-on: '' is not a number from 1 to 255; write a list of exit codes, e.g. "
         "1,75,100-110\n"},
        {{"--retry-on", "9-5", "--retries", "1"},
         "--retry-on: '5' is not a number from 9 to 255; write a list of exit codes, e.g. "
         "1,75,100-110\n"},
        {{"--backoff", "1s"}, "--backoff needs --retries, --restart or --on-hang restart\n"},
        {{"--backoff", "1m..1s", "--retries", "1"},
         "--backoff: '1m..1s' is not a range: the first pause is the shortest, e.g. 1s..1m\n"},
        {{"--backoff", "1s..", "--retries", "1"}, "--backoff: bad duration '': it is empty"},
        {{"--max-restarts", "5/10m"}, "--max-restarts needs --restart or --on-hang restart\n"},
        {{"--max-restarts", "5", "--restart", "always"},
         "--max-restarts: '5' is not N/PERIOD, e.g. 5/10m; off is no limit\n"},
        {{"--max-restarts", "0/10m", "--restart", "always"},
         "--max-restarts: '0' is not a number from 1 to 1000000\n"},
        {{"--max-restarts", "5/0", "--restart", "always"},
         "--max-restarts: the period must be longer than 0; write e.g. 5/10m\n"},
    }));
    const auto said = error(lab, options);
    INFO(said);
    CHECK(said.starts_with("bgt run: " + message));
    CHECK(std::count(said.begin(), said.end(), '\n') == 1);
}

TEST_CASE("good values are in force")
{
    const Lab lab;
    const auto text = explained(lab, {"--output-timeout",
                                      "90",
                                      "--progress-timeout",
                                      "off",
                                      "--idle-timeout",
                                      "1h30m",
                                      "--ready-timeout",
                                      "30s",
                                      "--on-hang",
                                      "exec:echo 'hi there'",
                                      "--ready-log",
                                      "a",
                                      "--ready-log",
                                      "b c",
                                      "--ready-port",
                                      "any",
                                      "--ready-port",
                                      "80",
                                      "--ready-http",
                                      ":80/x=204",
                                      "--ready-cmd",
                                      "true",
                                      "--ready-file",
                                      "x",
                                      "--ready-notify",
                                      "--wait-ready",
                                      "--dump",
                                      "none",
                                      "--progress-pattern",
                                      "(\\d+)%",
                                      "--retries",
                                      "3",
                                      "--retry-on",
                                      "1,75,100-110",
                                      "--backoff",
                                      "500ms..2m",
                                      "--job",
                                      "--quiet-after",
                                      "off",
                                      "--",
                                      "x"});
    CHECK(line(text, "output-timeout") == "1m30s --output-timeout");
    CHECK(line(text, "progress-timeout") == "off --progress-timeout");
    CHECK(line(text, "idle-timeout") == "1h30m --idle-timeout");
    CHECK(line(text, "ready-timeout") == "30s --ready-timeout");
    CHECK(line(text, "on-hang") == "exec:echo 'hi there' --on-hang");
    CHECK(line(text, "ready-log") == "a 'b c' --ready-log");
    CHECK(line(text, "ready-port") == "any 80 --ready-port");
    CHECK(line(text, "ready-notify") == "yes --ready-notify");
    CHECK(line(text, "retry-on") == "1,75,100-110 --retry-on");
    CHECK(line(text, "backoff") == "500ms..2m --backoff");
    CHECK(line(text, "quiet-after") == "off --quiet-after");
    CHECK(line(text, "stalled-after") == "5m default");
    CHECK(line(explained(lab, {"--restart", "always", "--max-restarts", "off", "--backoff", "3s",
                               "--", "x"}),
               "max-restarts") == "off --max-restarts");
    CHECK(line(explained(lab, {"--restart", "always", "--backoff", "3s", "--", "x"}), "backoff") ==
          "3s --backoff");
}

TEST_CASE("rules that would take long to compile are refused at once, with the rule and the bound")
{
    const Lab lab;
    std::string text = "[[rule]]\nmatch = 'sleep'\n";
    for (int i = 0; i < 300; ++i) text += "[[rule]]\nmatch = '(?i)\\pL{99}'\n";
    rules(lab, text);
    const auto before = std::chrono::steady_clock::now();
    const std::string said = error(lab, {});
    CHECK(std::chrono::steady_clock::now() - before < std::chrono::seconds(5)); // 30 s without
    CHECK(said.find("bgt.toml:3: ") != std::string::npos);
    CHECK(said.find("50000 instructions") != std::string::npos);
    rules(lab, "[[rule]]\nmatch = 'sleep'\nready_log = '(?i)\\pL{99}'\n");
    CHECK(error(lab, {}).find("50000 instructions") != std::string::npos);
    text.clear();
    for (int i = 0; i < 500; ++i) text += "[[rule]]\nmatch = '^(npm|yarn) run [a-z]+$'\n";
    rules(lab, text);
    CHECK(lab({"run", "--wait", "--", "true"}).code == 0);
}
