// What a new user of bgt run meets: hints, stdin, limits, folders, tasks inside tasks, keys at the
// terminal.
#include "support/catch.hpp"
#include "support/lab.hpp"
#include "support/skip.hpp"

#include <csignal>
#include <filesystem>
#include <sys/resource.h>

using namespace bgt::test;

namespace {

Ran with_input(const Lab& lab, const Words& words, const std::string& input)
{
    auto call = lab.bgt(words);
    call.input = input;
    return run(call);
}

} // namespace

TEST_CASE("a command that was not found: what may have been meant")
{
    const Lab lab;
    const auto says = [&](const Words& command, const std::string& hint) {
        Words words{"run"};
        words.insert(words.end(), command.begin(), command.end());
        const Ran ran = lab(words);
        INFO(ran);
        CHECK(ran.code == 127);
        CHECK(ran.err.find(hint) != ran.err.npos);
    };
    says({"npm run dev"}, "bgt run -c 'npm run dev'");
    says({"FOO=1", "true"}, "bgt run --env 'FOO=1' -- true");
    says({"FOO=1 true"}, "bgt run -c 'FOO=1 true'");
    says({"A=1", "B=2", "true"}, "bgt run --env 'A=1' --env 'B=2' -- true");
    says({"true;false"}, "bgt run -c 'true;false'");
    says({"cd", "x"}, "bgt run --cwd x -- COMMAND");
    says({"export", "A"}, "bgt run -c 'export A'");
    CHECK(lab({"run", "nosuch"}).err.find("-c") == std::string::npos);
}

TEST_CASE("stdin of bgt run: passed on by --stdin -, else what is lost is told")
{
    const Lab lab;
    const Ran passed =
        with_input(lab, {"run", "--wait", "--stdin", "-", "--", "cat"}, "one\ntwo\n");
    INFO(passed);
    CHECK(passed.out == "one\ntwo\n");
    CHECK(passed.err.empty());
    const Ran lost = with_input(lab, {"run", "--wait", "--", "cat"}, "x\n");
    INFO(lost);
    CHECK(lost.out.empty());
    CHECK(lost.err.find("--stdin - passes it") != lost.err.npos);
    CHECK(with_input(lab, {"run", "--wait", "--stdin", "null", "--", "cat"}, "x\n").err.empty());
    CHECK(with_input(lab, {"run", "--wait", "--", "cat"}, "").err.empty());
    // Whatever it is in: here-documents of any size, a file, a socket; not where there is nothing,
    // or where a loop reads it.
    const auto hints = [&](const std::string& script) {
        write_file(lab.work() + "/script", script);
        const Ran ran = run(lab.program({"bash", "script"}));
        INFO(script);
        INFO(ran);
        CHECK(ran.code == 0);
        CHECK(ran.out.empty());
        return ran.err.find("--stdin - passes it") != ran.err.npos;
    };
    write_file(lab.work() + "/file", "echo one\necho two\n");
    const std::string here = BGT_BINARY " run --wait -- bash <<EOF\necho one\n";
    CHECK(hints(here + "EOF\n"));
    CHECK(hints(here + std::string(200'000, '#') + "\nEOF\n"));
    CHECK(hints(BGT_BINARY " run --wait -- bash <<<'echo one'"));
    CHECK(hints(BGT_BINARY " run --wait -- bash <file"));
    CHECK(hints(BGT_BINARY " run --rm -- bash <file >id; rm id"));
    CHECK(!hints(BGT_BINARY " run --wait -- bash </dev/null"));
    CHECK(!hints(BGT_BINARY " run --wait -- bash <&-"));
    CHECK(!hints(": | " BGT_BINARY " run --wait -- bash"));
    CHECK(!hints("while read -r x; do " BGT_BINARY " run --wait -- bash; done <file"));
    // Its writer is told when the command has gone.
    const Ran yes =
        run(lab.program({"sh", "-c", "yes | " BGT_BINARY " run --wait --stdin - -- head -n 1"}));
    INFO(yes);
    CHECK(yes.out == "y\n");
}

TEST_CASE("the caller's limits on files and CPU time are for its commands, not for the supervisor")
{
    const Lab lab;
    auto call =
        lab.bgt({"run", "--name", "web", "-c", "ulimit -t; ulimit -f; yes | head -c 100000"});
    call.in_child = [] {
        rlimit limit{};
        getrlimit(RLIMIT_FSIZE, &limit);
        limit.rlim_cur = 8 * 1024;
        setrlimit(RLIMIT_FSIZE, &limit);
        getrlimit(RLIMIT_CPU, &limit);
        limit.rlim_cur = 7;
        setrlimit(RLIMIT_CPU, &limit);
    };
    REQUIRE(run(call).code == 0);
    CHECK(lab.wait("web") == 0);
    const std::string log = lab.log("1");
    CHECK(log.starts_with("7\n16\n")); // in units of 512 bytes
    CHECK(log.size() == 100000 + 5);
}

TEST_CASE("PWD names the folder of the command")
{
    Lab lab;
    lab.set_env("PWD=" + lab.work());
    std::filesystem::create_directory(lab.work() + "/sub");
    std::filesystem::create_directory_symlink(lab.work(), lab.folder() + "/link");
    const auto pwd = [&](const Words& options) {
        Words words{"run", "--wait"};
        words.insert(words.end(), options.begin(), options.end());
        for (const char* word : {"--", "printenv", "PWD"}) words.emplace_back(word);
        return lab(words).out;
    };
    CHECK(pwd({"--cwd", "sub"}) == std::filesystem::canonical(lab.work()).string() + "/sub\n");
    lab.set_env("PWD=" + lab.folder() + "/link");
    CHECK(pwd({}) == lab.folder() + "/link\n"); // another way to the same folder
}

TEST_CASE("a task that removed itself can be waited for by its id")
{
    const Lab lab;
    const std::string id = lab.start({"--rm", "-c", "exit 7"});
    REQUIRE(
        eventually(test_timeout, [&] { return !std::filesystem::exists(lab.task_folder(id)); }));
    CHECK(lab.wait(id) == 7);
    CHECK(lab({"show", id}).code == 125);
    CHECK(lab({"run", "--wait", "--rm", "-c", "exit 9"}).code == 9);
    CHECK(lab.wait("2") == 9);
    CHECK(lab.wait("99") == 125);
    // By hand it is gone.
    const std::string other = lab.start({"-c", "exit 3"});
    CHECK(lab.wait(other) == 3);
    CHECK(lab({"rm", other}).code == 0);
    CHECK(lab.wait(other) == 125);
}

TEST_CASE("a task inside a task: the grace is not inherited, and it can't replace its own task")
{
    const Lab lab;
    const std::string outer =
        lab.start({"--name", "web", "--grace", "17s", "-c",
                   BGT_BINARY " run --explain -- true; " BGT_BINARY
                              " run --name web --replace -- true; exec sleep 1000"});
    REQUIRE(lab.logged(outer, "bgt restart web"));
    const std::string log = lab.log(outer);
    INFO(log);
    CHECK(log.find("17s") == log.npos);
    CHECK(log.find("would take it along") != log.npos);
    CHECK(text_at(lab.show(outer), "/lifecycle") == "running");
}

TEST_CASE("--kill-mode mixed: the stop signal goes to the main process alone")
{
    const Lab lab;
    // A parent that ends its child in its own way, as gunicorn and nginx do; a signal of its own
    // would cut the child off.
    write_file(lab.work() + "/child.sh", "trap 'echo cut off; exit 1' TERM; trap 'echo clean; exit "
                                         "0' WINCH; echo ready; while :; do sleep 0.05; done\n");
    write_file(lab.work() + "/parent.sh", "sh child.sh & c=$!; trap 'kill -WINCH $c; wait $c; echo "
                                          "done; exit 0' TERM; while :; do sleep 0.05; done\n");
    for (const char* mode : {"tree", "mixed"}) {
        const std::string id = lab.start({"--kill-mode", mode, "--", "sh", "parent.sh"});
        REQUIRE(lab.logged(id, "ready\n"));
        CHECK(lab({"kill", id}).code == 0);
        INFO(lab.log(id));
        CHECK((lab.log(id).find("cut off") != std::string::npos) == (mode == std::string("tree")));
        CHECK((lab.log(id).find("clean\ndone\n") != std::string::npos) ==
              (mode == std::string("mixed")));
    }
    // SIGKILL goes to all.
    const std::string id = lab.start({"--kill-mode", "mixed", "--grace", "200ms", "-c",
                                      "trap '' TERM; sleep 1000 & echo pids $$ $!; wait; wait"});
    const auto pids = lab.pids_said(id);
    CHECK(lab({"kill", id}).code == 0);
    CHECK(all_gone(pids));
    const Ran explained = lab({"run", "--explain", "--", "gunicorn", "app:app"});
    INFO(explained);
    CHECK(explained.out.find("mixed") != explained.out.npos);
    write_file(lab.work() + "/bgt.toml", "[[rule]]\nmatch = \"sleep\"\nkill_mode = \"mixed\"\n");
    CHECK(lab({"run", "--explain", "--", "sleep", "1"}).out.find("mixed") != std::string::npos);
}

TEST_CASE("at the terminal: Ctrl-Z pauses the task and fg resumes it, Ctrl-\\ asks")
{
    const std::string python = find_program("python3");
    if (python.empty()) return skip("python3 is not there");
    const Lab lab;
    const std::string program = R"py(
import os, pty, signal, subprocess, sys, time
bgt = sys.argv[1]
pid, fd = pty.fork()
if pid == 0: os.execv(bgt, [bgt, 'run', '--wait', '--name', 'web', '--', 'sleep', '1000'])
def until(what):
    end = time.time() + 30
    while time.time() < end:
        if what(): return
        time.sleep(0.05)
    sys.exit('too late: ' + what.__name__)
def paused(): return b'"paused":true' in subprocess.run([bgt, 'show', '--json', 'web'], capture_output=True).stdout
def stopped():
    os.write(fd, b'\x1a') # may come before bgt has begun to stay
    got, status = os.waitpid(pid, os.WNOHANG | os.WUNTRACED)
    return got == pid and os.WIFSTOPPED(status)
until(stopped)
if not paused(): sys.exit('not paused')
os.kill(pid, signal.SIGCONT)
def resumed(): return not paused()
until(resumed)
os.write(fd, b'\x1c')
text = b''
while b'[b]ackground' not in text: text += os.read(fd, 1000)
os.write(fd, b'b\n')
got, status = os.waitpid(pid, 0)
print('code', os.waitstatus_to_exitcode(status))
)py";
    const Ran ran = run(lab.program({python, "-c", program, BGT_BINARY}), milliseconds(90'000));
    INFO(ran);
    CHECK(ran.out == "code 124\n");
    CHECK(text_at(lab.show("web"), "/lifecycle") == "running");
    CHECK(at(lab.show("web"), "/paused") == false);
}
