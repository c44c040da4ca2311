#include "support/catch.hpp"

#include <bgt/store/task_id.hpp>

using namespace bgt;
using namespace bgt::store;

TEST_CASE("ids are digits from 1 to 2^53")
{
    CHECK(parse_task_id("1")->value == 1);
    CHECK(parse_task_id("9007199254740992")->value == 9007199254740992);
    using namespace std::string_literals;
    for (const std::string& bad :
         {""s, "0"s, "-1"s, "+1"s, " 1"s, "1 "s, "1.0"s, "0x1"s, "web"s, "9007199254740993"s,
          "99999999999999999999999"s, "1\0"s, "1\n"s}) {
        const auto id = parse_task_id(bad);
        INFO(bad);
        REQUIRE_FALSE(id);
        CHECK(id.error().kind == ErrorKind::usage);
        CHECK(id.error().message.find('\n') == std::string::npos);
    }
}

TEST_CASE("names: what is allowed, and what an error says")
{
    CHECK(check_name("web"));
    CHECK(check_name("_w.e-b_2"));
    CHECK(check_name(std::string(64, 'a')));
    const auto says = [](std::string_view name, const char* why) {
        const auto checked = check_name(name);
        INFO(name.substr(0, 80));
        REQUIRE_FALSE(checked);
        CHECK(checked.error().kind == ErrorKind::usage);
        CHECK(checked.error().message.find(why) != std::string::npos);
        CHECK(checked.error().message.size() < 300);
        CHECK(checked.error().message.find('\n') == std::string::npos);
        CHECK(checked.error().message.find('\0') == std::string::npos);
    };
    says("", "empty");
    says(std::string(65, 'a'), "65 bytes");
    says(std::string(10000, 'a'), "10000 bytes");
    says("a/b", "character");
    says(std::string_view("a\0b", 3), "character");
    says("a\nb", "character");
    says("caf\xc3\xa9", "character");
    says("7", "begin");
    says("-a", "begin");
    says(".lock", "begin");
}

TEST_CASE("a task of a project has two names, which no user can give")
{
    CHECK(check_name("shop:web"));
    CHECK(check_name("_a.b:c-d"));
    CHECK_FALSE(check_plain_name("shop:web"));
    CHECK(check_plain_name("web"));
    for (const char* bad : {":", "a:", ":a", "a:b:c", "7:a", "a:7", "a:b c", "a: b"})
        CHECK_FALSE(check_name(bad));
    CHECK(check_name(std::string(31, 'a') + ":" + std::string(32, 'b')));
    CHECK_FALSE(check_name(std::string(32, 'a') + ":" + std::string(32, 'b')));
}
