// Removing a task takes everything of it along, and nothing else.
#include "temp_folder.hpp"

#include "store/files.hpp"

#include <bgt/store/retention.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace bgt;
using namespace bgt::store;
using namespace bgt::store::test;

TEST_CASE("removing a task takes everything along, and only that")
{
    TempFolder temp;
    Root root = open_root(temp / "root");
    const TaskId id = add_task(root, core::Lifecycle::running, {}, "web");
    const std::string folder = temp / "root/tasks/" + to_string(id);
    std::filesystem::create_directories(folder + "/reports/a/b");
    put(folder + "/reports/a/b/x", "x");
    put(folder + "/stray", std::string(100000, 'x'));
    REQUIRE(::mkfifo((folder + "/out").c_str(), 0600) == 0);
    std::filesystem::create_directory(temp / "victim");
    put(temp / "victim/keep", "x");
    std::filesystem::create_directory_symlink(temp / "victim", folder + "/link");
    must(root.remove_task(id));
    CHECK_FALSE(exists(folder));
    CHECK(std::filesystem::is_empty(temp / "root/tasks"));
    CHECK(std::filesystem::is_empty(temp / "root/active"));
    CHECK_FALSE(exists(temp / "root/names/web"));
    CHECK(exists(temp / "victim/keep"));
    CHECK(root.remove_task(id).error().kind == ErrorKind::not_found);
}

TEST_CASE("a folder that was removed under its opener can't be locked")
{
    TempFolder temp;
    Root root = open_root(temp / "root");
    const TaskId id = add_task(root, core::Lifecycle::ended);
    TaskDir late = must(root.open_task(id));
    must(root.remove_task(id));
    const auto locked = late.try_lock();
    REQUIRE_FALSE(locked);
    CHECK(locked.error().kind == ErrorKind::not_found);
    CHECK_FALSE(must(late.is_locked()));
}

TEST_CASE("folders nested without end are removed, too")
{
    TempFolder temp;
    Root root = open_root(temp / "root");
    const TaskId id = add_task(root, core::Lifecycle::ended);
    // Deeper than a path can say, and with names that the removal itself may use.
    Fd at(::open((temp / "root/tasks").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    REQUIRE(::mkdirat(at.get(), (to_string(id) + "/.deep-0").c_str(), 0700) == 0);
    Fd below(::openat(at.get(), (to_string(id) + "/.deep-0").c_str(),
                      O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    put(temp / ("root/tasks/" + to_string(id) + "/.deep-1"), "x");
    for (int i = 0; i < 5000; ++i) {
        REQUIRE(::mkdirat(below.get(), ".deep-2", 0700) == 0);
        below.reset(::openat(below.get(), ".deep-2", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    }
    below.reset();
    CHECK(must(detail::clear_tree(at.get(), to_string(id).c_str(), false)) > 0);
    must(root.remove_task(id));
    CHECK(std::filesystem::is_empty(temp / "root/tasks"));
}

TEST_CASE("folders that their owner may not read or write are removed, and no link in their place")
{
    TempFolder temp;
    std::filesystem::create_directories(temp / "task/a/b/c");
    std::filesystem::create_directories(temp / "task/d/e");
    std::filesystem::create_directories(temp / "outside");
    put(temp / "task/d/file", "x");
    put(temp / "outside/file", "x");
    ::chmod((temp / "outside").c_str(), 0);
    ::symlink((temp / "outside").c_str(), (temp / "task/a/link").c_str());
    ::chmod((temp / "task/a/b").c_str(), 0);
    ::chmod((temp / "task/a").c_str(), 0);
    ::chmod((temp / "task/d").c_str(), 0500);
    constexpr uid_t nobody = 65534;
    if (::geteuid() == 0) { // another user may not list these folders
        const auto give_away = [](const std::string& path) {
            REQUIRE(::lchown(path.c_str(), nobody, nobody) == 0);
        };
        for (const auto& entry : std::filesystem::recursive_directory_iterator(temp / "."))
            give_away(entry.path());
        give_away(temp / ".");
    }
    const pid_t child = ::fork();
    if (child == 0) { // to whom modes mean something
        if (::geteuid() == 0 && ::setresuid(nobody, nobody, nobody) != 0) ::_exit(2);
        const Fd at(::open((temp / ".").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        ::_exit(detail::clear_tree(at.get(), "task", true) ? 0 : 1);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(status == 0);
    CHECK_FALSE(exists(temp / "task"));
    struct stat outside {};
    REQUIRE(::stat((temp / "outside").c_str(), &outside) == 0);
    CHECK((outside.st_mode & 0777) == 0);
    ::chmod((temp / "outside").c_str(), 0700);
    CHECK(exists(temp / "outside/file"));
}

TEST_CASE("what is in the way of a removal is removed, and not followed")
{
    TempFolder temp;
    Root root = open_root(temp / "root");
    std::filesystem::create_directory(temp / "outside");
    put(temp / "outside/file", "x");
    const TaskId id = add_task(root, core::Lifecycle::ended);
    const std::string gone = temp / ("root/tasks/.gone-" + to_string(id));
    SECTION("a link to a folder")
    {
        std::filesystem::create_directory_symlink(temp / "outside", gone);
    }
    SECTION("a link to nothing")
    {
        std::filesystem::create_directory_symlink(temp / "nothing", gone);
    }
    SECTION("a file")
    {
        put(gone, "x");
    }
    SECTION("a FIFO")
    {
        REQUIRE(::mkfifo(gone.c_str(), 0600) == 0);
    }
    SECTION("for gc, too")
    {
        std::filesystem::create_directory_symlink(temp / "outside", gone);
        Retention keep;
        keep.thorough = true;
        const auto pruned = must(prune(root, keep, WallTime(std::chrono::hours(1))));
        CHECK(pruned.problems.empty());
        CHECK_FALSE(exists(gone));
    }
    must(root.remove_task(id));
    CHECK(std::filesystem::is_empty(temp / "root/tasks"));
    CHECK(exists(temp / "outside/file"));
}
