// bgt run --watch: which changes start a command again, and when.
#include "support/catch.hpp"
#include "support/eventually.hpp"
#include "support/lab.hpp"
#include "support/sanitized.hpp"
#include "support/skip.hpp"

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>

using namespace bgt::test;
namespace fs = std::filesystem;

namespace {

/// A program of the tests, in the lab's working folder; it must succeed.
void sh(const Lab& lab, const std::string& text)
{
    const Ran ran = run(lab.program({"/bin/sh", "-ec", text}), test_timeout * 3);
    INFO(text << "\n" << ran);
    REQUIRE(ran.code == 0);
}

void save(const Lab& lab, const std::string& name, const std::string& text)
{
    const std::string path = lab.work() + "/" + name;
    fs::create_directories(fs::path(path).parent_path());
    write_file(path, text);
}

std::string state(const Lab& lab, const std::string& id)
{
    const Ran ran = lab({"ps", "-a", "--format", "{state}", id});
    return ran.out.substr(0, ran.out.find('\n'));
}

bool becomes(const Lab& lab, const std::string& id, const std::string& wanted)
{
    return eventually(test_timeout, [&] { return state(lab, id) == wanted; });
}

/// The command has been started so often, and not more.
bool has_run(const Lab& lab, const std::string& id, std::size_t times)
{
    const auto count = [&] {
        const std::string log = lab.log(id);
        std::size_t runs = 0;
        for (std::size_t at = 0; (at = log.find("run ", at)) != std::string::npos; ++at) ++runs;
        return runs;
    };
    return eventually(test_timeout, [&] { return count() >= times; }) && count() == times;
}

/// The lines of events.jsonl that tell of this.
std::vector<boost::json::object> events(const Lab& lab, const std::string& id,
                                        const std::string& name)
{
    std::vector<boost::json::object> out;
    std::istringstream lines(read_file(lab.task_folder(id) + "/events.jsonl"));
    for (std::string line; std::getline(lines, line);) {
        auto event = boost::json::parse(line).as_object();
        if (text_at(event, "/event") == name) out.push_back(std::move(event));
    }
    return out;
}

/// A service that says "run N", and its options.
std::string start_service(const Lab& lab, Words options)
{
    options.insert(options.begin(), "--service");
    options.insert(options.end(), {"-c", "echo run $BGT_ATTEMPT; exec sleep 1000"});
    const std::string id = lab.start(options);
    REQUIRE(lab.logged(id, "run 1\n"));
    return id;
}

/// A job that says "run N" and ends with 3.
std::string start_job(const Lab& lab, Words options)
{
    options.insert(options.end(), {"-c", "echo run $BGT_ATTEMPT; exit 3"});
    const std::string id = lab.start(options);
    REQUIRE(becomes(lab, id, "watching"));
    return id;
}

} // namespace

TEST_CASE("a job runs again at each change, and waits for the next one")
{
    const Lab lab;
    save(lab, "src/a.c", "one");
    const std::string id = start_job(lab, {"--watch", "src/**"});
    const auto task = lab.show(id);
    CHECK(text_at(task, "/lifecycle") == "backing-off");
    CHECK(text_at(task, "/next_attempt_at") == "null");
    CHECK(text_at(task, "/watch/on_change") == "queue");
    CHECK(lab({"why", id}).out.find("waits for a change of its files; attempt 1 ended (exit 3)") !=
          std::string::npos);
    save(lab, "src/a.c", "two");
    CHECK(has_run(lab, id, 2));
    REQUIRE(becomes(lab, id, "watching"));
    save(lab, "src/new/b.c", "new"); // in a folder that is new, too
    CHECK(has_run(lab, id, 3));
    REQUIRE(becomes(lab, id, "watching"));
    save(lab, "src/new/b.c", "newer");
    CHECK(has_run(lab, id, 4));
    CHECK(lab({"kill", id}).code == 0);
    CHECK(lab.wait(id) == 3);
    CHECK(text_at(lab.show(id), "/outcome/reason") == "killed");
    const auto changes = events(lab, id, "change");
    REQUIRE(changes.size() == 3);
    CHECK(text_at(changes[0], "/path") == lab.work() + "/src/a.c");
    CHECK(text_at(changes[0], "/action") == "start");
}

TEST_CASE("the output of the last run can be waited for, and that of the next")
{
    const Lab lab;
    save(lab, "src/a.c", "one");
    const std::string id = start_job(lab, {"--watch", "src/**"});
    CHECK(lab({"wait", "--timeout", "20", "--for", "log:run 1", id}).code == 0);
    save(lab, "src/a.c", "two");
    CHECK(lab({"wait", "--timeout", "20", "--for", "log:run 2", id}).code == 0);
    REQUIRE(becomes(lab, id, "watching"));
    CHECK(lab({"wait", "--timeout", "20", "--for", "log:run 2", id}).code == 0);
    CHECK(lab({"wait", "--timeout", "0.2", "--for", "log:run 1", id}).code == 124);
    CHECK(lab({"logs", "--attempt", "last", id}).out == "run 2\n");
    const std::string waiting =
        lab.start({"--", BGT_BINARY, "wait", "--timeout", "20", "--for", "log:run 3", id});
    save(lab, "src/a.c", "three");
    CHECK(lab.wait(waiting) == 0);
}

TEST_CASE("a service is stopped and started again, and what left its process group ends too")
{
    const Lab lab;
    save(lab, "a.c", "one");
    const std::string id = lab.start({"--service", "--watch", "a.c", "--debounce", "20ms", "-c",
                                      "setsid sleep 1000 & echo pids $! $$; echo run; wait"});
    REQUIRE(lab.logged(id, "run\n"));
    const std::vector<pid_t> before = lab.pids_said(id);
    save(lab, "a.c", "two");
    REQUIRE(eventually(test_timeout, [&] { return number_at(lab.show(id), "/attempt") == 2; }));
    CHECK(all_gone(before));
    CHECK(becomes(lab, id, "running"));
    CHECK(text_at(lab.show(id), "/outcome") == "null");
}

TEST_CASE("from a save to the stop signal pass the debounce time and 20 ms")
{
    if (sanitized) return; // it measures
    const Lab lab;
    save(lab, "a.c", "0");
    const std::string id = start_service(lab, {"--watch", "**"});
    milliseconds best = test_timeout;
    for (int i = 1; i <= 5; ++i) {
        save(lab, "a.c.new", std::to_string(i));
        REQUIRE(becomes(lab, id, "running"));
        const auto stops = events(lab, id, "stop").size();
        const Stopwatch since;
        fs::rename(lab.work() + "/a.c.new", lab.work() + "/a.c");
        REQUIRE(eventually(test_timeout, [&] { return events(lab, id, "stop").size() > stops; }));
        best = std::min(best, since.elapsed());
        REQUIRE(eventually(test_timeout, [&] {
            return lab.log(id).find("run " + std::to_string(i + 1) + "\n") != std::string::npos;
        }));
    }
    CHECK(best < milliseconds(120)); // the machine may be loaded: the best of five
}

TEST_CASE("every way of saving is one change")
{
    const Lab lab;
    save(lab, "src/a.c", "one\n");
    const std::string id = start_job(lab, {"--watch", "src/**"});
    std::size_t runs = 1;
    const auto one_more = [&](const std::string& how) {
        sh(lab, how);
        INFO(how);
        CHECK(has_run(lab, id, ++runs));
        REQUIRE(becomes(lab, id, "watching"));
    };
    one_more("echo two > src/a.c");
    one_more("sed -i s/two/three/ src/a.c");
    one_more("echo four > src/.a.c.tmp && mv src/.a.c.tmp src/a.c");    // VS Code, rename
    one_more("cp src/a.c src/a.c~; : > src/a.c; echo five >> src/a.c"); // truncated first
    one_more("mv src/a.c src/a.c~; echo six > src/a.c; rm src/a.c~");   // vim, backup
    one_more("mkdir src/new && echo x > src/new/b.c");
    one_more("mv src/new src/moved");
    one_more("rm -r src/moved");
    if (!find_program("vim").empty())
        one_more("TERM=dumb vim -N -u NONE -i NONE -es -c '%s/six/seven/' -c wq src/a.c");
    if (!find_program("ed").empty()) one_more("printf '1c\\neight\\n.\\nw\\nq\\n' | ed -s src/a.c");
}

TEST_CASE("what does not count")
{
    const Lab lab;
    sh(lab, "mkdir src .git; printf 'build/\\n*.o\\n' > .gitignore; echo one > src/a.c");
    save(lab, "build/out", "x");
    const std::string id = start_job(lab, {"--watch", "**", "--watch-ignore", "*.tmp"});
    sh(lab, "echo y > build/out; echo y > src/a.o; echo y > src/x.tmp; mkdir .git/refs; "
            "echo y > .git/index; touch src/a.c; echo one > src/a.c; "
            "echo one > src/new; mv src/new src/a.c; echo swap > src/.a.c.swp; "
            "echo x > src/short-lived; rm src/short-lived; chmod 600 src/a.c");
    sh(lab, "echo two > src/a.c"); // what comes before it would be a run of its own, or the path
    CHECK(has_run(lab, id, 2));
    const auto changes = events(lab, id, "change");
    REQUIRE(changes.size() == 1);
    CHECK(text_at(changes[0], "/path") == lab.work() + "/src/a.c");
    CHECK(number_at(changes[0], "/count") == 1);
    REQUIRE(becomes(lab, id, "watching"));
    sh(lab, "printf '*.o\\n' > .gitignore"); // which is a file that counts, and read again
    CHECK(has_run(lab, id, 3));
    REQUIRE(becomes(lab, id, "watching"));
    sh(lab, "echo z > build/out");
    CHECK(has_run(lab, id, 4));
}

TEST_CASE("a task that writes where it watches does not start itself again for ever")
{
    const Lab lab;
    save(lab, "in", "one");
    const std::string id = lab.start(
        {"--watch", "**", "--debounce", "10ms", "-c", "echo run $BGT_ATTEMPT; cp in out"});
    // Its output is new at the first run, and the same at the second.
    CHECK(has_run(lab, id, 2));
    REQUIRE(becomes(lab, id, "watching"));
    save(lab, "in", "two");
    CHECK(eventually(test_timeout, [&] { return events(lab, id, "change").size() == 3; }));
    CHECK(has_run(lab, id, 4));
    REQUIRE(becomes(lab, id, "watching"));
}

TEST_CASE("another branch with 10,000 files is one restart")
{
    if (find_program("git").empty()) return;
    const Lab lab;
    // In memory: some file systems take a minute for this many files.
    char path[] = "/dev/shm/bgt-watch-XXXXXX";
    if (mkdtemp(path) == nullptr) return skip("there is no /dev/shm");
    const struct Cleaner {
        std::string path;
        ~Cleaner() { fs::remove_all(path); }
    } cleaner{path};
    const std::string in = "cd " + cleaner.path + " && ";
    sh(lab, in + "git init -q . && git config user.email a@b.c && git config user.name n && "
                 "mkdir -p src/a/b src/c && i=0; while [ $i -lt 2500 ]; do "
                 "for d in src src/a src/a/b src/c; do echo one > $d/f$i; done; i=$((i+1)); done; "
                 "git add . && git commit -qm one && git checkout -qb two && "
                 "find src -type f -exec sed -i s/one/twotwo/ {} + && mkdir src/d && "
                 "mv src/c/* src/d && git add -A && git commit -qm two");
    const std::string id = start_service(lab, {"--watch", "src/**", "-C", cleaner.path});
    sh(lab, in + "git checkout -q -");
    REQUIRE(lab.logged(id, "run 2\n"));
    REQUIRE(eventually(test_timeout, [&] { return events(lab, id, "change").size() == 1; }));
    CHECK(number_at(events(lab, id, "change")[0], "/count") == 12'500); // with those that moved
    sh(lab, in + "echo end > src/f0"); // the next one is this, and not a rest of the checkout
    REQUIRE(lab.logged(id, "run 3\n"));
    REQUIRE(events(lab, id, "change").size() == 2);
    CHECK(number_at(events(lab, id, "change")[1], "/count") == 1);
}

TEST_CASE("--on-change says what happens while it runs")
{
    const Lab lab;
    save(lab, "a.c", "0");
    const std::string text = "trap 'echo hup' HUP; trap 'exit 0' USR1; echo run $BGT_ATTEMPT; "
                             "while :; do sleep 0.01; done";
    const auto start = [&](const std::string& what) {
        const std::string id =
            lab.start({"--watch", "a.c", "--debounce", "10ms", "--on-change", what, "-c", text});
        REQUIRE(lab.logged(id, "run 1\n"));
        return id;
    };
    SECTION("signal: its main process gets it")
    {
        const std::string id = start("signal:HUP");
        save(lab, "a.c", "1");
        CHECK(lab.logged(id, "hup\n"));
        CHECK(number_at(lab.show(id), "/attempt") == 1);
    }
    SECTION("queue: it is started once after its end, however many changes there were")
    {
        const std::string id = start("queue");
        for (int i = 1; i <= 3; ++i) {
            save(lab, "a.c", std::to_string(i));
            CHECK(lab({"ps", id}).code == 0); // takes longer than the debounce time, as a rule
        }
        CHECK(number_at(lab.show(id), "/attempt") == 1);
        REQUIRE(lab({"signal", "USR1", id}).code == 0);
        CHECK(has_run(lab, id, 2));
    }
    SECTION("ignore-while-busy: nothing, and the change is forgotten")
    {
        const std::string id = start("ignore-while-busy");
        save(lab, "a.c", "1");
        REQUIRE(eventually(test_timeout, [&] { return events(lab, id, "change").size() == 1; }));
        CHECK(text_at(events(lab, id, "change")[0], "/action") == "none");
        REQUIRE(lab({"signal", "USR1", id}).code == 0);
        REQUIRE(becomes(lab, id, "watching"));
        save(lab, "a.c", "2");
        CHECK(has_run(lab, id, 2));
    }
}

TEST_CASE("bgt pause --watch keeps changes until bgt resume")
{
    const Lab lab;
    save(lab, "a.c", "0");
    const std::string id = start_service(lab, {"--watch", "**", "--debounce", "10ms"});
    REQUIRE(lab({"pause", "--watch", id}).code == 0);
    CHECK(at(lab.show(id), "/notices").as_array().size() == 1);
    CHECK(at(lab.show(id), "/paused").as_bool() == false);
    save(lab, "a.c", "1");
    save(lab, "b.c", "1");
    REQUIRE(lab({"resume", id}).code == 0);
    REQUIRE(lab.logged(id, "run 2\n"));
    CHECK(number_at(events(lab, id, "change").at(0), "/count") == 2);
    CHECK(at(lab.show(id), "/notices").as_array().empty());
    // What came back to what it was is no change.
    REQUIRE(lab({"pause", "--watch", id}).code == 0);
    save(lab, "a.c", "2");
    save(lab, "a.c", "1");
    REQUIRE(lab({"resume", id}).code == 0);
    save(lab, "b.c", "2");
    REQUIRE(lab.logged(id, "run 3\n"));
    CHECK(text_at(events(lab, id, "change").at(1), "/path") == lab.work() + "/b.c");
    const std::string other = lab.start({"--service", "-c", "exec sleep 1000"});
    const Ran ran = lab({"pause", "--watch", other});
    CHECK(ran.code == 125);
    CHECK(ran.err.find("watches no files") != std::string::npos);
}

TEST_CASE("a supervisor that takes over goes on watching")
{
    const Lab lab;
    save(lab, "a.c", "0");
    const std::string id = start_service(lab, {"--watch", "**", "--debounce", "10ms"});
    const auto supervisor = static_cast<pid_t>(number_at(lab.show(id), "/supervisor"));
    REQUIRE(::kill(supervisor, SIGKILL) == 0);
    REQUIRE(eventually(test_timeout, [&] { return at(lab.show(id), "/adopted").as_bool(); }));
    save(lab, "a.c", "1");
    CHECK(lab.logged(id, "run 2\n"));
    save(lab, "a.c", "2");
    CHECK(lab.logged(id, "run 3\n"));
    // One that dies while nothing runs leaves the outcome of the last run.
    const std::string job = start_job(lab, {"--watch", "**"});
    REQUIRE(::kill(static_cast<pid_t>(number_at(lab.show(job), "/supervisor")), SIGKILL) == 0);
    CHECK(lab.wait(job) == 3);
}

TEST_CASE("without room in inotify it looks once a second, and says so")
{
    const Lab lab;
    for (const char* folder : {"a", "b", "c", "d"}) save(lab, std::string(folder) + "/x", "0");
    // The limit of a user namespace of its own, so that nobody else runs into it.
    Words words{"unshare",
                "-Ur",
                "/bin/sh",
                "-c",
                "echo 2 > /proc/sys/user/max_inotify_watches && exec \"$@\"",
                "sh"};
    const Invocation call =
        lab.bgt({"run", "--watch", "**", "--debounce", "10ms", "-c", "echo run $BGT_ATTEMPT"});
    words.insert(words.end(), call.argv.begin(), call.argv.end());
    const Ran ran = run(lab.program(words));
    if (ran.code != 0) return skip("no user namespace can be made here");
    const std::string id = ran.out.substr(0, ran.out.find('\n'));
    REQUIRE(becomes(lab, id, "watching"));
    REQUIRE(events(lab, id, "watch-polling").size() == 1);
    CHECK(text_at(events(lab, id, "watch-polling")[0], "/why").find("max_user_watches") !=
          std::string::npos);
    CHECK(at(lab.show(id), "/notices").as_array().at(0).as_string() == "watch-polling");
    CHECK(lab({"show", id}).out.find("looks once a second") != std::string::npos);
    for (const char* folder : {"a", "b", "c", "d"}) {
        save(lab, std::string(folder) + "/x", "longer");
        INFO(folder);
        const int run = folder[0] - 'a' + 2;
        CHECK(lab.logged(id, "run " + std::to_string(run) + "\n"));
        REQUIRE(becomes(lab, id, "watching"));
    }
}

TEST_CASE("what --watch refuses")
{
    const Lab lab;
    const auto refuses = [&](Words words, const std::string& why) {
        words.insert(words.begin(), "run");
        words.insert(words.end(), {"--", "true"});
        const Ran ran = lab(words);
        INFO(ran);
        CHECK(ran.code == 125);
        CHECK(ran.err.find(why) != std::string::npos);
        CHECK(ran.out.empty());
    };
    refuses({"--watch", ""}, "--watch: '': an empty glob");
    refuses({"--watch", "{a"}, "a brace without");
    refuses({"--watch-ignore", "x"}, "--watch-ignore needs --watch GLOB");
    refuses({"--debounce", "1s"}, "--debounce needs --watch GLOB");
    refuses({"--on-change", "queue"}, "--on-change needs --watch GLOB");
    refuses({"--watch", "x", "--on-change", "signal:NOPE"}, "--on-change");
    refuses({"--watch", "x", "--debounce", "soon"}, "--debounce");
    refuses({"--watch", "x", "--watch-ignore", "#"}, "--watch-ignore");
    CHECK(lab.listing().empty()); // nobody made a state root
    refuses({"--watch", "../no-such-folder/*.c"}, "there is no folder");
    CHECK(fs::is_empty(lab.root() + "/tasks"));
    CHECK(lab({"submit", "--watch", "x", "--", "true"}).code == 125);
}

TEST_CASE("a rule that says watch needs trust")
{
    Lab lab;
    save(lab, "a.c", "0");
    save(lab, "bgt.toml", "[[rule]]\nmatch = \"^echo\"\nwatch = [\"*.c\"]\ndebounce = \"10ms\"\n");
    const Ran untrusted = lab({"run", "--", "echo", "run"});
    CHECK(untrusted.err.find("is not trusted") != std::string::npos);
    CHECK(lab.wait(untrusted.out.substr(0, untrusted.out.find('\n'))) == 0); // it ends
    REQUIRE(lab({"trust"}).code == 0);
    const std::string watching = lab.start({"--", "echo", "run"});
    CHECK(becomes(lab, watching, "watching"));
    save(lab, "a.c", "1");
    CHECK(eventually(test_timeout, [&] { return lab.log(watching) == "run\nrun\n"; }));
    const Ran queued = lab({"submit", "--", "echo", "run"});
    REQUIRE(queued.code == 0);
    CHECK(lab.wait(queued.out.substr(0, queued.out.find('\n'))) == 0); // it ends
}
