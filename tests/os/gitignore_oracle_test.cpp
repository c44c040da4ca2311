// core::IgnoreRules and core::WatchFilter against `git check-ignore`, with random rules.
#include "support/catch.hpp"

#include "support/command.hpp"
#include <bgt/core/watch.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <set>

using namespace bgt;
using namespace bgt::test;
namespace fs = std::filesystem;

namespace {

using Random = std::mt19937;

std::size_t below(Random& random, std::size_t end)
{
    return std::uniform_int_distribution<std::size_t>(0, end - 1)(random);
}

const std::vector<std::string> names{"a",   "b",  "ab", "abc", "foo", "foo.o", "x.c", "[a]",
                                     "a b", "!x", "#y", "-",   ".h",  "a*b",   "\\z", "]"};

std::string random_name(Random& random)
{
    static const std::vector<std::string> pieces{"a",       "b",
                                                 "ab",      "foo",
                                                 "x",       "c",
                                                 "*",       "?",
                                                 "*.o",     "[ab]",
                                                 "[!a]",    "[^b]",
                                                 "[a-c]",   "[]a]",
                                                 "[!]a]",   "\\*",
                                                 "\\[",     "[[:alpha:]]",
                                                 ".",       "o",
                                                 "a*",      "*b",
                                                 "[a-",     "\\!",
                                                 "\\#",     "[[:nothing:]]",
                                                 "[-a]",    "[a\\]]",
                                                 "!",       "#",
                                                 " ",       "\\ ",
                                                 "[a-b-c]", "\\"};
    std::string name;
    for (std::size_t i = 0, count = 1 + below(random, 3); i < count; ++i)
        name += below(random, 4) == 0 ? names[below(random, names.size())]
                                      : pieces[below(random, pieces.size())];
    return name;
}

std::string random_rule(Random& random)
{
    if (below(random, 20) == 0) return "";
    std::string rule = below(random, 4) == 0 ? "!" : "";
    if (below(random, 5) == 0) rule += "/";
    for (std::size_t i = 0, count = 1 + below(random, 3); i < count; ++i)
        rule +=
            (i == 0 ? "" : "/") + (below(random, 6) == 0 ? std::string("**") : random_name(random));
    if (below(random, 4) == 0) rule += "/";
    if (below(random, 10) == 0) rule += "  ";
    if (below(random, 20) == 0) rule += "\r";
    return rule;
}

std::string random_rules(Random& random)
{
    std::string text;
    for (std::size_t i = 0, count = 1 + below(random, 6); i < count; ++i)
        text += random_rule(random) + "\n";
    return text;
}

/// Folders and files, to three levels.
std::vector<std::pair<std::string, bool>> make_tree(const std::string& top, Random& random)
{
    std::vector<std::pair<std::string, bool>> all;
    std::vector<std::string> folders{""};
    for (int level = 0; level < 3; ++level) {
        std::vector<std::string> next;
        for (const std::string& folder : folders)
            for (const std::string& name : names) {
                if (level > 0 && below(random, 3) != 0) continue;
                const std::string path = folder.empty() ? name : folder + "/" + name;
                const bool is_folder = level < 2 && below(random, 3) == 0;
                if (is_folder) fs::create_directory(top + "/" + path), next.push_back(path);
                else std::ofstream(top + "/" + path) << "x";
                all.emplace_back(path, is_folder);
            }
        folders = next;
    }
    return all;
}

/// bgt has no rule that is odd in the way of git, which takes `**` behind plain text for folders
/// ("x/a**/b" for "x/ab"); man 5 gitignore says that such stars are like one.
bool is_odd(const std::string& rules)
{
    for (std::size_t at = 0; (at = rules.find("**", at)) != std::string::npos; at += 2) {
        const bool begins =
            at == 0 || rules[at - 1] == '/' || rules[at - 1] == '\n' || rules[at - 1] == '!';
        if (!begins) return true;
        if (at + 2 < rules.size() && rules[at + 2] == '*') return true;
    }
    return rules.find("\\/") != std::string::npos || rules.find("\\\n") != std::string::npos ||
           rules.find("\\  ") != std::string::npos || rules.find("\\\r") != std::string::npos;
}

} // namespace

TEST_CASE("what git ignores does not count, and nothing else")
{
    if (find_program("git").empty()) return;
    const char* wanted = std::getenv("BGT_ORACLE_ROUNDS");
    const int rounds = wanted != nullptr ? std::atoi(wanted) : 60;
    char path[] = "/tmp/bgt-os-gitignore-XXXXXX";
    REQUIRE(mkdtemp(path) != nullptr);
    const std::string top = path;
    Random random(20261129);
    const Invocation init{{"git", "init", "-q", top}, caller_environment(), top, {}, {}};
    REQUIRE(run(init).code == 0);
    const auto entries = make_tree(top, random);
    std::string input;
    for (const auto& [name, is_folder] : entries) input += name + '\0';
    std::size_t compared = 0, ignored = 0;
    for (int round = 0; round < rounds; ++round) {
        std::string outer = random_rules(random), inner = random_rules(random);
        if (is_odd(outer) || is_odd(inner)) continue;
        std::string inner_folder;
        for (const auto& [name, is_folder] : entries)
            if (is_folder && name.find('/') == std::string::npos) inner_folder = name;
        std::ofstream(top + "/.gitignore") << outer;
        std::ofstream(top + "/" + inner_folder + "/.gitignore") << inner;
        Invocation ask{{"git", "-C", top, "check-ignore", "--no-index", "--stdin", "-z"},
                       caller_environment(),
                       top,
                       input,
                       {}};
        const Ran answer = run(ask);
        REQUIRE((answer.code == 0 || answer.code == 1));
        std::set<std::string> by_git;
        for (std::size_t at = 0; at < answer.out.size();) {
            const std::size_t end = answer.out.find('\0', at);
            by_git.insert(answer.out.substr(at, end - at));
            at = end + 1;
        }
        core::IgnoreRules top_rules = core::IgnoreRules::parse(outer),
                          inner_rules = core::IgnoreRules::parse(inner);
        std::set<std::string> by_bgt;
        for (const auto& [name, is_folder] : entries) {
            for (std::size_t slash = 0; slash != std::string::npos;) { // each folder on the way
                slash = name.find('/', slash + 1);
                const std::string part = name.substr(0, slash);
                const bool folder = slash != std::string::npos || is_folder;
                std::optional<bool> said;
                if (part.starts_with(inner_folder + "/"))
                    said = inner_rules.ignores(part.substr(inner_folder.size() + 1), folder);
                if (!said) said = top_rules.ignores(part, folder);
                if (!said.value_or(false)) continue;
                by_bgt.insert(name);
                break;
            }
            ++compared;
        }
        ignored += by_git.size();
        for (const auto& [name, is_folder] : entries) {
            if (by_git.contains(name) == by_bgt.contains(name)) continue;
            INFO("rules:\n" << outer << "in " << inner_folder << ":\n" << inner);
            INFO((is_folder ? "folder " : "file ")
                 << name << ": git " << (by_git.contains(name) ? "ignores it" : "does not"));
            CHECK(false);
            round = rounds; // the first says enough
            break;
        }
    }
    CHECK(compared > 1000);
    CHECK(ignored > 100);
    WARN(compared << " paths compared, " << ignored << " ignored");
    fs::remove_all(top);
}
