// bgt wait: conditions, several tasks, early ends.
#include "support/catch.hpp"
#include "support/lab.hpp"

#include <csignal>
#include <memory>

using namespace bgt::test;

TEST_CASE("wait for text in the output")
{
    const Lab lab;
    const std::string id = lab.start_fixture({"--stdin", "pipe"}, {"echo-stdin"});
    Child wait(lab.bgt({"wait", "--for", "log:^server (up|ready) [0-9]+$", id}));
    CHECK(lab({"send", id, "server down"}).code == 0);
    CHECK(lab({"send", "-n", id, "server "}).code == 0);
    CHECK(lab({"send", id, "ready 42"}).code == 0);
    const Ran ran = wait.finish();
    INFO(ran);
    CHECK(ran.in_time);
    CHECK(ran.code == 0);
    CHECK(ran.out.empty());
    CHECK(ran.err.empty());
    // What was there before counts too.
    CHECK(lab({"wait", "--for", "log:^ready$", id}).code == 0);
    CHECK(text_at(lab.show(id), "/lifecycle") == "running");
}

TEST_CASE("wait for a port of the tree")
{
    const Lab lab;
    const std::string id = lab.start({"-c", "sleep 0.2; " BGT_FIXTURE " listen 0 & wait"});
    const Ran ran = lab({"wait", "--for", "port", "--timeout", "20s", id});
    INFO(ran);
    CHECK(ran.code == 0);
    const std::string log = lab.log(id);
    REQUIRE(log.starts_with("port "));
    const std::string port = log.substr(5, log.size() - 6);
    CHECK(text_at(lab.show(id), "/ports") == "[" + port + "]");
    CHECK(lab({"wait", "--for", "port:" + port, "--for", "tcp:localhost:" + port, "--for",
               "tcp:127.0.0.1:" + port, id})
              .code == 0);
    // A port that somebody else listens on is not the tree's.
    const std::string other = lab.start({"--", "sleep", "100"});
    CHECK(lab({"wait", "--for", "port:" + port, "--timeout", "300ms", other}).code == 124);
    CHECK(lab({"wait", "--for", "tcp:127.0.0.1:" + port, "--timeout", "20s", other}).code == 0);
}

TEST_CASE("wait for an answer over HTTP")
{
    const Lab lab;
    const std::string port = std::to_string(free_port());
    const std::string id = lab.start_fixture({}, {"http", port, "404"});
    CHECK(lab({"wait", "--for", "http:http://127.0.0.1:" + port + "/x=404", "--timeout", "20s", id})
              .code == 0);
    const Ran refused = lab({"wait", "--for", "http:localhost:" + port, "--timeout", "2s", id});
    INFO(refused);
    CHECK(refused.code == 124);
    CHECK(refused.err.find("(last try: answered 404)") != std::string::npos);
    const Ran none = lab({"wait", "--for", "http:127.0.0.1:1", "--timeout", "0", id});
    INFO(none);
    CHECK(none.code == 124);
    CHECK(none.err.find("refused") != std::string::npos);
    Child wait(lab.bgt({"wait", "--for", "http:localhost:" + port, id}));
    REQUIRE(eventually(test_timeout, [&] { return state_of(wait.pid()) == 'S'; }));
    CHECK(lab({"kill", id}).code == 0);
    CHECK(wait.finish().code == 121);
}

TEST_CASE("a first answer over HTTP may take longer than half a minute", "[slow]")
{
    const Lab lab;
    const std::string python = find_program("python3");
    if (python.empty()) return;
    const std::string port = std::to_string(free_port());
    const std::string id = lab.start({"--", python, "-c",
                                      "import http.server, time\n"
                                      "class H(http.server.BaseHTTPRequestHandler):\n"
                                      "    def do_GET(self):\n"
                                      "        time.sleep(32)\n"
                                      "        self.send_response(204)\n"
                                      "        self.end_headers()\n"
                                      "http.server.HTTPServer(('127.0.0.1', " +
                                          port + "), H).serve_forever()"});
    CHECK(lab({"wait", "--for", "tcp:127.0.0.1:" + port, "--timeout", "20s", id}).code == 0);
    const Ran ran = lab({"wait", "--for", "http:127.0.0.1:" + port, "--timeout", "50s", id},
                        std::chrono::seconds(70));
    INFO(ran);
    CHECK(ran.code == 0);
}

TEST_CASE("wait for a file and for a command")
{
    const Lab lab;
    const std::string id = lab.start({"-c", "sleep 0.2; echo x > made; exec sleep 100"});
    CHECK(lab({"wait", "--for", "file:made", "--for", "cmd:grep -q x made", "--timeout", "20s", id})
              .code == 0);
    CHECK(lab({"wait", "--for", "file:not-made", "--timeout", "200ms", id}).code == 124);
    CHECK(lab({"wait", "--for", "cmd:exit 1", "--timeout", "200ms", id}).code == 124);
}

TEST_CASE("a wait ends early when the condition can no longer be met")
{
    const Lab lab;
    const std::string id = lab.start_fixture({"--stdin", "pipe"}, {"echo-stdin"});
    const std::string condition = GENERATE("log:never", "port", "port:1", "tcp:127.0.0.1:1",
                                           "file:/no/such/file", "cmd:false");
    INFO(condition);
    Child wait(lab.bgt({"wait", "--timeout", "60s", "--for", condition, id}));
    CHECK(lab({"send", "--eof", id}).code == 0);
    const Ran ran = wait.finish();
    INFO(ran);
    CHECK(ran.in_time);
    CHECK(ran.code == 121);
    CHECK(ran.out.empty());
    CHECK(ran.err.starts_with("bgt wait: "));
    CHECK(std::count(ran.err.begin(), ran.err.end(), '\n') == 1);
}

TEST_CASE("the first of several ends a wait with --any")
{
    const Lab lab;
    const std::string slow = lab.start({"--", "sleep", "100"});
    const std::string other = lab.start({"-c", "sleep 0.3; exit 9"});
    CHECK(lab({"wait", "--any", slow, other}).code == 9);
    CHECK(lab({"wait", "--any", "--for", "log:never", "--for", "file:/", slow}).code == 0);
    CHECK(text_at(lab.show(slow), "/lifecycle") == "running");
}

TEST_CASE("a wait that is interrupted leaves the task alone")
{
    const Lab lab;
    const std::string id = lab.start({"--", "sleep", "100"});
    Child wait(lab.bgt({"wait", id}));
    REQUIRE(eventually(test_timeout, [&] { return state_of(wait.pid()) == 'S'; }));
    wait.send(SIGINT);
    const Ran ran = wait.finish();
    CHECK(ran.in_time);
    CHECK(ran.code == 128 + SIGINT);
    CHECK(text_at(lab.show(id), "/lifecycle") == "running");
}

TEST_CASE("many waits of one task all end with its code")
{
    const Lab lab;
    const std::string id = lab.start({"--stdin", "pipe", "-c", "read x; exit 33"});
    std::vector<std::unique_ptr<Child>> waits;
    for (int i = 0; i < 20; ++i) waits.push_back(std::make_unique<Child>(lab.bgt({"wait", id})));
    CHECK(lab({"send", id, "go"}).code == 0);
    for (const auto& wait : waits) {
        const Ran ran = wait->finish();
        CHECK(ran.in_time);
        CHECK(ran.code == 33);
    }
}

TEST_CASE("a wait for nothing in particular")
{
    const Lab lab;
    CHECK(lab({"wait", "--all"}).code == 0); // nothing lives
    const Ran none = lab({"wait"});
    CHECK(none.code == 125);
    CHECK(none.err ==
          "bgt wait: which task? give an id, a name, - (the newest), --all, --name or --tag\n");
    lab.start({"-c", "exit 4"});
    CHECK(lab({"wait", "-"}).code == 4);
}

TEST_CASE("a line that matches log-fail ends the wait with 121")
{
    const Lab lab;
    const std::string id = lab.start_fixture({"--stdin", "pipe"}, {"echo-stdin"});
    const Words conditions =
        GENERATE(Words{}, Words{"--for", "log:^never said"}, Words{"--any", "--for", "port"});
    Words words{"wait", id, "--for", "log-fail:E[0-9]+"};
    words.insert(words.end(), conditions.begin(), conditions.end());
    Child wait(lab.bgt(words));
    CHECK(lab({"send", id, "fine so far"}).code == 0);
    CHECK(lab({"send", id, "error E42"}).code == 0);
    const Ran ran = wait.finish();
    INFO(ran);
    CHECK(ran.in_time);
    CHECK(ran.code == 121);
    CHECK(ran.err.find("(log-fail)") != std::string::npos);
    CHECK(text_at(lab.show(id), "/lifecycle") == "running");
}

TEST_CASE("log-fail alone waits for the end, and is true when nothing matched")
{
    const Lab lab;
    CHECK(
        lab({"wait", "--for", "log-fail:nonsense", lab.start({"-c", "echo fine; exit 7"})}).code ==
        7);
    CHECK(lab({"wait", "--for", "log-fail:nonsense", "--for", "log:fine",
               lab.start({"-c", "echo fine; exec sleep 100"})})
              .code == 0);
    CHECK(lab({"wait", "--for", "log-fail:fine", lab.start({"-c", "echo fine; exit 0"})}).code ==
          121);
}

TEST_CASE("wait until something is gone")
{
    const Lab lab;
    const std::string id = lab.start_fixture({}, {"listen", "0"});
    REQUIRE(lab.logged(id, "port "));
    const std::string log = lab.log(id);
    const std::string port = log.substr(5, log.size() - 6);
    CHECK(lab({"wait", "--for", "gone:port:" + port, "--timeout", "200ms", id}).code == 124);
    CHECK(lab({"wait", "--for", "gone:tcp:127.0.0.1:" + port, "--timeout", "200ms", id}).code ==
          124);
    write_file(lab.work() + "/mark", "");
    Child file(lab.bgt({"wait", "--for", "gone:file:mark", id}));
    Child both(
        lab.bgt({"wait", "--for", "gone:port:" + port, "--for", "gone:tcp:127.0.0.1:" + port, id}));
    REQUIRE(eventually(test_timeout, [&] { return state_of(both.pid()) == 'S'; }));
    std::filesystem::remove(lab.work() + "/mark");
    CHECK(file.finish().code == 0);
    CHECK(lab({"kill", id}).code == 0);
    const Ran ran = both.finish();
    INFO(ran);
    CHECK(ran.code == 0);
}

TEST_CASE("wait for a Unix socket")
{
    const Lab lab;
    const std::string python = find_program("python3");
    if (python.empty()) return;
    const std::string id = lab.start(
        {"--", python, "-c",
         "import socket,time; s=socket.socket(socket.AF_UNIX); s.bind('sock'); time.sleep(0.1); "
         "s.listen(8); time.sleep(100)"});
    CHECK(lab({"wait", "--for", "unix:sock", "--timeout", "20s", id}).code == 0);
    CHECK(lab({"wait", "--for", "unix:other", "--timeout", "100ms", id}).code == 124);
}

TEST_CASE("wait until a task is quiet")
{
    const Lab lab;
    const std::string id = lab.start_fixture({"--stdin", "pipe"}, {"echo-stdin"});
    CHECK(lab({"send", id, "x"}).code == 0);
    REQUIRE(lab.logged(id, "x"));
    const Stopwatch watch;
    CHECK(lab({"wait", "--for", "quiet:300ms", id}).code == 0);
    CHECK(watch.elapsed() >= 200ms);
    CHECK(lab({"wait", "--for", "quiet:1h", "--timeout", "100ms", id}).code == 124);
    Child wait(lab.bgt({"wait", "--for", "quiet:1h", id}));
    CHECK(lab({"send", "--eof", id}).code == 0);
    CHECK(wait.finish().code == 121);
}

TEST_CASE("a wait for a task that can never be called ready ends at once")
{
    const Lab lab;
    const std::string id = lab.start({"--", "sleep", "100"});
    const Ran ran = lab({"wait", "--for", "ready", id});
    INFO(ran);
    CHECK(ran.code == 121);
    CHECK(ran.err.find("--ready-") != std::string::npos);
}

TEST_CASE("wait until a task uses much memory")
{
    const Lab lab;
    const std::string python = find_program("python3");
    if (python.empty()) return;
    const std::string id =
        lab.start({"--stdin", "pipe", "--", python, "-c",
                   "import time; input(); x = b'x' * (200 << 20); time.sleep(1000)"});
    CHECK(lab({"wait", "--for", "mem>64K", "--timeout", "20s", id}).code == 0);
    const Ran little = lab({"wait", "--for", "mem>150M", "--timeout", "300ms", id});
    INFO(little);
    CHECK(little.code == 124);
    CHECK(little.err.find("before it used more than 150MiB of memory") != std::string::npos);
    Child wait(lab.bgt({"wait", "--for", "mem>150M", id}));
    CHECK(lab({"send", id, "go"}).code == 0);
    const Ran ran = wait.finish();
    INFO(ran);
    CHECK(ran.in_time);
    CHECK(ran.code == 0);
    CHECK(lab({"kill", id}).code == 0);
    CHECK(lab({"wait", "--for", "mem>1", id}).code == 121);
}

TEST_CASE("wait until a task uses little CPU")
{
    const Lab lab;
    // It works in short-lived children, whose use is not lost, until a line comes.
    const std::string id =
        lab.start({"--stdin", "pipe", "-c",
                   "while :; do sh -c 'i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done'; done & "
                   "read x; kill $!; wait; echo calm; exec sleep 1000"});
    const Ran busy = lab({"wait", "--for", "cpu<1%:1s", "--timeout", "2500ms", id});
    INFO(busy);
    CHECK(busy.code == 124);
    CHECK(busy.err.find("before it used less than 1% of a core for 1s") != std::string::npos);
    Child wait(lab.bgt({"wait", "--for", "cpu<10%:1s", id}));
    CHECK(lab({"send", id, "rest"}).code == 0);
    const Ran ran = wait.finish();
    INFO(ran);
    CHECK(ran.in_time);
    CHECK(ran.code == 0);
    CHECK(lab.log(id) == "calm\n");
    CHECK(lab({"kill", id}).code == 0);
    CHECK(lab({"wait", "--for", "cpu<10%:1s", id}).code == 121);
}

TEST_CASE("a wait by name or tag sees ended tasks, and says when there is none")
{
    const Lab lab;
    const std::string id = lab.start({"--tag", "ci=1", "--name", "quick", "-c", "exit 7"});
    CHECK(lab.wait(id) == 7);
    CHECK(lab({"wait", "--tag", "ci=1"}).code == 7);
    CHECK(lab({"wait", "--name", "qui*"}).code == 7);
    for (const Words& words :
         {Words{"--tag", "ci=2"}, Words{"--for", "port:5173", "--name", "typo"}}) {
        Words all{"wait"};
        all.insert(all.end(), words.begin(), words.end());
        const Ran ran = lab(all);
        INFO(ran);
        CHECK(ran.code == 125);
        CHECK(ran.err.find("no task has this name or tag") != std::string::npos);
    }
    // The name has gone to another task: the old one is not meant.
    lab.start({"--name", "quick", "-c", "echo up; exec sleep 1000"});
    CHECK(lab({"wait", "--name", "quick", "--for", "log:up", "--timeout", "20s"}).code == 0);
}

TEST_CASE("a wait leaves a line of how it ended on a terminal")
{
    const Lab lab;
    const std::string python = find_program("python3");
    if (python.empty()) return;
    const std::string id = lab.start({"--name", "quick", "-c", "echo up; exit 3"});
    const auto on_terminal = [&](const std::string& words) {
        const std::string program =
            "import pty, sys; pty.spawn(['" BGT_BINARY "', 'wait'" + words + "])";
        return run({{python, "-c", program}, lab.bgt({}).env, lab.work(), std::nullopt, {}}).out;
    };
    CHECK(on_terminal(", 'quick'").find(id + " quick ended (exit 3)") != std::string::npos);
    CHECK(on_terminal(", '--for', 'log:up', 'quick'")
              .find(id + " quick: its output matched \"up\"") != std::string::npos);
    CHECK(lab({"wait", "quick"}).err.empty()); // nothing but on a terminal
}
