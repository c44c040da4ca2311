#include "support/catch.hpp"

#include "supervise/watched_tree.hpp"
#include <bgt/os/clock.hpp>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace bgt;
using supervise::WatchedTree;
namespace fs = std::filesystem;

namespace {

/// A folder of files, and what is seen of their changes.
class Project {
public:
    Project()
    {
        char path[] = "/tmp/bgt-unit-watch-XXXXXX";
        REQUIRE(mkdtemp(path) != nullptr);
        folder = path;
        fs::create_directories(folder + "/state");
    }
    ~Project() { fs::remove_all(folder); }
    Project(const Project&) = delete;
    Project& operator=(const Project&) = delete;

    std::string at(const std::string& name) const { return folder + "/" + name; }
    void write(const std::string& name, const std::string& text) const
    {
        fs::create_directories(fs::path(at(name)).parent_path());
        std::ofstream(at(name)) << text;
    }
    void watch(std::vector<std::string> globs, std::vector<std::string> ignored = {})
    {
        core::WatchSpec spec;
        spec.globs = std::move(globs);
        spec.ignored = std::move(ignored);
        auto opened = WatchedTree::open(spec, folder, at("state"));
        REQUIRE(opened);
        tree = *std::move(opened);
        while (tree->read_some(os::now() + std::chrono::milliseconds(1))) {}
        CHECK_FALSE(tree->take_change());
    }
    /// What inotify has told leads to this: "NAME xCOUNT", "nothing", or "silence" where it has
    /// told nothing that matters.
    std::string changed() const
    {
        bool told = false;
        pollfd fd{tree->fd(), POLLIN, 0};
        while (::poll(&fd, 1, 0) > 0) told |= tree->take_events();
        if (!told) return "silence";
        const auto change = tree->take_change();
        while (tree->read_some(os::now() + std::chrono::milliseconds(1))) {}
        if (!change) return "nothing";
        return change->path.substr(folder.size() + 1) + " x" + std::to_string(change->count);
    }

    std::string folder;
    std::unique_ptr<WatchedTree> tree;
};

} // namespace

TEST_CASE("files that change, come and go")
{
    Project project;
    project.write("src/a.c", "one");
    project.write("other", "x");
    project.watch({"src/**"});
    CHECK(project.changed() == "silence");
    project.write("src/a.c", "two");
    CHECK(project.changed() == "src/a.c x1");
    project.write("src/b.c", "new");
    CHECK(project.changed() == "src/b.c x1");
    fs::remove(project.at("src/b.c"));
    CHECK(project.changed() == "src/b.c x1");
    project.write("other", "y");
    CHECK(project.changed() == "silence");
    fs::rename(project.at("src/a.c"), project.at("src/c.c"));
    CHECK(project.changed() == "src/a.c x2");
    fs::create_symlink("c.c", project.at("src/link"));
    CHECK(project.changed() == "src/link x1");
}

TEST_CASE("the same content is no change, however it was written")
{
    Project project;
    project.write("a.c", "one");
    project.write("big", std::string(5u << 20, 'x'));
    project.watch({"**"});
    project.write("a.c", "one");
    CHECK(project.changed() == "nothing");
    project.write(".a.c.new", "one");
    fs::rename(project.at(".a.c.new"), project.at("a.c"));
    CHECK(project.changed() == "nothing");
    project.write("tmp", "x");
    fs::remove(project.at("tmp"));
    CHECK(project.changed() == "nothing");
    fs::remove(project.at("a.c"));
    project.write("a.c", "one");
    CHECK(project.changed() == "nothing");
    project.write("a.c", "uno"); // as long as before
    CHECK(project.changed() == "a.c x1");
    project.write("a.c", "uno");
    CHECK(project.changed() == "nothing");
    project.write("big", std::string(5u << 20, 'x')); // too much to be read
    CHECK(project.changed() == "big x1");
}

TEST_CASE("folders that come, move and go are followed")
{
    Project project;
    project.write("src/a/x.c", "x");
    project.watch({"src/**/*.c"});
    project.write("src/b/deep/y.c", "y");
    CHECK(project.changed() == "src/b/deep/y.c x1");
    project.write("src/b/deep/y.c", "z");
    CHECK(project.changed() == "src/b/deep/y.c x1");
    fs::rename(project.at("src/b"), project.at("src/c"));
    CHECK(project.changed() == "src/b/deep/y.c x2");
    project.write("src/c/deep/y.c", "zz");
    CHECK(project.changed() == "src/c/deep/y.c x1");
    fs::rename(project.at("src/c"), project.at("away"));
    CHECK(project.changed() == "src/c/deep/y.c x1");
    project.write("away/deep/y.c", "out");
    CHECK(project.changed() == "silence");
    fs::remove_all(project.at("src"));
    CHECK(project.changed() == "src/a/x.c x1");
    project.write("src/a/x.c", "again");
    CHECK(project.changed() == "src/a/x.c x1");
}

TEST_CASE(".gitignore is obeyed, and read again when it changes")
{
    Project project;
    fs::create_directories(project.at(".git/info"));
    project.write(".git/info/exclude", "*.local\n");
    project.write(".gitignore", "build/\n*.o\n");
    project.write("build/out", "x");
    project.write("a.c", "x");
    project.watch({"**"}, {"*.tmp"});
    project.write("build/out", "y");
    project.write("a.o", "y");
    project.write("a.local", "y");
    project.write("a.tmp", "y");
    project.write(".git/index", "y");
    project.write("state/tasks/1/out.log", "y");
    CHECK(project.changed() == "silence");
    SECTION("what is no longer ignored is no change by itself")
    {
        project.write(".gitignore", "*.o\n");
        CHECK(project.changed() == ".gitignore x1");
        CHECK(project.changed() == "silence");
        project.write("build/out", "z");
        CHECK(project.changed() == "build/out x1");
    }
    SECTION("what is ignored from now on is none, either")
    {
        project.write(".gitignore", "build/\n*.o\n*.c\n");
        CHECK(project.changed() == ".gitignore x1");
        project.write("a.c", "y");
        CHECK(project.changed() == "silence");
    }
}

TEST_CASE("a .gitignore above the working folder counts within a repository")
{
    Project project;
    fs::create_directories(project.at(".git"));
    project.write(".gitignore", "*.o\n");
    project.write("app/a.c", "x");
    core::WatchSpec spec;
    spec.globs = {"**"};
    auto opened = WatchedTree::open(spec, project.at("app"), project.at("state"));
    REQUIRE(opened);
    project.tree = *std::move(opened);
    project.write("app/a.o", "x");
    project.write("b.c", "x");
    CHECK(project.changed() == "silence");
    project.write(".gitignore", "\n");
    CHECK(project.changed() == "nothing");
    project.write("app/a.o", "longer");
    CHECK(project.changed() == "app/a.o x1");
}

TEST_CASE("links are not followed, and loops end")
{
    Project project;
    project.write("src/a.c", "x");
    fs::create_directory_symlink("..", project.at("src/loop"));
    fs::create_directory_symlink("/", project.at("src/root"));
    REQUIRE(mkfifo(project.at("src/fifo").c_str(), 0600) == 0);
    project.watch({"**"});
    project.write("src/a.c", "y");
    CHECK(project.changed() == "src/a.c x1");
    fs::remove(project.at("src/a.c"));
    REQUIRE(mkfifo(project.at("src/a.c").c_str(), 0600) == 0); // nobody writes into it
    CHECK(project.changed() == "src/a.c x1");
}

TEST_CASE("the watched folder itself may be replaced")
{
    Project project;
    project.write("conf/app/a.conf", "x");
    core::WatchSpec spec;
    spec.globs = {project.at("conf/app/*.conf")};
    auto opened = WatchedTree::open(spec, "/usr", project.at("state"));
    REQUIRE(opened);
    project.tree = *std::move(opened);
    fs::rename(project.at("conf"), project.at("old"));
    project.write("conf/app/a.conf", "another");
    project.tree->look();
    CHECK(project.tree->take_change());
    project.write("conf/app/a.conf", "yet another");
    CHECK(project.changed() == "conf/app/a.conf x1");
}

TEST_CASE("a look tells what inotify did not")
{
    Project project;
    project.write("src/a.c", "x");
    project.watch({"src/**"});
    CHECK_FALSE(project.tree->look());
    project.write("src/a.c", "longer");
    project.write("src/new/b.c", "x");
    CHECK(project.tree->look());
    const auto change = project.tree->take_change();
    REQUIRE(change);
    CHECK(change->count == 2);
    CHECK(project.changed() != "src/a.c x1"); // inotify told of it, too late
    CHECK_FALSE(project.tree->look());
}

TEST_CASE("a folder that is not there is refused")
{
    core::WatchSpec spec;
    spec.globs = {"/nowhere/at/all/*.c"};
    const auto opened = WatchedTree::open(spec, "/tmp", "/tmp/state");
    REQUIRE_FALSE(opened);
    CHECK(opened.error().message == "--watch: there is no folder /nowhere/at/all");
}
