#include "support/catch.hpp"

#include <bgt/core/scope_chain.hpp>

using namespace bgt;
using namespace bgt::core;

namespace {

ScopeChain chain(std::vector<ProcessKey> processes)
{
    ScopeChain out;
    for (std::size_t at = 0; at < out.boot.size(); ++at)
        out.boot[at] = static_cast<std::uint8_t>(at * 17);
    out.processes = std::move(processes);
    return out;
}

} // namespace

TEST_CASE("a chain of scopes is read as it was written")
{
    for (const ScopeChain& scopes :
         {chain({{1, 0}}), chain({{7, 18446744073709551615ull}, {2147483647, 5}})}) {
        const auto read = parse_scopes(encode_scopes(scopes));
        REQUIRE(read);
        CHECK(*read == scopes);
    }
    CHECK(encode_scopes(chain({{7, 8}, {9, 10}})) == "00112233445566778899aabbccddeeff/7.8:9.10");
    CHECK(encode_scopes({}).empty());
    REQUIRE(parse_scopes(""));
    CHECK(parse_scopes("")->empty());
}

TEST_CASE("a text that is no chain of scopes is refused")
{
    const std::string boot = "00112233445566778899aabbccddeeff";
    for (const std::string& text :
         {boot, boot + "/", boot + "/7", boot + "/7.", boot + "/.8", boot + "/0.8", boot + "/-7.8",
          boot + "/7.-8", boot + "/7.8:", boot + "/7.8x", boot + "/2147483648.1", boot + " /7.8",
          boot.substr(1) + "/7.8", "g" + boot.substr(1) + "/7.8", std::string("/7.8"),
          std::string("x"), std::string("\0", 1), boot + "/7.18446744073709551616"}) {
        INFO(text);
        CHECK_FALSE(parse_scopes(text));
    }
}

TEST_CASE("scopes are nested only so deep")
{
    const std::string deepest =
        encode_scopes(chain(std::vector<ProcessKey>(max_scopes, ProcessKey{7, 8})));
    CHECK(parse_scopes(deepest));
    CHECK_FALSE(parse_scopes(deepest + ":7.8"));
}

TEST_CASE("a chain contains a scope of the same boot only")
{
    const ScopeChain scopes = chain({{7, 8}, {9, 10}});
    CHECK(scopes.contains(scopes.boot, {9, 10}));
    CHECK_FALSE(scopes.contains(scopes.boot, {9, 11}));
    CHECK_FALSE(scopes.contains(BootId{}, {9, 10}));
}
