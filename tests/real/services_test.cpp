// Real servers, those that become daemons among them: started, waited for, ended, and nothing left.
#include "real/postgres.hpp"
#include "support/catch.hpp"
#include "support/lab.hpp"
#include "support/skip.hpp"

#include <algorithm>
#include <csignal>
#include <unistd.h>

using namespace bgt::test;

namespace fs = std::filesystem;

namespace {

/// The living tree of a task, seen from its supervisor: servers overwrite their environment to show
/// a title.
std::vector<pid_t> tree_of(const Lab& lab, const std::string& task)
{
    return descendants_of(static_cast<pid_t>(number_at(lab.show(task), "/supervisor")));
}

/// Waits for the port, checks that the tree is as large as expected, kills it, and looks whether
/// anything is left.
void check_life(const Lab& lab, const std::string& task, std::uint16_t port,
                std::size_t min_processes)
{
    const Ran ready =
        lab({"wait", "--timeout", "30", "--for", "port:" + std::to_string(port), task}, 40s);
    INFO(ready);
    INFO(lab.log(task));
    REQUIRE(ready.code == 0);
    CHECK(port_is_open(port));
    CHECK(text_at(lab.show(task), "/ports").find(std::to_string(port)) != std::string::npos);
    std::vector<pid_t> tree;
    CHECK(eventually(test_timeout,
                     [&] { return (tree = tree_of(lab, task)).size() >= min_processes; }));
    const Ran killed = lab({"kill", task});
    INFO(killed);
    CHECK(killed.code == 0);
    CHECK(killed.took < 5s + 200ms + 1s);
    CHECK(all_gone(tree));
    CHECK(find_task_members(lab.folder()).empty());
    CHECK(!port_is_open(port));
    CHECK(text_at(lab.show(task), "/lifecycle") == "ended");
}

/// The same after the supervisor was killed: whoever looks next has to find the daemons again.
void kill_supervisor_of(const Lab& lab, const std::string& task)
{
    const auto supervisor = static_cast<pid_t>(number_at(lab.show(task), "/supervisor"));
    REQUIRE(::kill(supervisor, SIGKILL) == 0);
    REQUIRE(eventually(test_timeout, [&] { return !is_alive(supervisor); }));
}

} // namespace

TEST_CASE("redis-server --daemonize yes")
{
    const std::string redis = find_program("redis-server");
    if (redis.empty()) return skip("no redis-server");
    const Lab lab;
    const std::uint16_t port = free_port();
    const Words command{
        redis,      "--daemonize", "yes", "--port",    std::to_string(port),     "--dir",
        lab.work(), "--save",      "",    "--logfile", lab.work() + "/redis.log"};
    Words words{"--leftover", "wait", "--"};
    words.insert(words.end(), command.begin(), command.end());
    SECTION("is ended")
    {
        check_life(lab, lab.start(words), port, 1);
    }
    SECTION("is ended although the supervisor was killed")
    {
        // It has wiped its environment, left the session and closed the output: only the limit
        // marks it.
        const std::string id = lab.start(words);
        REQUIRE(lab({"wait", "--timeout", "30", "--for", "port", id}).code == 0);
        const std::vector<pid_t> tree = tree_of(lab, id);
        REQUIRE(!tree.empty());
        kill_supervisor_of(lab, id);
        CHECK(text_at(lab.show(id), "/lifecycle") == "running");
        CHECK(lab({"kill", id}).code == 0);
        CHECK(all_gone(tree));
        CHECK(!port_is_open(port));
    }
    SECTION("is killed as a leftover")
    {
        words[1] = "kill";
        const std::string id = lab.start(words);
        CHECK(lab.wait(id) == 0);
        CHECK(number_at(lab.show(id), "/outcome/leftover_killed") >= 1);
        CHECK(!port_is_open(port));
    }
}

TEST_CASE("nginx with its workers")
{
    const std::string nginx = find_program("nginx");
    if (nginx.empty()) return skip("no nginx");
    const Lab lab;
    const std::uint16_t port = free_port();
    const std::string folder = lab.work() + "/nginx";
    fs::create_directory(folder);
    const std::string daemon = GENERATE("on", "off");
    std::string temporary;
    for (const char* kind : {"client_body", "proxy", "fastcgi", "uwsgi", "scgi"})
        temporary += std::string(kind) + "_temp_path " + folder + "/" + kind + ";\n";
    write_file(folder + "/nginx.conf",
               "daemon " + daemon + ";\nworker_processes 3;\npid " + folder + "/pid;\nerror_log " +
                   folder + "/error.log;\nevents {}\nhttp {\naccess_log off;\n" + temporary +
                   "server { listen 127.0.0.1:" + std::to_string(port) +
                   "; return 200 hello; }\n}\n");
    const std::string id = lab.start({"--leftover", "wait", "--", nginx, "-p", folder, "-c",
                                      folder + "/nginx.conf", "-e", folder + "/early.log"});
    CHECK(lab({"wait", "--timeout", "30", "--for", "http:127.0.0.1:" + std::to_string(port), id})
              .code == 0);
    check_life(lab, id, port, 4);
}

TEST_CASE("python's http.server")
{
    const std::string python = find_program("python3");
    if (python.empty()) return skip("no python3");
    Lab lab;
    for (const std::string& entry : caller_environment())
        if (entry.starts_with("HOME=") || entry.starts_with("PYENV_")) lab.set_env(entry);
    const std::uint16_t port = free_port();
    write_file(lab.work() + "/page.txt", "hello\n");
    const std::string id = lab.start({"--name", "http", "--", python, "-u", "-m", "http.server",
                                      std::to_string(port), "--bind", "127.0.0.1"});
    CHECK(lab({"wait", "--timeout", "30", "--for",
               "http:127.0.0.1:" + std::to_string(port) + "/page.txt", "http"})
              .code == 0);
    CHECK(lab.logged(id, "GET /page.txt"));
    check_life(lab, id, port, 1);
    CHECK(lab.wait(id) == 128 + SIGTERM);
}

TEST_CASE("java")
{
    const std::string java = find_program("java");
    if (java.empty()) return skip("no java");
    const Lab lab;
    const std::uint16_t port = free_port();
    write_file(
        lab.work() + "/Server.java",
        "import java.net.*;\npublic class Server {\n public static void main(String[] a) throws "
        "Exception {\n"
        "  ServerSocket s = new ServerSocket(Integer.parseInt(a[0]), 5, "
        "InetAddress.getByName(\"127.0.0.1\"));\n"
        "  Runtime.getRuntime().addShutdownHook(new Thread(() -> System.out.println(\"hook\")));\n"
        "  System.out.println(\"up\");\n  while (true) s.accept().close();\n }\n}\n");
    const Ran probe = run(lab.program({java, "-version"}), 60s);
    if (probe.code != 0) return skip("java does not run: " + probe.err);
    const std::string id = lab.start({"--", java, "-Xshare:auto", "-XX:TieredStopAtLevel=1",
                                      "Server.java", std::to_string(port)});
    if (lab({"wait", "--timeout", "60", "--for", "log:up", id}, 70s).code == 121)
        return skip("no compiler in this java: " + lab.log(id));
    check_life(lab, id, port, 1);
    CHECK(lab.log(id) == "up\nhook\n"); // its shutdown hook had its time
    CHECK(lab.wait(id) == 128 + SIGTERM);
}

TEST_CASE("postgres")
{
    const Lab lab;
    const Postgres postgres = make_postgres(lab);
    if (postgres.program.empty()) return;
    const std::uint16_t port = free_port();
    Words start{"--stop-signals", "INT:20s", "--"}; // its fast shutdown
    const Words server = postgres.words(postgres.server(port));
    start.insert(start.end(), server.begin(), server.end());
    const std::string id = lab.start(start);
    const Ran ready =
        lab({"wait", "--timeout", "30", "--for", "log:ready to accept connections", id}, 40s);
    INFO(lab.log(id));
    REQUIRE(ready.code == 0);
    check_life(lab, id, port, 4);
    CHECK(lab.log(id).find("database system is shut down") != std::string::npos);
    CHECK(lab.wait(id) == 0);
}
