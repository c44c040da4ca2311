#include "support/catch.hpp"

#include <bgt/core/http_head.hpp>

#include <string>

using namespace bgt;
using core::HttpHead;
using State = HttpHead::State;

TEST_CASE("the status of a head, whatever else is in it")
{
    struct Row {
        const char* bytes;
        int status;
    };
    // What curl 7.88 takes.
    for (const Row& row :
         {Row{"HTTP/1.1 204 No Content\r\n\r\n", 204}, Row{"HTTP/1.1 200\r\n\r\n", 200},
          Row{"HTTP/1.0 503 x\n\n", 503}, Row{"HTTP/1.1 200 OK\r\nServer : x\r\n\r\n", 200},
          Row{"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n",
              200},
          Row{"HTTP/1.1 200 OK\r\nConnection: keep-alive;timeout=5\r\n\r\n", 200},
          Row{"http/1.1 200 OK\r\n\r\n", 200}, Row{"HTTP/2 200\r\n\r\n", 200},
          Row{"HTTP/1.1  200 OK\r\n\r\n", 200}, Row{"HTTP/1.1 200\t OK\r\n\r\n", 200},
          Row{"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 301\r\n\r\n", 301}}) {
        INFO(row.bytes);
        const std::string bytes = row.bytes;
        CHECK(core::read_http_head(bytes, false) == HttpHead{State::complete, row.status});
        for (std::size_t size = 0; size < bytes.find("\n"); ++size)
            CHECK(core::read_http_head(bytes.substr(0, size), false).state == State::incomplete);
    }
}

TEST_CASE("a status line is enough when the connection was closed")
{
    CHECK(core::read_http_head("HTTP/1.1 200\r\n", true) == HttpHead{State::complete, 200});
    CHECK(core::read_http_head("HTTP/1.1 200\r\n", false).state == State::incomplete);
    for (const char* cut :
         {"", "HTTP/1.1 200", "HTTP/1.1 100 Continue\r\n", "HTTP/1.1 100 Continue\r\n\r\n"})
        CHECK(core::read_http_head(cut, true).state == State::not_http);
}

TEST_CASE("what is no head of HTTP")
{
    for (const char* bytes :
         {"SSH-2.0-OpenSSH_9.2\r\n", "\r\nHTTP/1.1 200 OK\r\n\r\n", "ICY 200 OK\r\n\r\n",
          "HTTP/1.1 2000 OK\r\n\r\n", "HTTP/1.1 099 OK\r\n\r\n", "HTTP/1.1 20\r\n\r\n",
          "HTTP/ 200\r\n\r\n", "HTTP/1.1\r\n\r\n", "HTTP/1.1 x00 OK\r\n\r\n"}) {
        INFO(bytes);
        CHECK(core::read_http_head(bytes, false).state == State::not_http);
    }
}
