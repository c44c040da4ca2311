// The one who called `bgt run` goes away; many call at once.
#include "support/catch.hpp"
#include "support/lab.hpp"
#include "support/skip.hpp"

#include <algorithm>
#include <csignal>
#include <fcntl.h>
#include <map>
#include <set>
#include <sstream>
#include <sys/resource.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

using namespace bgt::test;

namespace {

/// "2 /dev/null" -> "/dev/null"
std::string target_of(const std::string& descriptor)
{
    return descriptor.substr(descriptor.find(' ') + 1);
}

} // namespace

TEST_CASE("a script gets the id at once, and nothing waits for the task")
{
    const Lab lab;
    const Ran ran = run(
        lab.program({"sh", "-c", "id=$(" BGT_BINARY " run -- sleep 100); echo \"<$id>\""}), 10s);
    INFO(ran);
    CHECK(ran.in_time); // $(...) reads to the end of the pipe: anybody who kept it open would hold
                        // it up
    CHECK(ran.code == 0);
    CHECK(ran.out == "<1>\n");
    CHECK(ran.err.empty());
    CHECK(text_at(lab.show("1"), "/lifecycle") == "running");
}

TEST_CASE("the arguments of bgt run, a secret among them, are not to be seen for as long as the "
          "task lives")
{
    const Lab lab;
    const std::string id = lab.start({"--env", "TOKEN=hunter2", "--", "sleep", "100"});
    const auto supervisor = std::to_string(number_at(lab.show(id), "/supervisor"));
    const std::string shown = read_file("/proc/" + supervisor + "/cmdline");
    CHECK(shown.starts_with("bgt:1" + std::string(1, '\0')));
    CHECK(shown.find_last_not_of('\0') == 4);
}

TEST_CASE("what is made under an odd umask can be used by its owner, and by nobody else")
{
    const mode_t mask = GENERATE(mode_t{0}, mode_t{0777});
    const Lab lab;
    const auto under_mask = [&](const Words& words) {
        Invocation what = lab.bgt(words);
        what.in_child = [mask] { umask(mask); };
        return run(what);
    };
    REQUIRE(under_mask({"run", "--", "sleep", "100"}).out == "1\n");
    const auto supervisor = static_cast<pid_t>(number_at(lab.show("1"), "/supervisor"));
    REQUIRE(::kill(supervisor, SIGKILL) == 0);
    REQUIRE(eventually(test_timeout, [&] { return !is_alive(supervisor); }));
    REQUIRE(under_mask({"show", "1"}).code ==
            0); // and another one takes over, under the caller's mask
    namespace fs = std::filesystem;
    for (const auto& entry : fs::recursive_directory_iterator(lab.root())) {
        INFO(entry.path());
        const fs::perms perms = entry.symlink_status().permissions();
        CHECK((perms & (fs::perms::group_all | fs::perms::others_all)) == fs::perms::none);
        CHECK((perms & fs::perms::owner_read) != fs::perms::none);
    }
    CHECK(fs::status(lab.root()).permissions() == fs::perms::owner_all);
    CHECK(lab({"kill", "1"}).code == 0);
}

TEST_CASE("no descriptor of the caller is open in the tree")
{
    const Lab lab;
    write_file(lab.work() + "/secret", "x");
    const int kept = ::open((lab.work() + "/secret").c_str(), O_RDWR);
    Invocation what = lab.bgt({"run", "--", "sleep", "100"});
    what.in_child = [kept] {
        dup2(kept, 5); // not close-on-exec: what careless callers leave open
        dup2(kept, 77);
    };
    const Ran ran = run(what);
    ::close(kept);
    INFO(ran);
    REQUIRE(ran.code == 0);
    const auto task = lab.show("1");

    const auto supervisor = static_cast<pid_t>(number_at(task, "/supervisor"));
    // The pipe of its report is closed just after the caller has read it.
    const auto is_pipe = [](const std::string& descriptor) {
        return target_of(descriptor).starts_with("pipe:");
    };
    static_cast<void>(eventually(
        test_timeout, [&] { return std::ranges::none_of(descriptors_of(supervisor), is_pipe); }));
    for (const std::string& descriptor : descriptors_of(supervisor)) {
        const std::string target = target_of(descriptor);
        INFO(descriptor);
        CHECK((target == "/dev/null" || target.starts_with(lab.root()) ||
               target.starts_with("anon_inode:") || target.starts_with("socket:")));
    }
    const auto root = static_cast<pid_t>(number_at(task, "/pid"));
    std::map<std::string, std::string> fds;
    for (const std::string& descriptor : descriptors_of(root))
        fds[descriptor.substr(0, descriptor.find(' '))] = target_of(descriptor);
    const std::string fifo = lab.task_folder("1") + "/out";
    CHECK(fds == std::map<std::string, std::string>{
                     {"0", "/dev/null"}, {"1", fifo}, {"2", fifo}, {"230", fifo}});
    const auto access_of = [&](const std::string& fd) {
        std::istringstream info(read_file("/proc/" + std::to_string(root) + "/fdinfo/" + fd));
        std::string word;
        while (info >> word && word != "flags:") {}
        info >> word;
        return std::stoi(word, nullptr, 8) & O_ACCMODE;
    };
    CHECK(access_of("1") == O_WRONLY);
    CHECK(access_of("2") == O_WRONLY);
    CHECK(access_of("230") == O_RDONLY);
}

TEST_CASE("the FIFO of stderr is held open for reading like that of stdout, also where few "
          "descriptors are allowed")
{
    const Lab lab;
    const auto held_by = [&](const Ran& ran) {
        INFO(ran);
        REQUIRE(ran.code == 0);
        std::istringstream lines(ran.out);
        std::map<std::string, std::string> held;
        for (std::string word, fd, target; lines >> word;) {
            if (word == "fd" && lines >> fd >> target && std::stoi(fd) > 2) held[fd] = target;
            std::getline(lines, word);
        }
        return held;
    };
    const std::string first = lab.task_folder("1"), second = lab.task_folder("2");
    CHECK(held_by(lab({"run", "--wait", "--split", "--", BGT_FIXTURE, "env"})) ==
          std::map<std::string, std::string>{{"230", first + "/out"}, {"231", first + "/err"}});
    Invocation few = lab.bgt({"run", "--wait", "--split", "--", BGT_FIXTURE, "env"});
    few.in_child = [] {
        const rlimit limit{64, 64};
        setrlimit(RLIMIT_NOFILE, &limit);
    };
    CHECK(held_by(run(few)) ==
          std::map<std::string, std::string>{{"63", second + "/out"}, {"62", second + "/err"}});
}

TEST_CASE("what the command is given is clean")
{
    const Lab lab;
    Invocation what = lab.bgt({"run", "--wait", "--", BGT_FIXTURE, "env"});
    what.in_child = [] {
        std::signal(SIGPIPE, SIG_IGN); // as Python leaves it
        std::signal(SIGHUP, SIG_IGN);  // as nohup does
        sigset_t set;
        sigemptyset(&set);
        sigaddset(&set, SIGTERM);
        sigaddset(&set, SIGUSR1);
        sigprocmask(SIG_BLOCK, &set, nullptr);
    };
    const Ran ran = run(what);
    INFO(ran);
    REQUIRE(ran.code == 0);
    CHECK(ran.out.find("signals blocked\n") != std::string::npos);
    CHECK(ran.out.find("signals ignored\n") != std::string::npos);
    CHECK(ran.out.find("cwd " + lab.work() + "\n") != std::string::npos);
    CHECK(ran.out.find("env BGT_TASK_ID=1\n") != std::string::npos);
    CHECK(ran.out.find("env BGT_TASK_DIR=" + lab.task_folder("1") + "\n") != std::string::npos);
    CHECK(ran.out.find("env BGT_GRACE=5s\n") != std::string::npos);
    CHECK(ran.out.find("env NOTIFY_SOCKET=" + lab.task_folder("1")) != std::string::npos);
    std::istringstream lines(ran.out);
    std::string pid, session;
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with("pid ")) pid = line.substr(4);
        if (line.starts_with("session ")) session = line.substr(8);
        CHECK(!line.starts_with("fd 3"));
    }
    CHECK(pid == session);
}

TEST_CASE("the caller's terminal goes away")
{
    const std::string script = find_program("script");
    if (script.empty()) return skip("no script(1)");
    const Lab lab;
    // The shell dies of the hang-up that follows when script(1), the owner of the terminal, is
    // killed.
    Child terminal(lab.program(
        {script, "-qec", BGT_BINARY " run -- sleep 100; echo started; sleep 100", "/dev/null"}));
    REQUIRE(terminal.says("started"));
    const auto before = lab.show("1");
    terminal.send(SIGKILL);
    terminal.finish();
    for (const char* key : {"/pid", "/supervisor"}) {
        const auto pid = static_cast<pid_t>(number_at(before, key));
        CHECK(is_alive(pid));
        CHECK(read_file("/proc/" + std::to_string(pid) + "/stat").find(" 0 -1 ") !=
              std::string::npos); // no terminal
    }
    CHECK(text_at(lab.show("1"), "/lifecycle") == "running");
    CHECK(at(lab.show("1"), "/adopted") == false);
}

TEST_CASE("a caller that is killed with its group and session leaves the task alone")
{
    const Lab lab;
    Invocation what = lab.program({"sh", "-c", BGT_BINARY " run -- sleep 100; sleep 100"});
    what.in_child = [] { setsid(); };
    Child shell(what);
    REQUIRE(shell.says("1\n"));
    ::kill(-shell.pid(), SIGHUP);
    ::kill(-shell.pid(), SIGKILL);
    const Ran ran = shell.finish();
    CHECK(ran.in_time);
    CHECK(text_at(lab.show("1"), "/lifecycle") == "running");
}

TEST_CASE("the caller's pipe is closed")
{
    const Lab lab;
    Invocation what = lab.bgt({"run", "--", BGT_FIXTURE, "tick", "10"});
    what.in_child = [] {
        int ends[2];
        if (pipe(ends) != 0) _exit(1);
        close(ends[0]);
        dup2(ends[1], 1); // a write gets SIGPIPE
        close(ends[1]);
    };
    const Ran ran = run(what);
    INFO(ran);
    CHECK(ran.in_time);
    CHECK(ran.signal == SIGPIPE);
    REQUIRE(lab.logged("1", "tick 5"));
    CHECK(text_at(lab.show("1"), "/lifecycle") == "running");
}

TEST_CASE("closed standard descriptors hurt nobody")
{
    const Lab lab;
    Invocation what = lab.bgt({"run", "--", BGT_FIXTURE, "env"});
    what.in_child = [] {
        for (const int fd : {0, 1, 2}) close(fd);
    };
    const Ran ran = run(what);
    CHECK(ran.code == 125); // the id could not be told
    CHECK(lab.wait("1") == 0);
    CHECK(lab.log("1").find("\nfd 0 /dev/null\n") != std::string::npos);
}

TEST_CASE("a thousand runs at once from fifty shells", "[slow]")
{
    const Lab lab;
    constexpr int shells = 50, each = 20;
    const std::string script =
        "i=0; while [ $i -lt 20 ]; do " BGT_BINARY
        " run -- sh -c \"exit $((($1 * 20 + i) % 100))\" || exit 99; i=$((i+1)); done";
    std::vector<std::thread> threads;
    std::vector<Ran> results(shells);
    for (int i = 0; i < shells; ++i)
        threads.emplace_back([&, i] {
            const auto place = static_cast<std::size_t>(i);
            results[place] = run(lab.program({"sh", "-c", script, "sh", std::to_string(i)}), 120s);
        });
    for (std::thread& thread : threads) thread.join();

    std::map<std::string, int> expected;
    for (int i = 0; i < shells; ++i) {
        const Ran& ran = results[static_cast<std::size_t>(i)];
        INFO(ran);
        REQUIRE(ran.code == 0);
        std::istringstream ids(ran.out);
        int nth = 0;
        for (std::string id; std::getline(ids, id); ++nth) expected[id] = (i * each + nth) % 100;
        REQUIRE(nth == each);
    }
    REQUIRE(expected.size() == 1000); // each id once
    CHECK(expected.begin()->first == "1");

    Words wait{"wait"};
    for (const auto& [id, code] : expected) wait.push_back(id);
    CHECK(lab(wait, 120s).in_time);
    const auto answer = lab.ask({"ps", "-a"});
    const auto& tasks = at(answer, "/tasks").as_array();
    REQUIRE(tasks.size() == 1000);
    int wrong = 0;
    for (const auto& task : tasks) {
        const auto& object = task.as_object();
        const auto code = expected.find(std::to_string(number_at(object, "/id")));
        const bool right = code != expected.end() && text_at(object, "/outcome/kind") == "exited" &&
                           number_at(object, "/outcome/code") == code->second &&
                           at(object, "/adopted") == false;
        wrong += right ? 0 : 1;
    }
    CHECK(wrong == 0);
    CHECK(find_task_members(lab.folder()).empty());
}
