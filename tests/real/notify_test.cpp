// Programs that speak sd_notify become ready by themselves, unmodified.
#include "support/catch.hpp"
#include "support/lab.hpp"
#include "support/skip.hpp"

#include <glob.h>
#include <unistd.h>

using namespace bgt::test;

namespace fs = std::filesystem;

TEST_CASE("redis-server --supervised systemd says when it is ready")
{
    const std::string redis = find_program("redis-server");
    if (redis.empty()) return skip("no redis-server");
    const Lab lab;
    const std::uint16_t port = free_port();
    const Ran ran = lab({"run", "--name", "redis", "--ready-notify", "--ready-timeout", "30s", "--wait-ready", "--", redis, "--supervised",
                         "systemd", "--port", std::to_string(port), "--dir", lab.work(), "--save", ""}, 40s);
    INFO(ran);
    INFO(lab.log("redis"));
    REQUIRE(ran.code == 0);
    CHECK(port_is_open(port)); // it did not say so too early
    const auto task = lab.show("redis");
    CHECK(text_at(task, "/ready") == "true");
    CHECK(text_at(task, "/progress/text") == "Ready to accept connections");
    CHECK(lab({"kill", "redis"}).code == 0);
    CHECK(!port_is_open(port));
}

TEST_CASE("postgres says when it is ready")
{
    glob_t found{};
    glob("/usr/lib/postgresql/*/bin/postgres", 0, nullptr, &found);
    const std::string postgres = found.gl_pathc > 0 ? found.gl_pathv[found.gl_pathc - 1] : "";
    globfree(&found);
    if (postgres.empty()) return skip("no postgres");
    const Lab lab;
    if (geteuid() == 0 && (run(lab.program({"id", "postgres"})).code != 0 || find_program("setpriv").empty())) return skip("no user postgres, or no setpriv");
    // It refuses root, and a supervisor hears its own user only: all of it runs as that user.
    const std::string place = lab.work() + "/place", data = place + "/data", folder = postgres.substr(0, postgres.rfind('/'));
    fs::create_directory(place);
    Words as_user;
    if (geteuid() == 0) {
        as_user = {"setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"};
        REQUIRE(run(lab.program({"chown", "postgres:", place})).code == 0);
        fs::permissions(lab.folder(), fs::perms::others_exec, fs::perm_options::add);
        fs::permissions(lab.work(), fs::perms::others_exec, fs::perm_options::add);
    }
    const auto user = [&](const Words& words, milliseconds deadline) {
        Words all = as_user;
        all.insert(all.end(), words.begin(), words.end());
        return run(lab.program(all), deadline);
    };
    const std::string bgt = place + "/bgt"; // the build may lie where that user can't go
    fs::copy_file(BGT_BINARY, bgt);
    const Ran made = user({folder + "/initdb", "--no-sync", "--auth=trust", "--username=postgres", "-D", data}, 60s);
    INFO(made);
    REQUIRE(made.code == 0);
    const std::uint16_t port = free_port();
    const Ran ran = user({bgt, "--root", place + "/root", "run", "--cwd", place, "--ready-notify", "--wait-ready", "--ready-timeout", "40s", "--stop-signals",
                          "INT:20s", "--", postgres, "-D", data, "-p", std::to_string(port), "-k", "", "-h", "127.0.0.1", "-c", "fsync=off"}, 60s);
    INFO(ran);
    CHECK(ran.code == 0);
    CHECK(port_is_open(port));
    const Ran killed = user({bgt, "--root", place + "/root", "kill", "-"}, 40s);
    INFO(killed);
    CHECK(killed.code == 0);
    CHECK(!port_is_open(port));
}
