// --config and BGT_CONFIG: a file in place of the bgt.toml that would be found.
#include "support/catch.hpp"
#include "support/lab.hpp"

#include <filesystem>
#include <sys/stat.h>

using namespace bgt::test;
namespace fs = std::filesystem;

namespace {

bool has(const std::string& text, const std::string& part)
{
    return text.find(part) != std::string::npos;
}

/// A bgt.toml in the working folder, and another file beside that folder.
void put_both(const Lab& lab, const std::string& other)
{
    write_file(lab.work() + "/bgt.toml", "grace = \"7s\"\n");
    write_file(lab.folder() + "/ci.toml", other);
}

} // namespace

TEST_CASE("a file that is named is read in place of the bgt.toml that is found")
{
    Lab lab;
    put_both(lab, "timeout = \"9m\"\n");
    const auto form = GENERATE(0, 1, 2, 3);
    const std::string file = lab.folder() + "/ci.toml";
    Words words{"config"};
    if (form == 0) words = {"--config", file, "config"};
    if (form == 1) words = {"--config=../ci.toml", "config"};
    if (form == 2) words = {"config", "--config", "../ci.toml"};
    if (form == 3) lab.set_env("BGT_CONFIG=" + file);
    words.emplace_back("timeout");
    CHECK(lab(words).out == "9m\n");
    words.back() = "grace";
    CHECK(lab(words).out == "5s\n"); // nothing of the other file
}

TEST_CASE("the option comes before the variable, and an empty variable names nothing")
{
    Lab lab;
    put_both(lab, "grace = \"9s\"\n");
    lab.set_env("BGT_CONFIG=" + lab.folder() + "/absent");
    CHECK(lab({"config", "grace", "--config", "../ci.toml"}).out == "9s\n");
    lab.set_env("BGT_CONFIG=");
    CHECK(lab({"config", "grace"}).out == "7s\n");
}

TEST_CASE("a named file that can't be read is an error of every verb")
{
    Lab lab;
    put_both(lab, "grace = 1\n");
    const auto verb = GENERATE(as<Words>{}, Words{"run", "--", "true"}, Words{"ps"},
                               Words{"kill", "--all"}, Words{"config"});
    const auto with = [&](const std::string& file) {
        Words words{"--config", file};
        words.insert(words.end(), verb.begin(), verb.end());
        return lab(words);
    };
    const Ran absent = with("absent.toml");
    INFO(absent);
    CHECK(absent.code == 125);
    CHECK(has(absent.err, "--config: there is no file " + lab.work() + "/absent.toml\n"));
    CHECK(absent.out.empty());
    CHECK(with(lab.work()).code == 125); // a folder
    CHECK(with("").code == 125);
    REQUIRE(::chmod((lab.folder() + "/ci.toml").c_str(), 0666) == 0); // others may write it
    const Ran unsafe = with("../ci.toml");
    INFO(unsafe);
    CHECK(unsafe.code == 125);
    CHECK(has(unsafe.err, "--config: "));
    CHECK(fs::exists(lab.root()) == false);
    lab.set_env("BGT_CONFIG=" + lab.folder() + "/gone");
    const Ran gone = lab(verb);
    CHECK(gone.code == 125);
    CHECK(has(gone.err, "BGT_CONFIG: there is no file " + lab.folder() + "/gone"));
}

TEST_CASE("a mistake in a named file does not keep a task from its end")
{
    const Lab lab;
    put_both(lab, "grace = \"soon\"\n");
    const std::string id = lab.start({"--", "sleep", "60"});
    CHECK(lab({"run", "--config", "../ci.toml", "--", "true"}).code == 125);
    const Ran killed = lab({"kill", "--config", "../ci.toml", id});
    INFO(killed);
    CHECK(killed.code == 0);
    CHECK(has(killed.err, "ci.toml:1:9: grace: "));
}

TEST_CASE("to name a file is not to trust it")
{
    const Lab lab;
    put_both(lab, "[[rule]]\nmatch = \"true\"\nenv = \"A=1\"\n");
    const std::string file = lab.folder() + "/ci.toml";
    const Words words{"run", "--config", file, "--explain", "--", "true"};
    const Ran before = lab(words);
    INFO(before);
    CHECK(has(before.err, file +
                              " is not trusted, so this is ignored: env (read the file, then: "
                              "bgt trust --config " +
                              file + ")\n"));
    CHECK(
        has(lab({"trust", "--config", "../ci.toml"}).out, file + " is trusted until it changes."));
    CHECK(lab(words).err.empty());
    CHECK(has(lab({"trust", "--revoke", "--config", file}).out, "is no longer trusted"));
    CHECK_FALSE(lab(words).err.empty());
}
