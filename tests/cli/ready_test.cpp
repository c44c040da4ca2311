// Readiness: bgt run --wait-ready and bgt wait --for ready.
#include "support/catch.hpp"
#include "support/eventually.hpp"
#include "support/lab.hpp"
#include "support/skip.hpp"

#include <csignal>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace bgt::test;

TEST_CASE("ready by its output, seen by a waiter too")
{
    const Lab lab;
    const Ran ran = lab({"run", "--ready-log", "up on [0-9]+", "--wait-ready", "-c",
                         "sleep 0.3; echo up on 80; exec sleep 1000"});
    INFO(ran);
    REQUIRE(ran.code == 0);
    const std::string id = ran.out.substr(0, ran.out.size() - 1);
    CHECK(text_at(lab.show(id), "/ready") == "true");
    CHECK(text_at(lab.show(id), "/kind") == "service");
    CHECK(text_at(lab.show(id), "/ready_at") != "null");
    CHECK(lab({"wait", "--for", "ready", id}).code == 0);
    CHECK(number_at(lab.show(id), "/processes") ==
          1); // who watched for it is gone, and was no part of the tree
}

TEST_CASE("ready by a port and a file: both must come")
{
    const Lab lab;
    const Ran ran = lab({"run", "--ready-port", "any", "--ready-file", "flag", "--wait-ready", "-c",
                         "sleep 0.2; " BGT_FIXTURE " listen 0 & sleep 0.4; touch flag; wait"});
    INFO(ran);
    REQUIRE(ran.code == 0);
    CHECK(std::filesystem::exists(lab.work() + "/flag"));
}

/// Wakes the task that reads a line from the FIFO. Fails where nobody does.
bool write_line(const std::string& fifo)
{
    return eventually(test_timeout, [&] {
        const int fd = ::open(fifo.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC);
        if (fd < 0) return false;
        const bool written = ::write(fd, "x\n", 2) == 2;
        ::close(fd);
        return written;
    });
}

TEST_CASE("readiness is looked at again while somebody asks, and its loss is told")
{
    const Lab lab;
    const std::string go = lab.work() + "/go";
    // Another one: who opens the first again before its writer has closed it reads end-of-file.
    const std::string again = lab.work() + "/again";
    REQUIRE(::mkfifo(go.c_str(), 0600) == 0);
    REQUIRE(::mkfifo(again.c_str(), 0600) == 0);
    const std::string id = lab.start(
        {"--ready-port", "any", "--ready-file", "flag", "-c",
         "echo pids $$; " BGT_FIXTURE
         " listen 0 & touch flag; read x < go; kill $!; wait; read x < again; " BGT_FIXTURE
         " listen 0 & wait"});
    REQUIRE(eventually(test_timeout, [&] {
        return lab({"wait", "--for", "ready", "--timeout", "1", id}).code == 0;
    }));
    SECTION("a file that has gone")
    {
        std::filesystem::remove(lab.work() + "/flag");
        CHECK(lab({"ps"}).out.find("ready") == std::string::npos);
        CHECK(lab({"wait", "--for", "ready", "--timeout", "100ms", id}).code == 124);
        const Ran why = lab({"why", id});
        INFO(why);
        CHECK(why.out.find("not ready file:flag: not there") != why.out.npos);
        CHECK(why.out.find("not ready port") == why.out.npos);
        write_file(lab.work() + "/flag", "");
        CHECK(lab({"wait", "--for", "ready", "--timeout", "10", id}).code == 0);
    }
    SECTION("a port that nobody listens on any more")
    {
        REQUIRE(write_line(go));
        const bool lost =
            eventually(test_timeout, [&] { return at(lab.show(id), "/ready") == false; });
        INFO(lab({"show", id}));
        REQUIRE(lost);
        CHECK(lab({"show", id}).out.find("ready-lost") != std::string::npos);
        REQUIRE(write_line(again));
        CHECK(lab({"wait", "--for", "ready", "--timeout", "10", id}).code == 0);
    }
}

TEST_CASE("why of several tasks: their supervisors make the reports at the same time")
{
    const Lab lab;
    constexpr int tasks = 20;
    for (int i = 0; i < tasks; ++i) lab.start({"--", "sleep", "1000"});
    const auto reports = at(lab.ask({"why", "--full", "--all"}), "/reports").as_array();
    REQUIRE(reports.size() == tasks);
    for (const auto& report : reports) CHECK(text_at(report.as_object(), "/verdict") == "sleeping");
    // One after the other takes at least 300 ms each.
    const Ran ran = lab({"why", "--all"});
    CHECK(ran.took < milliseconds(tasks * 300));
}

TEST_CASE("why tells who holds the port that a task says is in use")
{
    const Lab lab;
    const std::string port = std::to_string(free_port());
    const std::string holder = lab.start({"--ready-port", port, "--", BGT_FIXTURE, "listen", port});
    REQUIRE(lab({"wait", "--for", "ready", "--timeout", "10", holder}).code == 0);
    const std::string id =
        lab.start({"-c", "echo 'Error: listen EADDRINUSE: address already in use :::" + port +
                             "' >&2; exit 1"});
    CHECK(lab.wait(id) == 1);
    const Ran why = lab({"why", id});
    INFO(why);
    CHECK(why.out.find("port " + port + " is in use by pid " + text_at(lab.show(holder), "/pid")) !=
          why.out.npos);
    CHECK(at(lab.ask({"why", id}), "/ports_in_use/0/task") == std::stoll(holder));
    // Where only the command says which port it was.
    for (const Words& words :
         {Words{port}, Words{"--port=" + port}, Words{"-b", "0.0.0.0:" + port}}) {
        Words command{"--", "sh", "-c", "echo 'OSError: [Errno 98] Address already in use'; exit 1",
                      "sh"};
        command.insert(command.end(), words.begin(), words.end());
        const std::string silent = lab.start(command);
        CHECK(lab.wait(silent) == 1);
        CHECK(at(lab.ask({"why", silent}), "/ports_in_use/0/task") == std::stoll(holder));
    }
}

TEST_CASE("what ends before it is ready can't become it")
{
    const Lab lab;
    const Ran ran = lab({"run", "--ready-log", "up", "--wait-ready", "-c", "sleep 0.2; exit 3"});
    INFO(ran);
    CHECK(ran.code == 121);
    CHECK(ran.err.find("before it was ready") != std::string::npos);
    CHECK(lab.wait("-") == 3);
}

TEST_CASE("who waits is told at once that a living task can no longer become ready")
{
    const Lab lab;
    const std::string id = lab.start({"--ready-log", "up", "--ready-timeout", "600ms", "--on-hang",
                                      "report", "--", "sleep", "1000"});
    const Ran ran = lab({"wait", "--for", "ready", "--timeout", "20s", id});
    INFO(ran);
    CHECK(ran.code == 121);
    CHECK(ran.err.find("can no longer become ready") != std::string::npos);
    CHECK(text_at(lab.show(id), "/lifecycle") == "running");
}

TEST_CASE("ready-timeout ends with the code of a hang")
{
    const Lab lab;
    const Ran ran = lab({"run", "--ready-log", "up", "--ready-timeout", "500ms", "--wait-ready",
                         "--", "sleep", "1000"});
    INFO(ran);
    CHECK(ran.code == 120);
    CHECK(text_at(lab.show("-"), "/outcome/reason") == "ready-timeout");
}

TEST_CASE("ready by a message of the task itself, with progress")
{
    const Lab lab;
    const Ran ran = lab({"run", "--ready-notify", "--wait-ready", "-c",
                         BGT_BINARY " notify --ready --status serving --progress 40% --step "
                                    "linking --total-steps 5; exec sleep 1000"});
    INFO(ran);
    REQUIRE(ran.code == 0);
    const auto task = lab.show("-");
    CHECK(text_at(task, "/progress/text") == "serving");
    CHECK(text_at(task, "/progress/step") == "linking");
    CHECK(number_at(task, "/progress/total_steps") == 5);
    CHECK(at(task, "/progress/fraction").as_double() == 0.4);
    CHECK(lab({"wait", "--for", "progress=40%", "-"}).code == 0);
    CHECK(lab({"wait", "--for", "progress=0.5", "--timeout", "300ms", "-"}).code == 124);
}

TEST_CASE("messages from outside the tree, and malformed ones, change nothing")
{
    const Lab lab;
    const std::string id = lab.start({"--ready-notify", "--", "sleep", "1000"});
    const std::string socket = lab.task_folder(id) + "/ctl.sock";
    auto outside = lab.bgt({"notify", "--ready"});
    outside.env.push_back("NOTIFY_SOCKET=" + socket);
    CHECK(run(outside).in_time);
    CHECK(text_at(lab.show(id), "/ready") == "false");
    const Ran inside =
        lab({"run", "--ready-notify", "--wait-ready", "--timeout", "20s", "--", "python3", "-c",
             "import os, socket, time\n"
             "s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)\n"
             "s.connect(os.environ['NOTIFY_SOCKET'])\n"
             "s.send(b'\\x00\\xff nonsense')\n"
             "s.send(b'WATCHDOG_USEC=-1\\nSTATUS=\\x1b[31m')\n"
             "s.send(b'x' * 65000)\n"
             "for i in range(20000): s.send(b'STATUS=%d' % i)\n"
             "s.send(b'READY=1')\n"
             "time.sleep(1000)\n"});
    INFO(inside);
    CHECK(inside.code == 0);
    bool told = false;
    const auto task = lab.show("-");
    for (const auto& event : task.at("events").as_array())
        told |= text_at(event.as_object(), "/event") == "notification-malformed";
    CHECK(told);
}

TEST_CASE("a daemon becomes ready after its main process has ended")
{
    const Lab lab;
    const std::string id = lab.start({"--leftover", "wait", "--ready-log", "up", "-c",
                                      "(sleep 0.5; echo up; exec sleep 1000) & exit 0"});
    const Ran ran = lab({"wait", "--for", "ready", "--timeout", "20s", id});
    INFO(ran);
    CHECK(ran.code == 0);
    CHECK(text_at(lab.show(id), "/lifecycle") == "running");
    lab({"kill", id});
}

TEST_CASE("a stranger on its port makes no task ready, and is named")
{
    const Lab lab;
    const std::string port = std::to_string(free_port());
    Child stranger(lab.program({BGT_FIXTURE, "http", port}));
    REQUIRE(stranger.says("port"));
    const std::string who =
        "answered by pid " + std::to_string(stranger.pid()) + ", not of this task";
    const std::string id = lab.start(
        {"--ready-http", "http://localhost:" + port, "-c", "echo EADDRINUSE; exec sleep 1000"});
    const Ran waited = lab({"wait", "--for", "ready", "--timeout", "1s", id});
    INFO(waited);
    CHECK(waited.code == 124);
    CHECK(waited.err.find(who) != std::string::npos);
    CHECK(text_at(lab.show(id), "/ready") == "false");
    CHECK(text_at(lab.show(id), "/not_ready/0").find(who) != std::string::npos);
    CHECK(lab({"why", id}).out.find(who) != std::string::npos);
    CHECK(lab({"kill", id}).code == 0);
    const std::string cause = text_at(lab.ask({"why", id}).as_object(), "/ends/0/cause");
    INFO(cause);
    CHECK(cause.find("it was never ready: http:http://localhost:" + port + ": " + who) !=
          std::string::npos);

    const std::string listens = lab.start({"--ready-port", port, "--", "sleep", "1000"});
    CHECK(lab({"wait", "--for", "ready", "--timeout", "200ms", listens})
              .err.find("pid " + std::to_string(stranger.pid())) != std::string::npos);
    // Where it is asked for a place, and not for the task, whoever answers will do.
    CHECK(lab({"wait", "--for", "tcp:localhost:" + port, "--timeout", "10s", listens}).code == 0);
    stranger.send(SIGKILL);
    stranger.finish();
    const std::string own =
        lab.start({"--ready-http", "http://localhost:" + port, "--", BGT_FIXTURE, "http", port});
    CHECK(lab({"wait", "--for", "ready", "--timeout", "10s", own}).code == 0);
}

TEST_CASE("the last answer over HTTP is told, while it runs and when it has ended")
{
    const Lab lab;
    const std::string port = std::to_string(free_port());
    const std::string url = "http://localhost:" + port;
    const std::string id = lab.start({"--ready-http", url, "--", BGT_FIXTURE, "http", port, "404"});
    const std::string said = "http:" + url + ": answered 404";
    REQUIRE(eventually(test_timeout, [&] {
        return text_at(lab.show(id), "/not_ready/0").find("404") != std::string::npos;
    }));
    CHECK(lab({"show", id}).out.find("not ready  " + said) != std::string::npos);
    const Ran waited = lab({"wait", "--for", "ready", "--timeout", "300ms", "--json", id});
    INFO(waited);
    CHECK(waited.code == 124);
    CHECK(waited.err.empty());
    CHECK(waited.out.find("before it was ready (" + said + ")") != std::string::npos);
    CHECK(waited.out.find("\"end\":\"timed-out\"") != std::string::npos);
    CHECK(waited.out.find("\"not_ready\":[\"" + said + "\"]") != std::string::npos);
    const Ran asked = lab({"wait", "--for", url, "--timeout", "1s", "--json", id});
    CHECK(asked.out.find("\"last_answer\":\"answered 404\"") != std::string::npos);
    CHECK(lab({"kill", id}).code == 0);
    const Ran ready = lab({"wait", "--for", "ready", id});
    INFO(ready);
    CHECK(ready.code == 121);
    CHECK(ready.err.find(said) != std::string::npos);
    CHECK(text_at(lab.ask({"why", id}).as_object(), "/ends/0/cause")
              .find("it was never ready: " + said) != std::string::npos);
    CHECK(text_at(lab.show(id), "/not_ready/0") == said);
}

TEST_CASE("ready by https, which curl asks")
{
    Lab lab;
    const std::string curl = find_program("curl"), openssl = find_program("openssl"),
                      python = find_program("python3");
    if (curl.empty() || openssl.empty() || python.empty())
        return skip("curl, openssl and python3 are needed");
    const std::string port = std::to_string(free_port());
    write_file(lab.work() + "/serve.py", R"(
import http.server, ssl, subprocess, sys
subprocess.run(['openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', 'key.pem', '-out',
                'cert.pem', '-subj', '/CN=localhost', '-days', '1'], check=True, stderr=subprocess.DEVNULL)
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(204)
        self.end_headers()
server = http.server.HTTPServer(('127.0.0.1', int(sys.argv[1])), Handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain('cert.pem', 'key.pem')
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
)");
    write_file(lab.work() + "/.curlrc", "url = http://localhost:1/\nfail\n");
    lab.set_env("HOME=" + lab.work());
    const std::string url = "https://localhost:" + port;
    const std::string id =
        lab.start({"--ready-http", url + "=204", "--", python, "serve.py", port});
    const Ran ready = lab({"wait", "--for", "ready", "--timeout", "20s", id});
    INFO(ready);
    CHECK(ready.code == 0);
    CHECK(lab({"wait", "--for", url, "--timeout", "20s", id}).code == 0);
    const Ran other = lab({"wait", "--for", url + "=200", "--timeout", "1s", id});
    CHECK(other.err.find("(last try: answered 204)") != std::string::npos);
    const Ran refused = lab({"wait", "--for", "https://127.0.0.1:1", "--timeout", "1s", id});
    INFO(refused);
    CHECK(refused.err.find("no HTTPS answer from 127.0.0.1 port 1: ") != std::string::npos);
    lab.set_env("PATH=/nonexistent");
    const Ran without = lab({"wait", "--for", url, "--timeout", "500ms", id});
    INFO(without);
    CHECK(without.code == 124);
    CHECK(without.err.find("curl, which is not installed") != std::string::npos);
}

TEST_CASE("the ports of a task in another network namespace are its ports")
{
    const Lab lab;
    if (run(lab.program({"unshare", "-Urn", "true"})).code != 0)
        return skip("unshare -Urn is not possible here");
    const std::string id = lab.start(
        {"--ready-port", "4321", "-c", "exec unshare -Urn " BGT_FIXTURE " listen 4321 --any"});
    CHECK(lab({"wait", "--for", "ready", "--timeout", "10s", id}).code == 0);
    CHECK(lab({"wait", "--for", "port:4321", "--timeout", "10s", id}).code == 0);
    CHECK(number_at(lab.show(id), "/ports/0") == 4321);
    CHECK(number_at(lab.ask({"ps"}).as_object(), "/tasks/0/ports/0") == 4321);
    const std::string here = lab.start({"--", "sleep", "100"});
    CHECK(lab({"wait", "--for", "port:4321", "--timeout", "200ms", here}).code == 124);
}
