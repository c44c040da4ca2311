#include "support/catch.hpp"

#include <bgt/core/http_url.hpp>

using namespace bgt;

TEST_CASE("URLs that are read")
{
    struct Row {
        const char* text;
        const char* host;
        int port;
        const char* target;
    };
    for (const Row& row :
         {Row{"http://example.org", "example.org", 80, "/"},
          Row{"http://example.org/", "example.org", 80, "/"},
          Row{"HTTP://localhost:3000/a/b?c=d#e", "localhost", 3000, "/a/b?c=d"},
          Row{"//localhost:3000/x", "localhost", 3000, "/x"},
          Row{":8080/health", "localhost", 8080, "/health"}, Row{":8080", "localhost", 8080, "/"},
          Row{"127.0.0.1:65535?q", "127.0.0.1", 65535, "/?q"},
          Row{"localhost/health", "localhost", 80, "/health"},
          Row{"http://[::1]:81/x", "::1", 81, "/x"}, Row{"[::1]", "::1", 80, "/"},
          Row{"localhost:1/https://x@y:z", "localhost", 1, "/https://x@y:z"}}) {
        INFO(row.text);
        const auto url = core::parse_http_url(row.text);
        REQUIRE(url);
        CHECK(url->host == row.host);
        CHECK(url->port == row.port);
        CHECK(url->target == row.target);
        CHECK_FALSE(url->tls);
    }
}

TEST_CASE("URLs of https")
{
    const auto plain = core::parse_http_url("HTTPS://example.org/x");
    REQUIRE(plain);
    CHECK(plain->tls);
    CHECK(plain->port == 443);
    CHECK(plain->target == "/x");
    const auto other = core::parse_http_url("https://:8443");
    REQUIRE(other);
    CHECK(other->host == "localhost");
    CHECK(other->port == 8443);
    CHECK_FALSE(core::parse_http_url("https://"));
    CHECK_FALSE(core::parse_http_url("https://http://x"));
}

TEST_CASE("which hosts are this machine")
{
    for (const char* own : {":1", "localhost", "127.0.0.1", "127.1.2.3:80", "[::1]:80"})
        CHECK(core::is_loopback(*core::parse_http_url(own)));
    for (const char* other : {"example.org", "127.example.org", "10.0.0.1", "[::2]:80"})
        CHECK_FALSE(core::is_loopback(*core::parse_http_url(other)));
}

TEST_CASE("URLs that are refused")
{
    for (const char* text : {"",
                             "/",
                             "/health",
                             "?x",
                             "http://",
                             "http:///x",
                             "ftp://x/",
                             ":",
                             ":0",
                             ":65536",
                             ":-1",
                             ":80x",
                             "localhost:",
                             "localhost:x",
                             "8080",
                             "8080/health",
                             "a b",
                             "localhost:1/a\r\nX: y",
                             "user@host/",
                             "http://user:pass@host/",
                             "[::1",
                             "[::1]x",
                             "[nonsense]:1",
                             "a:b:c",
                             "::1",
                             "host:1\x7f"}) {
        INFO(text);
        const auto url = core::parse_http_url(text);
        REQUIRE_FALSE(url);
        CHECK(url.error().kind == ErrorKind::usage);
        CHECK(url.error().message.find('\n') == std::string::npos);
    }
}

TEST_CASE("IPv6 addresses")
{
    for (const char* text :
         {"::", "::1", "1::", "fe80::1%eth0", "1:2:3:4:5:6:7:8",
          "1:2:3:4:5:6:7::", "::ffff:127.0.0.1", "1:2:3:4:5:6:1.2.3.4", "ABCD::ef01"}) {
        INFO(text);
        CHECK(core::is_ipv6_address(text));
    }
    for (const char* text :
         {"", ":", ":::", "1", "1:2", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1::2::3",
          "12345::", "g::", "::1%", "1.2.3.4", "::1.2.3", "::1.2.3.256",
          "1.2.3.4::", "1:2:3:4:5:6:7:1.2.3.4", "1:2:3:4::5:6:7:8", ":1::"}) {
        INFO(text);
        CHECK_FALSE(core::is_ipv6_address(text));
    }
}
