// Real tools that have an end: make, cmake, pytest.
#include "support/catch.hpp"
#include "support/lab.hpp"
#include "support/skip.hpp"

#include <csignal>

using namespace bgt::test;

TEST_CASE("make -j8")
{
    const std::string make = find_program("make");
    if (make.empty()) return skip("no make");
    const Lab lab;
    write_file(lab.work() + "/Makefile",
               "all: a b c d e f g h\na b c d e f g h:\n\t@echo start $@\n\t@sleep 100\n");
    const std::string id = lab.start({"--", make, "-j8"});
    for (const char target : std::string("abcdefgh"))
        REQUIRE(lab.logged(id, std::string("start ") + target + "\n"));
    REQUIRE(eventually(test_timeout, [&] { return find_task_members(lab.folder()).size() >= 9; }));
    const std::vector<pid_t> tree = find_task_members(lab.folder());
    const Ran ran = lab({"kill", id});
    INFO(ran);
    CHECK(ran.code == 0);
    CHECK(ran.took < 5s);
    CHECK(all_gone(tree));
    CHECK(find_task_members(lab.folder()).empty());
    CHECK(text_at(lab.show(id), "/outcome/reason") == "killed");
}

TEST_CASE("a cmake build")
{
    if (find_program("cmake").empty() || find_program("cc").empty())
        return skip("no cmake, or no C compiler");
    const Lab lab;
    write_file(
        lab.work() + "/CMakeLists.txt",
        "cmake_minimum_required(VERSION 3.10)\nproject(hello C)\nadd_executable(hello hello.c)\n");
    write_file(lab.work() + "/hello.c",
               "#include <stdio.h>\nint main(void) { puts(\"hello from a build\"); return 3; }\n");
    const Ran ran = lab({"run", "--wait", "--timeout", "60s", "-c",
                         "cmake -S . -B build && cmake --build build -j2 && build/hello"},
                        70s);
    INFO(ran);
    CHECK(ran.code == 3);
    CHECK(ran.out.find("Built target hello\nhello from a build\n") != std::string::npos);
    CHECK(find_task_members(lab.folder()).empty());
}

TEST_CASE("pytest")
{
    Lab lab;
    for (const std::string& entry : caller_environment())
        if (entry.starts_with("HOME=") || entry.starts_with("PYENV_")) lab.set_env(entry);
    if (run(lab.program({"pytest", "--version"}), 60s).code != 0) return skip("no pytest");
    write_file(lab.work() + "/test_one.py",
               "def test_good():\n    pass\ndef test_bad():\n    assert 1 == 2\n");
    const std::string id = lab.start({"--", "pytest", "-q", "-p", "no:cacheprovider"});
    CHECK(lab.wait(id) == 1);
    const Ran last = lab({"logs", "-n1", id});
    INFO(last);
    CHECK(last.out.starts_with("1 failed, 1 passed in "));
    CHECK(lab({"logs", "--grep", "assert 1 == 2", id}).out.find("assert 1 == 2") !=
          std::string::npos);
}
