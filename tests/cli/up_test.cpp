// `bgt up` and `bgt down`: the processes that a bgt.toml or a Procfile describes.
#include "support/catch.hpp"
#include "support/eventually.hpp"
#include "support/lab.hpp"

#include <filesystem>
#include <memory>

using namespace bgt::test;
namespace fs = std::filesystem;

namespace {

bool has(const std::string& text, const std::string& part)
{
    return text.find(part) != std::string::npos;
}

void put(const Lab& lab, const std::string& text)
{
    write_file(lab.work() + "/bgt.toml", text);
}

/// The names of all living tasks, as JSON has them.
std::string living(const Lab& lab)
{
    std::string out;
    const auto answer = lab.ask({"ps", "-s", "queued", "-s", "starting", "-s", "running"});
    for (const auto& task : at(answer, "/tasks").as_array())
        out += (out.empty() ? "" : " ") + text_at(task.as_object(), "/name");
    return out;
}

std::int64_t id_of(const Lab& lab, const std::string& name)
{
    return number_at(lab.show(name), "/id");
}

/// In another folder than the project's.
Ran elsewhere(const Lab& lab, const Words& words)
{
    Invocation call = lab.bgt(words);
    call.cwd = lab.folder();
    return run(call);
}

constexpr const char* two = "[task.db]\n"
                            "command = \"echo up; exec sleep 600\"\n"
                            "ready_log = \"up\"\n"
                            "[task.web]\n"
                            "command = [\"sleep\", \"600\"]\n"
                            "after = [\"db:ready\"]\n"
                            "service = true\n";

} // namespace

TEST_CASE("up starts what is missing, down ends it")
{
    const Lab lab;
    put(lab, two);
    const Ran first = lab({"up", "--wait"});
    INFO(first);
    CHECK(first.code == 0);
    CHECK(has(first.out, "db: started (1)\n"));
    CHECK(has(first.out, "web: waits for db:ready (2)\n"));
    CHECK(living(lab) == "work:db work:web");
    CHECK(lab({"up"}).out == "db: was there (1)\nweb: was there (2)\n");
    REQUIRE(lab({"kill", "db"}).code == 0); // by its name inside the project
    const Ran again = lab({"up"});
    INFO(again);
    CHECK(has(again.out, "db: started (3)\n"));
    CHECK(has(again.out, "web: was there (2)\n"));
    const Ran down = lab({"down"});
    INFO(down);
    CHECK(down.code == 0);
    // Who comes after another one ends before it.
    CHECK(down.out.find("2 work:web: ended") < down.out.find("3 work:db: ended"));
    CHECK(living(lab).empty());
    CHECK(lab({"down"}).code == 0);
}

TEST_CASE("names are those of the project inside it, and have its name elsewhere")
{
    const Lab lab;
    put(lab, "[task.web]\ncommand = \"echo said; exec sleep 600\"\n");
    REQUIRE(lab({"up"}).code == 0);
    fs::create_directories(lab.work() + "/below");
    Invocation below = lab.bgt({"ps", "--no-header"});
    below.cwd = lab.work() + "/below";
    CHECK(has(run(below).out, "1  web  running"));
    CHECK(has(elsewhere(lab, {"ps", "--no-header"}).out, "1  work:web  running"));
    CHECK(elsewhere(lab, {"show", "web"}).code == 125);
    CHECK(elsewhere(lab, {"show", "work:web"}).code == 0);
    CHECK(id_of(lab, "work:web") == 1);
    // A task of the user's own with that name: outside it is meant, inside the project's is.
    CHECK(lab.start({"--name", "web", "--", "sleep", "600"}) == "2");
    CHECK(id_of(lab, "web") == 1);
    CHECK(elsewhere(lab, {"kill", "web"}).code == 0);
    CHECK(living(lab) == "work:web");
    // Nobody else can take such a name.
    CHECK(lab({"run", "--name", "work:api", "--", "true"}).code == 125);
    CHECK(lab({"submit", "--after", "web:start", "--", "true"}).code == 0);
    CHECK(elsewhere(lab, {"submit", "--after", "work:web:start", "--", "true"}).code == 0);
    CHECK(elsewhere(lab, {"submit", "--after", "work:nobody", "--", "true"}).code == 125);
}

TEST_CASE("folders of the same name are two projects")
{
    const Lab lab;
    for (const char* folder : {"a/app", "b/app"}) {
        fs::create_directories(lab.work() + "/" + folder);
        write_file(lab.work() + "/" + folder + "/bgt.toml",
                   "[task.web]\ncommand = \"sleep 600\"\n");
    }
    const auto in = [&](const char* folder, const Words& words) {
        Invocation call = lab.bgt(words);
        call.cwd = lab.work() + "/" + folder;
        return run(call);
    };
    CHECK(in("a/app", {"up"}).out == "web: started (1)\n");
    CHECK(in("b/app", {"up"}).out == "web: started (2)\n");
    CHECK(living(lab) == "app:web app-2:web");
    CHECK(in("b/app", {"up"}).out == "web: was there (2)\n");
    CHECK(in("a/app", {"down"}).code == 0);
    CHECK(living(lab) == "app-2:web");
    // What has no project above it ends nothing.
    CHECK(elsewhere(lab, {"down"}).code == 125);
    // A folder that is gone gives its name up.
    fs::remove_all(lab.work() + "/a");
    fs::create_directories(lab.work() + "/c/app");
    write_file(lab.work() + "/c/app/bgt.toml", "[task.web]\ncommand = \"sleep 600\"\n");
    CHECK(in("c/app", {"up"}).code == 0);
    CHECK(living(lab) == "app-2:web app:web");
}

TEST_CASE("a folder takes over neither the name nor the tasks of one that is gone")
{
    const Lab lab;
    const auto make = [&](const char* folder) {
        fs::create_directories(lab.work() + "/" + folder);
        write_file(lab.work() + "/" + folder + "/bgt.toml",
                   "[task.web]\ncommand = \"echo said; exec sleep 600\"\n"
                   "[task.db]\ncommand = \"echo said; exec sleep 600\"\n");
    };
    const auto in = [&](const char* folder, const Words& words) {
        Invocation call = lab.bgt(words);
        call.cwd = lab.work() + "/" + folder;
        return run(call);
    };
    make("a/app");
    CHECK(in("a/app", {"up"}).out == "web: started (1)\ndb: started (2)\n");
    fs::remove_all(lab.work() + "/a");
    make("b/app");
    CHECK(in("b/app", {"down"}).out.empty()); // nothing of it runs
    CHECK(in("b/app", {"up"}).out == "web: started (3)\ndb: started (4)\n");
    CHECK(living(lab) == "app:web app:db app-2:web app-2:db");
    CHECK(in("b/app", {"down"}).code == 0);
    CHECK(living(lab) == "app:web app:db");
    REQUIRE(lab({"kill", "--all"}).code == 0);
    // Now the name is free. What has ended still has names of the other folder.
    make("c/app");
    CHECK(in("c/app", {"up", "web"}).out == "web: started (5)\n");
    CHECK(living(lab) == "app:web");
    CHECK(has(in("c/app", {"logs", "web"}).out, "said"));
    for (const Words& words :
         {Words{"logs", "db"}, {"retry", "db"}, {"rm", "db"}, {"down", "db"}}) {
        const Ran ran = in("c/app", words);
        INFO(ran);
        CHECK(ran.code == 125);
    }
    CHECK_FALSE(has(in("c/app", {"logs"}).out, "db"));
}

TEST_CASE("a task of a project whose record is damaged is told by down, and not ended")
{
    const Lab lab;
    put(lab, "[task.web]\ncommand = \"sleep 600\"\n[task.db]\ncommand = \"sleep 600\"\n");
    REQUIRE(lab({"up"}).code == 0);
    write_file(lab.task_folder("1") + "/spec.json", "damaged");
    const Ran down = lab({"down"});
    INFO(down);
    CHECK(down.code == 125);
    CHECK(has(down.err, "1 (work:web) is not ended: its record does not say of which folder"));
    CHECK(has(down.out, "2 work:db: ended"));
    CHECK(lab({"kill", "1"}).code == 0);
}

TEST_CASE("a change of a table is told, and made with --recreate alone")
{
    const Lab lab;
    put(lab, two);
    REQUIRE(lab({"up", "--wait"}).code == 0);
    write_file(lab.work() + "/vars", "SECRET=hidden\n");
    put(lab, std::string(two) + "env = { TOKEN = \"hidden\" }\nenv_file = \"vars\"\n");
    const Ran told = lab({"up"});
    INFO(told);
    CHECK(told.code == 0);
    CHECK(has(told.out, "db: was there (1)\n"));
    CHECK(has(told.out, "web: was there (2), but its table has changed: env, env_file (bgt up "
                        "--recreate web starts it anew)\n"));
    const auto json = lab.ask({"up"});
    CHECK(at(json, "/tasks/1/action") == "there");
    CHECK(at(json, "/tasks/1/changed") == boost::json::value{"env", "env_file"});
    const Ran anew = lab({"up", "--recreate"});
    INFO(anew);
    CHECK(has(anew.out, "web: started anew (3), for its table has changed: env, env_file\n"));
    CHECK(living(lab) == "work:db work:web");
    CHECK(lab({"up", "--wait"}).out == "db: was there (1)\nweb: was there (3)\n");
    write_file(lab.work() + "/vars", "SECRET=other\n"); // what the file says counts
    CHECK(has(lab({"up"}).out, "its table has changed: env_file ("));
    CHECK_FALSE(has(read_file(lab.task_folder("3") + "/spec.json"), "hidden"));
    // Of one that was started at once too.
    put(lab, "[task.db]\ncommand = \"exec sleep 601\"\n");
    const Ran less = lab({"up", "--recreate"});
    INFO(less);
    CHECK(has(less.out, "db: started anew (4), for its table has changed: command, ready_log\n"));
    CHECK(has(less.err, "web runs (3), but " + lab.work() +
                            "/bgt.toml does not name it (bgt down web ends it)"));
    CHECK(lab({"down", "web"}).code == 0);
    CHECK(living(lab) == "work:db");
}

TEST_CASE("several at once start each process once")
{
    const Lab lab;
    put(lab, two);
    std::vector<std::unique_ptr<Child>> calls;
    for (int i = 0; i < 4; ++i) calls.push_back(std::make_unique<Child>(lab.bgt({"up", "--wait"})));
    for (const auto& call : calls) {
        const Ran ran = call->finish();
        INFO(ran);
        CHECK(ran.code == 0);
    }
    CHECK(living(lab) == "work:db work:web");
}

TEST_CASE("only those that are named, and what they come after")
{
    const Lab lab;
    put(lab, std::string("[task.other]\ncommand = \"exec sleep 600\"\n") + two);
    CHECK(has(lab({"up", "web"}).out, "db: started (1)\nweb: waits for db:ready (2)\n"));
    CHECK(lab({"up", "nobody"}).code == 125);
    CHECK(has(lab({"up", "wep"}).err, "did you mean web?"));
    CHECK(lab({"down", "nobody"}).code == 125);
    REQUIRE(lab({"up", "--wait", "web"}).code == 0);
    CHECK(lab({"down", "db"}).code == 0);
    CHECK(eventually(test_timeout, [&] { return living(lab) == "work:web"; }));
}

TEST_CASE("a circle is refused with its names, and nothing starts")
{
    const Lab lab;
    put(lab, "[task.a]\ncommand = \"true\"\nafter = \"b\"\n[task.b]\ncommand = \"true\"\nafter = "
             "\"c:any\"\n[task.c]\ncommand = \"true\"\nafter = \"a:start\"\n");
    const Ran ran = lab({"up"});
    INFO(ran);
    CHECK(ran.code == 125);
    CHECK(has(ran.err, "in a circle: a after b after c after a\n"));
    CHECK(ran.out.empty());
    CHECK(living(lab).empty());
}

TEST_CASE("what a table must not say is refused with its place, and nothing starts")
{
    const Lab lab;
    const auto [text, error] = GENERATE(table<std::string, std::string>({
        {"[task.a]\ncomand = \"true\"\n",
         ":2:1: unknown key comand in a task of a project; did you mean `command`?"},
        {"[task.a]\nservice = true\n", ":1:7: task a has no command"},
        {"[task.a]\ncommand = 5\n", ":2:11: command must be a string"},
        {"[task.a]\ncommand = \"\"\n", ":2:11: command is empty"},
        {"[task.a]\ncommand = \"true\"\ngrace = \"soon\"\n", ":3:9: grace: "},
        {"[task.a]\ncommand = \"true\"\nname = \"b\"\n", ":3:1: name: the name of a task"},
        {"[task.a]\ncommand = \"true\"\nreplace = true\n", ":3:1: replace: the name of a task"},
        {"[task.a]\ncommand = \"true\"\nwait = true\n", "--wait is for the command line only"},
        {"[task.a]\ncommand = \"true\"\narray = \"1-3\"\n", "--array is for the command line only"},
        {"[task.a]\ncommand = \"true\"\nstdin = \"-\"\n", "stdin = \"-\" is for the command line"},
        {"[task.a]\ncommand = \"true\"\nslots = -1\n", ":3:9: slots: "},
        {"[task.a]\ncommand = \"true\"\non_dep_failure = \"x\"\n", ":3:18: on_dep_failure: "},
        {"[task.a]\ncommand = \"true\"\nafter = \"b:maybe\"\n", "no task named b:maybe"},
        {"[task.a]\ncommand = \"true\"\nafter = \"nobody\"\n", "task a: --after: no task named"},
        {"[task.a]\ncommand = \"true\"\ncwd = \"absent\"\n", "absent: No such file"},
        {"[task.a]\ncommand = \"true\"\nenv = { A = 1.5 }\n", "A cannot be a number with a point"},
        {"[task.ready]\ncommand = \"true\"\n", ":1:7: a task can't be called ready"},
        {"[task.\"a b\"]\ncommand = \"true\"\n", "holds a character that a name can't"},
        {"[task.\"a:b\"]\ncommand = \"true\"\n", "holds a character that a name can't"},
        {"[task.\"\\u001b[31m\"]\ncommand = \"true\"\n", "holds a character that a name can't"},
        {"[task.a]\ncommand = \"true\"\nafter = \"b:ready\"\n[task.b]\ncommand = \"true\"\n",
         "b has no condition by which it is ready"},
        {"[task.a]\ncommand = \"true\"\nafter = \"b\"\n[task.b]\ncommand = \"true\"\nservice = "
         "true\n",
         "the end of a service; say b:start"},
        {"[task]\na = \"true\"\n", ":2:5: task.a cannot be a string; write [task.NAME]"},
        {"task = 5\n", ":1:1: tasks are written [task.NAME]"},
        {"[[task]]\n", "tasks are written [task.NAME]"},
    }));
    put(lab, text);
    const Ran ran = lab({"up"});
    INFO(text << ran);
    CHECK(ran.code == 125);
    CHECK(has(ran.err, error));
    CHECK_FALSE(has(ran.err, "\x1b"));
    CHECK(ran.out.empty());
    CHECK(lab({"ps", "-a", "-q"}).out.empty());
}

TEST_CASE("without tables there is a Procfile, or an error")
{
    const Lab lab;
    CHECK(has(lab({"up"}).err, "there is no bgt.toml and no Procfile"));
    write_file(lab.work() + "/Procfile",
               "# processes\n\nweb: echo \"$0 serves\"; exec sleep 600\nworker:exec sleep 601\n");
    fs::create_directories(lab.work() + "/below");
    Invocation below = lab.bgt({"up"});
    below.cwd = lab.work() + "/below";
    CHECK(run(below).out == "web: started (1)\nworker: started (2)\n");
    CHECK(living(lab) == "work:web work:worker");
    CHECK(text_at(lab.show("web"), "/kind") == "service");
    CHECK(text_at(lab.show("web"), "/cwd") == lab.work());
    CHECK(lab({"down"}).code == 0);
    write_file(lab.work() + "/Procfile", "web: sleep 600\nnonsense\n");
    CHECK(has(lab({"up"}).err, "/Procfile:2: a line of a Procfile is NAME: COMMAND"));
    write_file(lab.work() + "/Procfile", "web: sleep 600\nweb: true\n");
    CHECK(has(lab({"up"}).err, "/Procfile:2: there is a web already"));
    // A bgt.toml without tables above it is in nobody's way.
    put(lab, "grace = 1\n");
    fs::remove(lab.work() + "/Procfile");
    CHECK(has(lab({"up"}).err, "bgt.toml has no [task.NAME], and there is no Procfile"));
    write_file(lab.work() + "/below/Procfile", "web: exec sleep 600\n");
    CHECK(run(below).out == "web: started (3)\n");
    CHECK(living(lab) == "below:web");
    put(lab, "grace = 1\n[task.only]\ncommand = \"exec sleep 600\"\n"); // tables come first
    CHECK(lab({"up"}).out == "only: started (4)\n");
}

TEST_CASE("up --wait says who is not ready, and why, with the last lines")
{
    const Lab lab;
    put(lab, "[task.db]\ncommand = \"echo one; echo no port left; exit 3\"\nready_log = \"up\"\n"
             "[task.web]\ncommand = \"exec sleep 600\"\nafter = \"db:ready\"\n");
    const Ran ran = lab({"up", "--wait"});
    INFO(ran);
    CHECK(ran.code == 121);
    CHECK(has(ran.err, "db ended (exit 3) (bgt why 1, bgt logs 1)\n"));
    CHECK(has(ran.err, "db | no port left\n"));
    CHECK(has(ran.err, "web "));
    const auto text = lab({"up", "--wait", "--json"});
    INFO(text);
    CHECK(text.code == 121);
    CHECK(has(text.out, "\"ready\":false,\"why\":\"ended (exit 3)\""));
    put(lab, "[task.slow]\ncommand = \"exec sleep 600\"\nready_log = \"never\"\n");
    const Ran late = lab({"up", "--wait", "--timeout", "200ms"});
    INFO(late);
    CHECK(late.code == 124);
    CHECK(has(late.err, "slow is not ready yet"));
    CHECK(has(living(lab), "work:slow"));
    put(lab, "[task.hung]\ncommand = \"exec sleep 600\"\nready_log = \"never\"\nready_timeout = "
             "\"100ms\"\n");
    CHECK(lab({"up", "--wait"}).code == 120);
    CHECK(lab({"up", "--timeout", "1"}).code == 125); // without --wait
}

TEST_CASE("a job that is done is not done again while others run")
{
    const Lab lab;
    put(lab, "[task.migrate]\ncommand = \"echo x >> runs\"\nkind = \"job\"\n"
             "[task.web]\ncommand = \"exec sleep 600\"\nafter = \"migrate\"\n");
    CHECK(lab({"up", "--wait"}).code == 0);
    CHECK(has(lab({"up"}).out, "migrate: has been done (1)\nweb: was there (2)\n"));
    CHECK(read_file(lab.work() + "/runs") == "x\n");
    CHECK(lab({"up", "--wait", "migrate"}).code == 0); // named: it is meant
    CHECK(read_file(lab.work() + "/runs") == "x\nx\n");
    CHECK(lab({"down"}).code == 0);
    CHECK(lab({"up", "--wait"}).code == 0);
    CHECK(read_file(lab.work() + "/runs") == "x\nx\nx\n");
}

TEST_CASE("logs of a whole project, each line behind its name")
{
    const Lab lab;
    put(lab, "[task.web]\ncommand = \"echo served\"\n[task.worker]\ncommand = \"echo worked\"\n");
    REQUIRE(lab({"up"}).code == 0);
    const Ran followed = lab({"logs", "-f"});
    INFO(followed);
    CHECK(has(followed.out, "web    | served\n"));
    CHECK(has(followed.out, "worker | worked\n"));
    CHECK(lab({"logs", "web"}).out == "served\n");
    CHECK(elsewhere(lab, {"logs"}).code == 125);
    CHECK(elsewhere(lab, {"logs", "work:worker"}).out == "worked\n");
}

TEST_CASE("what a folder describes is run by up alone")
{
    const Lab lab;
    put(lab, "[task.web]\ncommand = \"echo ran >> ran; exec sleep 600\"\nenv = [\"A=1\"]\n"
             "[task.bad]\nnonsense = 5\n");
    for (const Words& words :
         {Words{"ps"}, Words{"run", "--", "true"}, Words{"config"}, Words{"logs", "-"},
          Words{"show", "--all"}, Words{"queue"}, Words{"submit", "--", "true"}, Words{"trust"}})
        CHECK(lab(words).code == 0);
    CHECK(lab({"down"}).code == 0);
    CHECK_FALSE(fs::exists(lab.work() + "/ran"));
    // Asked for, it needs no trust: as make does.
    put(lab, "[task.web]\ncommand = \"echo $A >> ran; exec sleep 600\"\nenv = [\"A=1\"]\n");
    const Ran ran = lab({"up"});
    INFO(ran);
    CHECK(ran.code == 0);
    CHECK(ran.err.empty());
    CHECK(eventually(test_timeout, [&] { return read_file(lab.work() + "/ran") == "1\n"; }));
}

TEST_CASE("the tables of a named file, and none in the user's own")
{
    Lab lab;
    fs::create_directories(lab.work() + "/sub");
    write_file(lab.work() + "/sub/ci.toml", "[task.web]\ncommand = \"pwd; exec sleep 600\"\n");
    CHECK(lab({"up", "--config", "sub/ci.toml"}).out == "web: started (1)\n");
    CHECK(text_at(lab.show("sub:web"), "/cwd") == lab.work() + "/sub");
    CHECK(lab({"down", "--config", "sub/ci.toml"}).code == 0);
    CHECK(living(lab).empty());
    lab.set_env("XDG_CONFIG_HOME=" + lab.folder() + "/xdg");
    fs::create_directories(lab.folder() + "/xdg/bgt");
    write_file(lab.folder() + "/xdg/bgt/config.toml", "[task.web]\ncommand = \"true\"\n");
    CHECK(has(lab({"up"}).err, "tasks belong to a folder"));
}
