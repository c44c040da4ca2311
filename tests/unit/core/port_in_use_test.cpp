#include "support/catch.hpp"

#include <bgt/core/port_in_use.hpp>

using bgt::core::port_in_use;

TEST_CASE("the port that a program says is in use")
{
    const auto of = [](const std::string& line) {
        return port_in_use({"starting", line, "    at Server.listen (node:net:1463:16)"});
    };
    CHECK(of("Error: listen EADDRINUSE: address already in use :::3000") == 3000);
    CHECK(of("Error: listen EADDRINUSE: address already in use 127.0.0.1:8080") == 8080);
    CHECK(of("2026/11/28 12:30:45 [emerg] 71#71: bind() to 0.0.0.0:80 failed (98: Address already "
             "in use)") == 80);
    CHECK(of("listen tcp :8080: bind: address already in use") == 8080);
    CHECK(of("[Errno 98] error while attempting to bind on address ('127.0.0.1', 8000): address "
             "already in use") == 8000);
    CHECK(of("Port 5173 is in use, trying another one...") == 5173);
    CHECK(of("Something is already running on port 3001: it is in use.") == 3001);
    CHECK(of("OSError: [Errno 98] Address already in use") == 0);
    CHECK(of("Address already in use - bind(2) for \"0.0.0.0\" port 9292 (Errno::EADDRINUSE)") ==
          9292);
    CHECK_FALSE(of("listening on port 3000"));
    CHECK_FALSE(port_in_use({}));
}
