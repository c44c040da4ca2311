#include "temp_folder.hpp"

#include <bgt/store/projects.hpp>

#include <filesystem>
#include <unistd.h>

using namespace bgt;
using namespace bgt::store;
using namespace bgt::store::test;
namespace fs = std::filesystem;

namespace {

std::string folder_in(const TempFolder& temp, const std::string& path)
{
    fs::create_directories(temp / path);
    return temp / path;
}

/// No task is kept.
bool nobody(TaskId)
{
    return false;
}

} // namespace

TEST_CASE("a folder has the name of its last part, of the characters that a name can have")
{
    CHECK(natural_project_name("/home/ann/shop") == "shop");
    CHECK(natural_project_name("/") == "_");
    CHECK(natural_project_name("/x/7 zw\u00f6lf:a") == "_7_zw__lf_a");
    CHECK(natural_project_name("/x/-rf") == "_-rf");
    CHECK(natural_project_name("/" + std::string(200, 'a')).size() < max_project_size);
    CHECK(check_plain_name(natural_project_name("/x/\x1b[31m")));
}

TEST_CASE("a name stands for one folder, and stays")
{
    const TempFolder temp;
    Root root = open_root(temp / "root");
    const auto a = folder_in(temp, "a/app"), b = folder_in(temp, "b/app");
    CHECK(*claim_project(root, a, nobody) == "app");
    CHECK(*claim_project(root, b, nobody) == "app-2");
    CHECK(*claim_project(root, a, nobody) == "app");
    CHECK(*claim_project(root, b, nobody) == "app-2");
    REQUIRE(find_project(root, a + "/x/y"));
    CHECK((*find_project(root, a + "/x/y"))->name == "app");
    CHECK((*find_project(root, b))->name == "app-2");
    CHECK_FALSE(*find_project(root, a + "lication")); // no part of the path
    CHECK_FALSE(*find_project(root, temp / "a"));
    CHECK(*claim_project(root, folder_in(temp, "a/app/x"), nobody) == "x");
    CHECK((*find_project(root, a + "/x/y"))->name == "x"); // the nearest
}

TEST_CASE("a folder that is gone gives its name up")
{
    const TempFolder temp;
    Root root = open_root(temp / "root");
    const auto a = folder_in(temp, "a/app"), b = folder_in(temp, "b/app");
    CHECK(*claim_project(root, a, nobody) == "app");
    fs::remove_all(a);
    CHECK(*claim_project(root, b, nobody) == "app");
    CHECK(projects(root)->size() == 1);
}

TEST_CASE("a name is not free while a task that has it is kept for another folder")
{
    const TempFolder temp;
    Root root = open_root(temp / "root");
    const auto a = folder_in(temp, "a/app"), b = folder_in(temp, "b/app");
    CHECK(*claim_project(root, a, nobody) == "app");
    REQUIRE(root.claim_name("app:web", TaskId{7}, nobody));
    REQUIRE(root.claim_name("app-2x", TaskId{8}, nobody)); // of no project
    fs::remove_all(a);
    CHECK(*claim_project(root, b, [](TaskId id) { return id.value == 7; }) == "app-2");
    CHECK(*claim_project(root, folder_in(temp, "c/app"), nobody) == "app");
}

TEST_CASE("what is no name or no folder in projects/ is passed over")
{
    const TempFolder temp;
    Root root = open_root(temp / "root");
    CHECK(projects(root)->empty());
    const auto folder = folder_in(temp, "a");
    CHECK(*claim_project(root, folder, nobody) == "a");
    const std::string dir = temp / "root/projects/";
    REQUIRE(::symlink("relative", (dir + "b").c_str()) == 0);
    REQUIRE(::symlink("/", (dir + "c:d").c_str()) == 0);
    fs::create_directories(dir + "e");
    CHECK(projects(root)->size() == 1);
    CHECK(*claim_project(root, folder_in(temp, "b"), nobody) == "b"); // in its place
}

TEST_CASE("a name is said without the project inside it")
{
    CHECK(name_in_project("shop", "web") == "shop:web");
    CHECK(name_said_in("shop", "shop:web") == "web");
    CHECK(name_said_in("shop", "shopping:web") == "shopping:web");
    CHECK(name_said_in("shop", "shop") == "shop");
    CHECK(name_said_in("", ":web") == ":web");
}
