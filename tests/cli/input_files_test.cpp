// Files that options name: a FIFO or a device is refused, a pipe of the caller's own is read.
#include "support/catch.hpp"
#include "support/lab.hpp"

#include <sys/stat.h>

using namespace bgt::test;

TEST_CASE("a FIFO for --env-file or --stdin is refused, a pipe of the caller's own is read")
{
    const Lab lab;
    REQUIRE(mkfifo((lab.work() + "/fifo").c_str(), 0600) == 0);
    for (const std::string path : {"fifo", "."}) {
        const Ran env = lab({"run", "--env-file", path, "--", "true"});
        INFO(env);
        CHECK(env.in_time);
        CHECK(env.code == 125);
        CHECK(env.err == "bgt run: --env-file " + path + ": is not a regular file\n");
        const Ran input = lab({"run", "--stdin", path, "--", "cat"});
        INFO(input);
        CHECK(input.in_time);
        CHECK(input.code == 125);
    }
    const Ran ran = run(lab.program(
        {"sh", "-c",
         "(sleep 0.1; echo A=piped) | \"$0\" run --wait --env-file /dev/stdin -c 'echo $A'",
         BGT_BINARY}));
    INFO(ran);
    CHECK(ran.out == "piped\n");
}

TEST_CASE("the tasks of --each and --batch come from a file, stdin, or a pipe of the caller's own")
{
    const Lab lab;
    REQUIRE(::mkfifo((lab.work() + "/fifo").c_str(), 0600) == 0);
    for (const char* path : {"fifo", "/dev/null", "/dev/zero", "/dev/tty", "."}) {
        const auto began = std::chrono::steady_clock::now();
        CHECK(lab({"submit", "--each", path, "--", "echo", "{}"}).code == 125);
        const Ran batch = lab({"submit", "--batch", path});
        INFO(batch);
        CHECK(batch.code == 125);
        CHECK(batch.err.find(path) != std::string::npos);
        CHECK(std::chrono::steady_clock::now() - began < std::chrono::seconds(5));
    }
    const Ran own = run(lab.program(
        {"bash", "-c", BGT_BINARY " submit --each <(sleep 0.2; echo a; echo b) -- echo {}"}));
    INFO(own);
    CHECK(own.code == 0);
    CHECK(own.out == "1\n2\n");
    CHECK(lab.wait("2") == 0);
}
