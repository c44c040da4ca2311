#include "support/catch.hpp"

#include <bgt/base/trusted_path.hpp>

#include <filesystem>
#include <fstream>
#include <sys/stat.h>
#include <unistd.h>

using namespace bgt;
namespace fs = std::filesystem;

namespace {

constexpr unsigned user = 12345, other = 23456;

class World {
public:
    World()
    {
        std::string name = (fs::temp_directory_path() / "bgt-path-XXXXXX").string();
        REQUIRE(::mkdtemp(name.data()));
        top = name;
        REQUIRE(::chmod(name.c_str(), 0755) == 0);
    }
    World(const World&) = delete;
    World& operator=(const World&) = delete;
    ~World()
    {
        std::error_code ignored;
        fs::remove_all(top, ignored);
    }

    void folder(const char* name, unsigned mode = 0755, unsigned uid = user,
                unsigned gid = user) const
    {
        fs::create_directories(top / name);
        REQUIRE(::chmod((top / name).c_str(), mode) == 0);
        own(name, uid, gid);
    }
    void file(const char* name, unsigned uid = user) const
    {
        std::ofstream(top / name) << "x";
        own(name, uid, uid);
    }
    void link(const char* name, const fs::path& target, unsigned uid = user) const
    {
        fs::create_symlink(target, top / name);
        own(name, uid, uid);
    }
    /// The part that is not trusted, below `top`; empty: all are.
    std::string found(const char* path, LastPart last = LastPart::followed) const
    {
        const auto found = find_untrusted_part((top / path).string(), user, last);
        if (!found) return "error";
        return *found ? (*found)->path.substr(top.string().size() + 1) +
                            ((*found)->is_writable ? " open" : "")
                      : "";
    }

    fs::path top;

private:
    void own(const char* name, unsigned uid, unsigned gid) const
    {
        REQUIRE(::lchown((top / name).c_str(), uid, gid) == 0);
    }
};

} // namespace

TEST_CASE(
    "each folder and link of a path belongs to the user or root, and nobody else can write it")
{
    if (::geteuid() != 0) return; // it takes several owners
    const World world;
    world.folder("mine/below");
    world.file("mine/below/file");
    CHECK(world.found("mine/below/file") == "");
    CHECK(world.found("mine/absent/file") == "");
    CHECK(world.found("mine/./below/../below/file") == "");

    world.folder("hers", 0755, other);
    world.folder("hers/of-me");
    world.file("hers/of-me/file");
    CHECK(world.found("hers/of-me/file") == "hers");
    CHECK(world.found("hers/absent") == "hers");
    CHECK(world.found("mine/../hers/of-me/file") == "hers");

    world.folder("open", 0777);
    world.folder("open/of-me");
    world.file("open/of-me/file");
    CHECK(world.found("open/of-me/file") == "open open");
    world.folder("group", 0775, user, other);
    world.file("group/file");
    CHECK(world.found("group/file") == "group open");
    world.folder("private-group", 0775, user, user);
    world.file("private-group/file");
    CHECK(world.found("private-group/file") == "");
}

TEST_CASE("a link counts by its owner, and by where it leads, through further links too")
{
    if (::geteuid() != 0) return;
    const World world;
    world.folder("mine");
    world.file("mine/file");
    world.link("hers", "mine", other);
    CHECK(world.found("hers/file") == "hers");
    world.link("to-hers", "hers");
    CHECK(world.found("to-hers/file") == "hers");
    world.link("to-mine", world.top / "mine");
    CHECK(world.found("to-mine/file") == "");
    world.link("mine/last", "../to-hers/file");
    CHECK(world.found("mine/last") == "hers");
    CHECK(world.found("mine/last", LastPart::ignored) == "");
    world.link("mine/of-other", "file", other);
    CHECK(world.found("mine/of-other") == "mine/of-other");
    world.link("loop", "loop");
    CHECK(world.found("loop/file") == "error");
}

TEST_CASE("others can't rename what is in a sticky folder, but put a file there")
{
    if (::geteuid() != 0) return;
    const World world;
    world.folder("sticky", 01777, 0);
    world.folder("sticky/mine");
    world.file("sticky/mine/file");
    world.file("sticky/file");
    CHECK(world.found("sticky/mine/file") == "");
    CHECK(world.found("sticky/file") == "sticky open");
    CHECK(world.found("sticky/file", LastPart::ignored) == "");
}
