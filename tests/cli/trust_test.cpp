// A bgt.toml before and after `bgt trust`, and what is said about it.
#include "support/catch.hpp"
#include "support/lab.hpp"

#include <filesystem>

using namespace bgt::test;
namespace fs = std::filesystem;

namespace {

void put(const Lab& lab, const std::string& text)
{
    write_file(lab.work() + "/bgt.toml", text);
}

std::size_t lines(const std::string& text)
{
    return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

bool has(const std::string& text, const std::string& part)
{
    return text.find(part) != std::string::npos;
}

} // namespace

TEST_CASE("each key of a rule that runs, redirects or removes is ignored until the file is trusted")
{
    const Lab lab;
    const auto [key, value] = GENERATE(table<std::string, std::string>({
        {"name", "\"web\""},
        {"cwd", "\"/\""},
        {"env", "\"A=1\""},
        {"env_file", "\"absent\""},
        {"clear_env", "true"},
        {"stdin", "\"absent\""},
        {"on_hang", "\"exec:x\""},
        {"on-hang", "\"restart\""},
        {"ready_http", "\":1/\""},
        {"ready_cmd", "\"true\""},
        {"ready_file", "\"x\""},
        {"retries", "3"},
        {"restart", "\"always\""},
        {"rm", "true"},
        {"on_end", "\"x\""},
        {"on_fail", "\"x\""},
        {"notify", "\"bell\""},
    }));
    put(lab, "[[rule]]\nmatch = \"true\"\nidle_timeout = \"1h\"\n" + key + " = " + value + "\n");
    std::string option = key;
    std::replace(option.begin(), option.end(), '_', '-');
    const Words words{"run", "--explain", "--", "true"};
    const Ran before = lab(words);
    INFO(before);
    CHECK(before.code == 0);
    CHECK(before.err == "bgt run: " + lab.work() +
                            "/bgt.toml is not trusted, so this is ignored: " + option +
                            " (read the file, then: bgt trust " + lab.work() + ")\n");
    CHECK(has(before.out,
              "ignored: " + lab.work() + "/bgt.toml:4 is in a file that is not trusted\n"));
    CHECK(has(before.out, "idle-timeout      1h"));
    CHECK(lab({"trust"}).code == 0);
    const Ran after = lab(words);
    INFO(after);
    CHECK(after.err.empty());
    CHECK(has(after.out, "rule at " + lab.work() + "/bgt.toml:4\n"));
}

TEST_CASE("what only describes needs no trust")
{
    const Lab lab;
    put(lab, "grace = 1\nstop_signals = \"INT\"\nleftover = \"wait\"\ntimeout = \"1h\"\nlog_max = "
             "\"1MiB\"\n"
             "[[rule]]\nmatch = \"\"\nkind = \"job\"\ntag = \"a=b\"\ntimeout = 60\noutput_timeout "
             "= 60\nprogress_timeout = 60\n"
             "idle_timeout = 60\nready_log = \"x\"\nready_port = \"any\"\nready_notify = "
             "true\nready_timeout = 60\nquiet_after = 60\n"
             "stalled_after = 60\non_hang = \"report\"\ndump = \"none\"\nprogress_pattern = "
             "'(\\d+)%'\ngrace = 1\nstop_signals = \"INT\"\n"
             "leftover = \"kill\"\nlog_max = \"1MiB\"\nsplit = true\nnice = 1\nmemory_max = "
             "\"1GiB\"\nlimit = \"nofile=99\"\n");
    const Ran ran = lab({"run", "--wait", "-c", "ulimit -n"});
    CHECK(ran.out == "99\n");
    CHECK(ran.err.empty());
    CHECK_FALSE(fs::exists(lab.folder() + "/home/.local")); // nobody asked
}

TEST_CASE("the line is one line, on stderr, and only where something is ignored")
{
    Lab lab;
    put(lab, "root = \"state\"\nkeep_ended = 0\n[[rule]]\nmatch = \"^echo\"\nenv = \"A=1\"\nrm = "
             "true\n");
    lab.set_env("BGT_ROOT=");
    lab.set_env("XDG_STATE_HOME=" + lab.folder());
    const auto head = lab.work() + "/bgt.toml is not trusted, so this is ignored: ";
    const auto tail = " (read the file, then: bgt trust " + lab.work() + ")";
    const auto own = "; keep_ended never applies in a bgt.toml, only in your own settings\n";
    CHECK(lab({"run", "--wait", "--", "echo"}).err ==
          "bgt run: " + head + "root, env, rm" + tail + own);
    CHECK(lab({"run", "--wait", "--", "true"}).err == "bgt run: " + head + "root" + tail + own);
    const Ran json = lab({"run", "--json", "--wait", "--", "true"});
    CHECK(lines(json.err) == 1);
    CHECK(boost::json::parse(json.out).is_object());
    CHECK(lab({"gc"}).err == "bgt gc: " + head + "root" + tail + own);
    CHECK(lab({"ps", "-a"}).err == "bgt ps: " + head + "root" + tail + "\n");
    CHECK(lab({"version"}).err.empty());
    CHECK(lab({"--root", lab.folder() + "/r", "ps"})
              .err.empty()); // where the file's root plays no part
    // Whoever trusts the file was told once; only who removes is told again.
    const Ran trust = lab({"trust"});
    CHECK(trust.err.empty());
    CHECK(trust.out ==
          lab.work() +
              "/bgt.toml is trusted until it changes. These keys need trust:\n"
              "  line 1: root = state\n"
              "  line 2: keep_ended = 0 (never applies in a bgt.toml, only in your own settings)\n"
              "  line 5: for commands that match '^echo': env = A=1\n"
              "  line 6: for commands that match '^echo': rm = true\n");
    CHECK(lab({"run", "--wait", "--", "true"}).err.empty());
    CHECK(fs::exists(lab.work() + "/state/tasks/1"));
    CHECK(lab({"gc"}).err == "bgt gc: " + lab.work() +
                                 "/bgt.toml is read, but keep_ended never applies in a bgt.toml, "
                                 "only in your own settings\n");
}

TEST_CASE("bgt trust shows a newline as it would be written")
{
    const Lab lab;
    put(lab, "[[rule]]\nmatch = \"x\"\nready_cmd = \"\"\"# harmless\n\tevil\"\"\"\n");
    const Ran trust = lab({"trust"});
    INFO(trust);
    CHECK(has(trust.out, "ready_cmd = # harmless\\n\\tevil\n"));
}

TEST_CASE("rules of a file that is not trusted take no place of the user's own")
{
    Lab lab;
    fs::create_directories(lab.folder() + "/xdg/bgt");
    lab.set_env("XDG_CONFIG_HOME=" + lab.folder() + "/xdg");
    write_file(lab.folder() + "/xdg/bgt/config.toml",
               "[[rule]]\nmatch = \"\"\nenv = \"WHO=user\"\ntimeout = \"5m\"\n");
    put(lab, "[[rule]]\nmatch = \"\"\nenv = \"WHO=clone\"\ntimeout = \"1ms\"\ngrace = \"7s\"\n");
    const Words words{"run", "--wait", "-c", "echo $WHO $BGT_GRACE"};
    const Ran ran = lab(words);
    CHECK(ran.out == "user 7s\n");
    CHECK(ran.err.empty()); // its env was not wanted
    CHECK(has(lab({"run", "--explain", "--", "true"}).out, "timeout           5m"));
    put(lab, "[[rule]]\nmatch = \"\"\nenv = \"WHO=clone\"\n");
    CHECK(lab({"trust"}).code == 0);
    CHECK(lab(words).out == "clone 5s\n");
}

TEST_CASE("what a rule changed is said on a terminal, without values")
{
    const Lab lab;
    put(lab, "[[rule]]\nmatch = \"\"\ntimeout = \"1h\"\nenv = \"SECRET=x\"\n");
    CHECK(lab({"trust"}).code == 0);
    const auto bgt = lab.bgt({"run", "--", "true"});
    std::string words;
    for (const auto& word : bgt.argv) words += word + " ";
    const Ran ran = run(lab.program({"script", "-qec", words + ">/dev/null", "/dev/null"}));
    INFO(ran);
    CHECK(ran.out ==
          "bgt run: a rule of " + lab.work() + "/bgt.toml sets env (line 4), timeout (line 3)\r\n");
    CHECK(lab({"run", "--", "true"}).err.empty());
}

TEST_CASE("config shows what is ignored, and why")
{
    Lab lab;
    put(lab,
        "root = \"state\"\nkeep_age = \"1d\"\n[[rule]]\nmatch = \"x\"\ngrace = 1\nenv = \"A=1\"\n");
    lab.set_env("BGT_ROOT=");
    lab.set_env("XDG_STATE_HOME=" + lab.folder());
    const auto file = lab.work() + "/bgt.toml";
    const Ran ran = lab({"config"});
    INFO(ran);
    CHECK(lines(ran.err) == 1);
    CHECK(
        has(ran.out, "built-in  (" + file + ":1 says state; ignored: the file is not trusted)\n"));
    CHECK(has(ran.out, "built-in  (" + file +
                           ":2 says 1d; ignored: it applies in your own settings only)\n"));
    CHECK(has(ran.out, file + ":3  x  (ignored, as not trusted: env)\n"));
    const auto json = lab.ask({"config"});
    CHECK(at(json, "/settings/0/ignored") == boost::json::value{{"value", "state"},
                                                                {"where", file + ":1"},
                                                                {"reason", "not-trusted"}});
    CHECK(at(json, "/settings/14/ignored/reason") == "own-settings-only");
    CHECK(at(json, "/settings/1/ignored").is_null());
    CHECK(at(json, "/rules/0/ignored") == boost::json::value{"env"});
    const Ran one = lab({"config", "root"});
    CHECK(one.out == lab.folder() + "/bgt\n");
    CHECK(lines(one.err) == 1);
    CHECK(lab({"trust"}).code == 0);
    CHECK(lab({"config", "root"}).out == lab.work() + "/state\n");
    CHECK(at(lab.ask({"config"}), "/rules/0/ignored").as_array().empty());
}

TEST_CASE("trust: list, revoke, JSON and mistakes")
{
    const Lab lab;
    CHECK(lab({"trust", "--list"}).out.empty());
    CHECK(has(lab({"trust"}).err, "there is no readable bgt.toml in this folder or above it"));
    CHECK(lab({"trust"}).code == 125);
    fs::create_directories(lab.work() + "/a/b");
    write_file(lab.work() + "/a/bgt.toml", "grace = 1\n");
    CHECK(lab({"trust", "a"}).out ==
          lab.work() + "/a/bgt.toml is trusted until it changes. No key in it needs trust.\n");
    CHECK(lab({"trust", "--list"}).out == "trusted     " + lab.work() + "/a/bgt.toml\n");
    CHECK(has(lab({"trust", "a/b"}).err,
              "there is no bgt.toml in " + lab.work() + "/a/b\n")); // this one or none
    CHECK(has(lab({"trust", "absent"}).err, "absent: No such file"));
    CHECK(has(lab({"trust", "a", "b"}).err, "one folder"));
    CHECK(has(lab({"trust", "--list", "a"}).err, "--list takes no DIR"));
    CHECK(has(lab({"trust", "--list", "--revoke"}).err, "--list takes no DIR"));
    write_file(lab.work() + "/a/bgt.toml", "grace = 2\n");
    CHECK(at(lab.ask({"trust", "--list"}), "/trust/0/state") == "changed");
    fs::rename(lab.work() + "/a", lab.work() + "/moved");
    CHECK(lab({"trust", "--list"}).out == "missing     " + lab.work() + "/a/bgt.toml\n");
    CHECK(lab({"trust", "--revoke", lab.work() + "/a/"}).out ==
          lab.work() + "/a/bgt.toml is no longer trusted\n");
    CHECK(lab({"trust", "--revoke", lab.work() + "/a"}).code == 125);
    CHECK(lab({"trust", "--list"}).out.empty());
    put(lab, "[[rule]]\nmatch = \"(\"\n");
    CHECK(has(lab({"trust"}).err, "bgt.toml:2:9: match: bad regular expression"));
    put(lab, "[[rule]]\nmatch = \"x\"\nenv = [\"A=1\", \"B=c d\"]\n");
    const auto json = lab.ask({"trust"});
    CHECK(at(json, "/trust/0/state") == "trusted");
    CHECK(at(json, "/trust/0/uses") == boost::json::value{{{"key", "env"},
                                                           {"value", "'A=1' 'B=c d'"},
                                                           {"where", lab.work() + "/bgt.toml:3"},
                                                           {"match", "x"},
                                                           {"table", nullptr},
                                                           {"counts", true}}});
    CHECK(at(lab.ask({"trust", "--revoke"}), "/trust/0/state") == "revoked");
}

TEST_CASE("trust says what it allows: alerts and schedules, too")
{
    const Lab lab;
    put(lab, "[[alert]]\nwhen = \"wait > 1m\"\nrun = \"rm -r x\"\n"
             "[[alert]]\nwhen = \"active > 3\"\n"
             "[schedule.night]\ncron = \"0 2 * * *\"\ncommand = [\"./backup\", \"a b\"]\n");
    const Ran trusted = lab({"trust"});
    INFO(trusted);
    CHECK(has(trusted.out, " These keys need trust:\n"
                           "  line 1: alert wait > 1m: run = rm -r x\n"
                           "  line 4: alert = active > 3\n"
                           "  line 7: schedule night: cron = 0 2 * * *\n"
                           "  line 8: schedule night: command = ./backup 'a b'\n"));
    CHECK(at(lab.ask({"trust"}), "/trust/0/uses/3/table") == "schedule night");
}
