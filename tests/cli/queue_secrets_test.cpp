// The environment of a waiting task is saved on the disk as long as a task needs it.
#include "support/catch.hpp"
#include "support/lab.hpp"

#include <csignal>
#include <filesystem>
#include <set>

using namespace bgt::test;
namespace fs = std::filesystem;

namespace {

/// Files of queue/ in which the text stands.
std::size_t saved(const Lab& lab, const std::string& text)
{
    std::size_t count = 0;
    for (const auto& entry : fs::directory_iterator(lab.root() + "/queue"))
        if (entry.is_regular_file() && read_file(entry.path()).find(text) != std::string::npos)
            ++count;
    return count;
}

} // namespace

TEST_CASE("a saved environment goes with the last task that needs it")
{
    Lab lab;
    REQUIRE(lab({"submit", "--hold", "--", "true"}).code == 0); // so that the queue does not end
    lab.set_env("SECRET=mellon");
    REQUIRE(lab({"submit", "--array", "1-3", "-c", "until test -e go; do sleep 0.01; done"}).code ==
            0);
    CHECK(saved(lab, "SECRET=mellon") == 1);
    SECTION("when they have ended")
    {
        write_file(lab.work() + "/go", "");
    }
    SECTION("when they are cancelled")
    {
        REQUIRE(lab({"kill", "2", "3", "4"}).code == 0);
    }
    CHECK(eventually(test_timeout, [&] { return saved(lab, "SECRET=mellon") == 0; }));
    write_file(lab.work() + "/go", "");
    CHECK(lab({"kill", "1"}).code == 0);
}

TEST_CASE("a submit that fails leaves no environment behind")
{
    Lab lab;
    const bool others_wait = GENERATE(false, true);
    if (others_wait) REQUIRE(lab({"submit", "--hold", "--", "true"}).code == 0);
    lab.start({"--name", "web", "--", "sleep", "100"});
    lab.set_env("SECRET=mellon");
    const Ran ran = lab({"submit", "--name", "web", "--", "true"});
    INFO(ran);
    CHECK(ran.code == 125);
    CHECK(saved(lab, "SECRET=mellon") == 0);
    if (others_wait) CHECK(lab({"kill", "1"}).code == 0);
}
