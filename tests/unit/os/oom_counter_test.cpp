#include "support/catch.hpp"

#include <bgt/os/oom_counter.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <unistd.h>

using bgt::os::OomCounter;
namespace fs = std::filesystem;

namespace {

struct Mounts {
    fs::path at = fs::path(std::getenv("TMPDIR") ? std::getenv("TMPDIR") : "/tmp") /
                  ("bgt-oom-" + std::to_string(::getpid()));
    Mounts() { fs::create_directories(at); }
    ~Mounts() { fs::remove_all(at); }
    void write(const std::string& name, const std::string& text) const
    {
        fs::create_directories((at / name).parent_path());
        std::ofstream(at / name) << text;
    }
    std::optional<OomCounter> begin(const std::string& cgroups) const
    {
        return OomCounter::begin_in(cgroups, at, at / "vmstat");
    }
};

} // namespace

TEST_CASE("the kernel's count of processes ended for lack of memory")
{
    const Mounts mounts;
    mounts.write("vmstat", "nr_free_pages 3\noom_kill 40\n");
    SECTION("of a cgroup of version 2")
    {
        mounts.write("user/1000/memory.events", "low 0\noom 2\noom_kill 5\noom_group_kill 0\n");
        const auto counter = mounts.begin("0::/user/1000\n");
        REQUIRE(counter);
        CHECK_FALSE(counter->is_of_machine());
        CHECK(counter->killed() == 0u);
        mounts.write("user/1000/memory.events", "low 0\noom 4\noom_kill 7\noom_group_kill 9\n");
        CHECK(counter->killed() == 2u);
        fs::remove(mounts.at / "user/1000/memory.events");
        CHECK_FALSE(counter->killed());
    }
    SECTION("of version 1, whose controller may be mounted with others")
    {
        mounts.write("memory/a/memory.oom_control",
                     "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n");
        const auto counter = mounts.begin("9:name=systemd:/\n4:hugetlb,memory:/a\n0::/\n");
        REQUIRE(counter);
        mounts.write("memory/a/memory.oom_control",
                     "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n");
        CHECK(counter->killed() == 1u);
    }
    SECTION("in a container, where the path is the host's and the mount its own cgroup")
    {
        mounts.write("memory/memory.oom_control", "oom_kill 3\n");
        const auto counter = mounts.begin("4:memory:/docker/abc\n");
        REQUIRE(counter);
        CHECK_FALSE(counter->is_of_machine());
    }
    SECTION("of the machine where no cgroup tells")
    {
        const auto counter = mounts.begin("0::/\n");
        REQUIRE(counter);
        CHECK(counter->is_of_machine());
        mounts.write("vmstat", "oom_kill 41\n");
        CHECK(counter->killed() == 1u);
    }
    SECTION("of nothing where nothing tells")
    {
        fs::remove(mounts.at / "vmstat");
        CHECK_FALSE(mounts.begin("nonsense\n:\n::\n"));
    }
}
