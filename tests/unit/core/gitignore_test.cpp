#include "support/catch.hpp"

#include <bgt/core/gitignore.hpp>

#include <chrono>
#include <string>

using namespace bgt;
using core::IgnoreRules;

namespace {

/// "ignored", "wanted" (by a `!`) or "-". A path that ends with a slash is that of a folder.
std::string said(std::string_view rules, std::string path)
{
    const bool is_folder = path.ends_with('/');
    if (is_folder) path.pop_back();
    const auto answer = IgnoreRules::parse(rules).ignores(path, is_folder);
    return !answer ? "-" : *answer ? "ignored" : "wanted";
}

} // namespace

TEST_CASE("rules of a .gitignore")
{
    struct Case {
        const char* rules;
        const char* path;
        const char* answer;
    };
    const Case cases[] = {
        {"*.o", "a.o", "ignored"},
        {"*.o", "src/deep/a.o", "ignored"},
        {"*.o", "a.c", "-"},
        {"/a.o", "a.o", "ignored"},
        {"/a.o", "src/a.o", "-"},
        {"doc/*.txt", "doc/a.txt", "ignored"},
        {"doc/*.txt", "doc/sub/a.txt", "-"},
        {"doc/*.txt", "x/doc/a.txt", "-"},
        {"build/", "build/", "ignored"},
        {"build/", "build", "-"},
        {"build/", "src/build/", "ignored"},
        {"/build/", "src/build/", "-"},
        {"**/foo", "foo", "ignored"},
        {"**/foo", "a/b/foo", "ignored"},
        {"**/foo/bar", "a/foo/bar", "ignored"},
        {"abc/**", "abc/x/y", "ignored"},
        {"abc/**", "abc/", "-"},
        {"a/**/b", "a/b", "ignored"},
        {"a/**/b", "a/x/y/b", "ignored"},
        {"a/**/b", "a/x/y/c", "-"},
        {"*.log\n!keep.log", "keep.log", "wanted"},
        {"!keep.log\n*.log", "keep.log", "ignored"},
        {"# comment\n\\#file", "#file", "ignored"},
        {"# comment", "# comment", "-"},
        {"\\!x", "!x", "ignored"},
        {"x  ", "x", "ignored"},
        {"x\\ ", "x ", "ignored"},
        {"x\\  ", "x ", "ignored"},
        {"x\r\ny", "x", "ignored"},
        {"\xEF\xBB\xBFx", "x", "ignored"},
        {"[ab].c", "b.c", "ignored"},
        {"[!ab].c", "b.c", "-"},
        {"[^ab].c", "c.c", "ignored"},
        {"[a-c]?", "bx", "ignored"},
        {"[]x]", "]", "ignored"},
        {"[[:digit:]]*", "7up", "ignored"},
        {"[[:nothing:]]", ":", "-"},
        {"[a", "[a", "-"},
        {"a\\", "a", "-"},
        {"\\*", "*", "ignored"},
        {"\\*", "x", "-"},
        {"?", "é", "-"}, // two bytes
        {"", "x", "-"},
        {"/", "x", "-"},
        {"//", "x", "-"},
        {"*", ".hidden", "ignored"},
        {"a**b", "axxb", "ignored"},
    };
    for (const Case& each : cases) {
        INFO("rules '" << each.rules << "', path '" << each.path << "'");
        CHECK(said(each.rules, each.path) == each.answer);
    }
}

TEST_CASE("many stars cost no more than the product of the lengths")
{
    std::string pattern, name(4000, 'a');
    for (int i = 0; i < 1000; ++i) pattern += "*a";
    const auto before = std::chrono::steady_clock::now();
    CHECK(said(pattern + "b", name) == "-");
    std::string folders = "a", deep = "a";
    for (int i = 0; i < 300; ++i) folders += "/**/a", deep += "/a";
    CHECK(said(folders + "/b", deep) == "-");
    CHECK(std::chrono::steady_clock::now() - before < std::chrono::seconds(5));
}

TEST_CASE("rules beyond all measure are left out")
{
    std::string text;
    for (int i = 0; i < 20'000; ++i) text += "x" + std::to_string(i) + "\n";
    CHECK(IgnoreRules::parse(text).size() == 10'000);
    CHECK(IgnoreRules::parse(std::string(5000, 'x')).empty());
}
