#include "sandbox.hpp"
#include "support/catch.hpp"

#include <bgt/os/ports.hpp>

#include <algorithm>
#include <fcntl.h>
#include <fstream>
#include <iterator>
#include <unistd.h>

using namespace bgt;

namespace {

std::uint16_t port_of(test::Started& server)
{
    const auto numbers = server.numbers();
    REQUIRE(numbers.size() == 1);
    return static_cast<std::uint16_t>(numbers[0]);
}

} // namespace

TEST_CASE("the ports of a tree are those it listens on")
{
    test::Sandbox sandbox;
    auto v4 = sandbox.start({"listen", "0"}), v6 = sandbox.start({"listen", "0", "--any"});
    auto silent = sandbox.start({"ignore-term"});
    const std::uint16_t first = port_of(v4), second = port_of(v6);
    REQUIRE(silent.line() == "ready");
    const auto known = os::listeners();
    CHECK(os::ports_of(std::vector{v4.pid}, known) == std::vector{first});
    CHECK(os::ports_of(std::vector{v6.pid}, known) == std::vector{second});
    auto both = std::vector{first, second};
    std::ranges::sort(both);
    CHECK(os::ports_of(std::vector{v6.pid, silent.pid, v4.pid, v4.pid, 1 << 30}, known) == both);
    CHECK(os::ports_of(std::vector{silent.pid}, known).empty());
    CHECK(os::ports_of(std::vector{v4.pid}, {}).empty());
    CHECK(os::ports_of({}, known).empty());
}

TEST_CASE("sock_diag and /proc/net say the same of a listener")
{
    test::Sandbox sandbox;
    auto server = sandbox.start({"listen", "0"});
    const std::uint16_t port = port_of(server);
    std::ifstream file("/proc/net/tcp");
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    const auto is_it = [&](const os::Listener& listener) { return listener.port == port; };
    const auto by_text = os::parse_proc_net(text), by_default = os::listeners();
    const auto found = std::ranges::find_if(by_text, is_it),
               other = std::ranges::find_if(by_default, is_it);
    REQUIRE(found != by_text.end());
    REQUIRE(other != by_default.end());
    CHECK(found->inode == other->inode);
    CHECK(found->inode != 0);
}

TEST_CASE("who holds a port")
{
    test::Sandbox sandbox;
    auto server = sandbox.start({"listen", "0"});
    const auto holders = os::holders_of(port_of(server));
    CHECK(holders.pids == std::vector{server.pid});
    CHECK(holders.all_seen);
    CHECK(os::holders_of(1).pids.empty());
}
