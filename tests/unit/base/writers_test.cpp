#include "support/catch.hpp"

#include <bgt/base/writers.hpp>

#include <string>
#include <sys/stat.h>

using namespace bgt;

namespace {

const std::string passwd = "root:x:0:0:root:/root:/bin/sh\n"
                           "# a comment\n"
                           "\n"
                           "ann:x:1000:1000:Ann,,,:/home/ann:/bin/bash\n"
                           "bob:x:1001:1001::/home/bob:/bin/bash\n";
const std::string group = "root:x:0:\nann:x:1000:\nbob:x:1001:bob\nusers:x:100:ann,bob\n";

Members of(const std::string& accounts, const std::string& groups, unsigned gid = 1000,
           unsigned user = 1000)
{
    return members_of(gid, user, accounts, groups);
}

} // namespace

TEST_CASE("a group is private that has the name of its user and nobody else in it")
{
    CHECK(of(passwd, group) == Members::user_alone);
    CHECK(of(passwd, group, 1001, 1001) == Members::user_alone); // it names its user itself
    CHECK(of(passwd, group, 0, 0) == Members::user_alone);
    CHECK(of(passwd, group.substr(0, group.size() - 1)) == Members::user_alone); // no last newline
    CHECK(of(passwd + "too:x:1000:1000::/:/bin/sh\n", group) == Members::user_alone);
}

TEST_CASE("a group with others in it is not private")
{
    CHECK(of(passwd, group, 1001) == Members::others);
    CHECK(of(passwd, group, 100) == Members::others);
    CHECK(of(passwd, "ann:x:1000:bob\n") == Members::others);
    CHECK(of(passwd, "ann:x:1000:ann,bob\n") == Members::others);
    CHECK(of(passwd, "staff:x:1000:\n") == Members::others);
    CHECK(of(passwd, group + "staff:x:1000:\n") == Members::others);
    CHECK(of(passwd, group + "ann:x:1000:bob\n") == Members::others);
    CHECK(of(passwd + "eve:x:1002:1000::/:/bin/sh\n", group) == Members::others);
    CHECK(of(passwd, "ann:$6$salt$hash:1000:\n") == Members::others);
    CHECK(of(passwd, "ann:!:1000:\n") == Members::user_alone);
    // Nobody knows who it is, but others are in it.
    CHECK(of(passwd, group, 1000, 1005) == Members::others);
    CHECK(of("", "ann:x:1000:bob\n") == Members::others);
}

TEST_CASE("what the files do not tell is unknown")
{
    CHECK(of("", "") == Members::unknown);
    CHECK(of(passwd, "") == Members::unknown);
    CHECK(of("", "ann:x:1000:\n") == Members::unknown);
    CHECK(of(passwd, group, 1005, 1005) == Members::unknown);
    for (const char* odd : {"+", "+::::::", "-eve:x:7:7::/:/bin/sh", "eve", "eve:x:y:7::/:/bin/sh",
                            "eve:x:7", "eve:x:7:99999999999::/:", ":x:7:7::/:", "eve:x::7::/:"}) {
        INFO(odd);
        CHECK(of(passwd + odd + "\n", group) == Members::unknown);
    }
    for (const char* odd : {"+", "+:::", "eve", "eve:x:y:", "eve:x:-7:", ":x:7:"}) {
        INFO(odd);
        CHECK(of(passwd, group + odd + "\n") == Members::unknown);
    }
}

TEST_CASE("who may write a file follows from its mode and group")
{
    const unsigned nobody_has = 3999999;
    struct stat info {};
    info.st_uid = info.st_gid = nobody_has;
    const auto writers = [&](unsigned mode) {
        info.st_mode = S_IFREG | mode;
        return Groups(nobody_has).writers_of(info);
    };
    CHECK(writers(0600) == Writers::owner);
    CHECK(writers(0644) == Writers::owner);
    CHECK(writers(0664) == Writers::group); // nobody knows who is in it
    CHECK(writers(0602) == Writers::all);
    CHECK(writers(0666) == Writers::all);
}
