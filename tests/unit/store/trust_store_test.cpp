#include "temp_folder.hpp"

#include <bgt/store/trust_store.hpp>

#include <sys/stat.h>
#include <unistd.h>

using namespace bgt;
using namespace bgt::store;
using bgt::config::Trust;
using store::test::TempFolder;
namespace fs = std::filesystem;

namespace {

struct World {
    TempFolder home;
    std::string folder = home / "data/bgt/trusted";
    TrustStore store{folder};

    std::string only_entry() const
    {
        std::string out;
        for (const auto& entry : fs::directory_iterator(folder)) {
            REQUIRE(out.empty());
            out = entry.path();
        }
        return out;
    }
    Trust check(const std::string& file, std::string_view text) const
    {
        const auto answer = store.check(file, text);
        REQUIRE(answer);
        return *answer;
    }
};

mode_t mode_of(const std::string& path)
{
    struct stat info {};
    REQUIRE(::lstat(path.c_str(), &info) == 0);
    return info.st_mode & 07777;
}

bool contains(const std::string& text, std::string_view part)
{
    return text.find(part) != text.npos;
}

} // namespace

TEST_CASE("where trusted files are kept")
{
    CHECK(*locate_trust("/data", "/home/u") == "/data/bgt/trusted");
    CHECK(*locate_trust("", "/home/u") == "/home/u/.local/share/bgt/trusted");
    CHECK(*locate_trust("relative", "/home/u") == "/home/u/.local/share/bgt/trusted");
    CHECK_FALSE(locate_trust("relative", "relative"));
    CHECK_FALSE(locate_trust("", ""));
}

TEST_CASE("a file is trusted by its path and every byte of it")
{
    const World world;
    const std::string text("env\0\xff\n", 6);
    CHECK(world.check("/p/bgt.toml", text) == Trust::none);
    CHECK_FALSE(fs::exists(world.folder)); // asking makes nothing
    REQUIRE(world.store.add("/p/bgt.toml", text));
    CHECK(world.check("/p/bgt.toml", text) == Trust::given);
    CHECK(world.check("/p/bgt.toml", text + "\n") == Trust::changed);
    CHECK(world.check("/p/bgt.toml", text.substr(0, 5)) == Trust::changed);
    CHECK(world.check("/p/bgt.toml", "") == Trust::changed);
    CHECK(world.check("/q/bgt.toml", text) == Trust::none);
    CHECK(world.check("/p/bgt.tom", text) == Trust::none);
    REQUIRE(world.store.add("/p/bgt.toml", "new"));
    CHECK(world.check("/p/bgt.toml", "new") == Trust::given);
    CHECK(world.check("/p/bgt.toml", text) == Trust::changed);
    CHECK(*world.store.remove("/p/bgt.toml"));
    CHECK_FALSE(*world.store.remove("/p/bgt.toml"));
    CHECK(world.check("/p/bgt.toml", "new") == Trust::none);
    CHECK_FALSE(world.store.add("p/bgt.toml", ""));
    CHECK_FALSE(world.store.add(std::string("/p\0/bgt.toml", 12), ""));
}

TEST_CASE("a large file is compared to its end")
{
    const World world;
    std::string text(1 << 20, 'x');
    REQUIRE(world.store.add("/" + std::string(4000, 'p') + "/bgt.toml", text));
    CHECK(world.check("/" + std::string(4000, 'p') + "/bgt.toml", text) == Trust::given);
    text.back() = 'y';
    CHECK(world.check("/" + std::string(4000, 'p') + "/bgt.toml", text) == Trust::changed);
}

TEST_CASE("what is made is private, whatever the umask")
{
    const World world;
    const mode_t before = ::umask(GENERATE(0, 0277));
    const auto added = world.store.add("/p/bgt.toml", "x");
    ::umask(before);
    REQUIRE(added);
    CHECK(mode_of(world.folder) == 0700);
    CHECK(mode_of(world.only_entry()) == 0600);
}

TEST_CASE("a damaged entry costs only itself")
{
    const World world;
    REQUIRE(world.store.add("/q/bgt.toml", "good"));
    const auto good = world.only_entry();
    REQUIRE(world.store.add("/p/bgt.toml", "x"));
    std::string bad;
    for (const auto& entry : fs::directory_iterator(world.folder))
        if (entry.path() != good) bad = entry.path();
    const auto whole = store::test::get(bad);
    const auto damage = GENERATE(0, 1, 2, 3, 4);
    if (damage == 0) store::test::put(bad, "");
    if (damage == 1) store::test::put(bad, whole.substr(0, 5));
    if (damage == 2) store::test::put(bad, whole.substr(0, whole.size() - 1));
    if (damage == 3) store::test::put(bad, "bgt-trusted 2\n" + whole.substr(14));
    if (damage == 4)
        fs::copy_file(good, bad, fs::copy_options::overwrite_existing); // of another file
    INFO(damage);
    CHECK(world.check("/p/bgt.toml", "x") != Trust::given);
    CHECK(world.check("/q/bgt.toml", "good") == Trust::given);
    const auto all = world.store.list();
    REQUIRE(all);
    REQUIRE(all->size() == 2);
    CHECK((*all)[1].file == "/q/bgt.toml");
    CHECK((*all)[0].file == (damage == 2 ? "/p/bgt.toml" : ""));
    CHECK((*all)[0].entry == bad);
    REQUIRE(world.store.add("/p/bgt.toml", "x")); // in its place
    CHECK(world.check("/p/bgt.toml", "x") == Trust::given);
}

TEST_CASE("a store that somebody else could have written is refused")
{
    World world;
    REQUIRE(world.store.add("/p/bgt.toml", "x"));
    const auto entry = world.only_entry();
    std::string said;
    SECTION("a folder open to others")
    {
        REQUIRE(::chmod(world.folder.c_str(), 0770) == 0);
        said = "is open to others: chmod 700 " + world.folder;
        CHECK_FALSE(world.store.add("/q/bgt.toml", "x"));
        CHECK_FALSE(world.store.list());
        CHECK_FALSE(world.store.remove("/p/bgt.toml"));
    }
    SECTION("an entry open to others")
    {
        REQUIRE(::chmod(entry.c_str(), 0640) == 0);
        said = "is open to others: chmod 600 " + entry;
    }
    SECTION("a folder that is a link")
    {
        fs::rename(world.folder, world.home / "elsewhere");
        fs::create_symlink(world.home / "elsewhere", world.folder);
        said = "can't open " + world.folder;
        CHECK_FALSE(world.store.add("/q/bgt.toml", "x"));
    }
    SECTION("an entry that is a link")
    {
        fs::rename(entry, world.home / "elsewhere");
        fs::create_symlink(world.home / "elsewhere", entry);
        said = "can't open " + entry;
    }
    SECTION("an entry that is a FIFO")
    {
        fs::remove(entry);
        REQUIRE(::mkfifo(entry.c_str(), 0600) == 0);
        said = entry + " is not a regular file";
    }
    SECTION("another owner of the folder or the entry")
    {
        if (::geteuid() != 0) return;
        REQUIRE(::chown(GENERATE(0, 1) == 0 ? world.folder.c_str() : entry.c_str(), 12345, 12345) ==
                0);
        said = "belongs to user 12345, not to you (user 0)";
    }
    const auto answer = world.store.check("/p/bgt.toml", "x");
    REQUIRE_FALSE(answer);
    INFO(answer.error().message);
    CHECK(contains(answer.error().message, said));
}

TEST_CASE("no folder is made in the home of somebody else")
{
    if (::geteuid() != 0) return;
    const World world;
    REQUIRE(::chown((world.home / "").c_str(), 12345, 12345) == 0);
    const auto added = world.store.add("/p/bgt.toml", "x");
    REQUIRE_FALSE(added);
    CHECK(contains(added.error().message, "belongs to user 12345"));
    CHECK_FALSE(fs::exists(world.home / "data"));
}
