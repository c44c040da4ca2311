#include <bgt/supervise/output_age.hpp>

#include <bgt/os/clock.hpp>

#include "support/task_folder.hpp"

#include <sys/stat.h>

using namespace bgt;
using namespace bgt::supervise;
using namespace std::chrono_literals;
using bgt::test::TaskFolder;

namespace {

/// Sets when the log was written to last.
void date(const TaskFolder& folder, WallTime at)
{
    const auto seconds = std::chrono::floor<std::chrono::seconds>(at.time_since_epoch());
    const timespec time{seconds.count(), (at.time_since_epoch() - seconds).count()};
    const timespec both[] = {time, time};
    REQUIRE(utimensat(AT_FDCWD, folder.path("out.log").c_str(), both, 0) == 0);
}

} // namespace

TEST_CASE("The age of the output is that of its last byte")
{
    const TaskFolder folder;
    const WallTime wall = os::wall_now();
    const Instant now = os::now();
    folder.write("out.log", "one");
    date(folder, wall - 40s);
    Result<OutputAge> age = OutputAge::open(folder.dir());
    REQUIRE(age);
    CHECK(age->last(now, wall) == now - 40s);
    CHECK(age->last(now + 10s, wall + 10s) == now - 40s);
    folder.write("out.log", "two");
    date(folder, wall + 15s);
    CHECK(age->last(now + 20s, wall + 20s) == now + 15s);
}

TEST_CASE("The calendar moves no answer that was given")
{
    const TaskFolder folder;
    const WallTime wall = os::wall_now();
    const Instant now = os::now();
    folder.write("out.log", "one");
    date(folder, wall - 40s);
    Result<OutputAge> age = OutputAge::open(folder.dir());
    REQUIRE(age);
    CHECK(age->last(now, wall) == now - 40s);
    CHECK(age->last(now + 1s, wall + 24h) == now - 40s);
    folder.write("out.log", "two");
    date(folder, wall);
    CHECK(age->last(now + 2s, wall + 24h) == now - 40s); // older than what is known: not before it
    folder.write("out.log", "three");
    date(folder, wall + 24h);
    CHECK(age->last(now + 3s, wall) == now + 3s); // in the future: now
}

TEST_CASE("A log that is not there yet, and one of stderr")
{
    const TaskFolder folder;
    const WallTime wall = os::wall_now();
    const Instant now = os::now();
    Result<OutputAge> age = OutputAge::open(folder.dir());
    REQUIRE(age);
    CHECK(age->last(now, wall) == now);
    folder.write("out.log", "x");
    date(folder, wall + 5s);
    CHECK(age->last(now + 6s, wall + 6s) == now + 5s);
}
