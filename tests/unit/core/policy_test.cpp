#include "support/catch.hpp"

#include <bgt/core/policy.hpp>

#include <string>

using namespace bgt::core;

namespace {

/// Each number up to the last enumerator has a name of its own that reads back; the next number has
/// none.
template <class Enum, class Parse>
std::string names_of(Enum last, Parse parse)
{
    std::string all;
    for (int i = 0; i <= static_cast<int>(last); ++i) {
        const auto value = static_cast<Enum>(i);
        const auto name = to_string(value);
        all += std::string(name) + " ";
        CHECK(parse(name) == value);
    }
    CHECK(to_string(static_cast<Enum>(static_cast<int>(last) + 1)) == "unknown");
    return all;
}

} // namespace

TEST_CASE("words of rules are the ones of the command line and of JSON, and read back")
{
    CHECK(names_of(Activity::zombie, parse_activity) ==
          "unknown busy trickle blocked waiting-input stopped unkillable zombie ");
    CHECK(names_of(OnHang::exec, parse_on_hang) == "kill restart report exec ");
    CHECK(names_of(Restart::always, parse_restart) == "no on-failure on-hang always ");
}

TEST_CASE("no other word is one")
{
    for (const char* word : {"", "Kill", "kill ", "on_hang", "off", "exec:true"}) {
        CHECK_FALSE(parse_activity(word));
        CHECK_FALSE(parse_on_hang(word));
        CHECK_FALSE(parse_restart(word));
    }
}
