// Programs that speak sd_notify become ready by themselves, unmodified.
#include "real/postgres.hpp"
#include "support/catch.hpp"
#include "support/lab.hpp"
#include "support/skip.hpp"

using namespace bgt::test;

namespace fs = std::filesystem;

TEST_CASE("redis-server --supervised systemd says when it is ready")
{
    const std::string redis = find_program("redis-server");
    if (redis.empty()) return skip("no redis-server");
    const Lab lab;
    const std::uint16_t port = free_port();
    const Ran ran = lab({"run", "--name", "redis", "--ready-notify", "--ready-timeout", "30s",
                         "--wait-ready", "--", redis, "--supervised", "systemd", "--port",
                         std::to_string(port), "--dir", lab.work(), "--save", ""},
                        40s);
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
    const Lab lab;
    const Postgres postgres = make_postgres(lab);
    if (postgres.program.empty()) return;
    // A supervisor hears its own user only: all of it runs as that user.
    const auto user = [&](const Words& words, milliseconds deadline) {
        return run(lab.program(postgres.words(words)), deadline);
    };
    const std::string bgt = postgres.place + "/bgt"; // the build may lie where that user can't go
    fs::copy_file(BGT_BINARY, bgt);
    const std::uint16_t port = free_port();
    Words start{bgt,
                "--root",
                postgres.place + "/root",
                "run",
                "--cwd",
                postgres.place,
                "--ready-notify",
                "--wait-ready",
                "--ready-timeout",
                "40s",
                "--stop-signals",
                "INT:20s",
                "--"};
    const Words server = postgres.server(port);
    start.insert(start.end(), server.begin(), server.end());
    const Ran ran = user(start, 60s);
    INFO(ran);
    CHECK(ran.code == 0);
    CHECK(port_is_open(port));
    const Ran killed = user({bgt, "--root", postgres.place + "/root", "kill", "-"}, 40s);
    INFO(killed);
    CHECK(killed.code == 0);
    CHECK(!port_is_open(port));
}
