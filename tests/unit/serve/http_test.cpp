#include <bgt/serve/http.hpp>

#include "support/catch.hpp"

using namespace bgt::serve;
using State = RequestReader::State;

namespace {

std::string post(std::string_view body)
{
    return "POST /v1/run HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(body.size()) +
           "\r\n\r\n" + std::string(body);
}

int refused(std::string_view bytes)
{
    RequestReader reader;
    return reader.feed(bytes) == State::wrong ? reader.refusal().status : 0;
}

} // namespace

TEST_CASE("a request is read in whatever pieces it comes", "[http_test]")
{
    const std::string bytes = post("{\"a\":1}");
    for (std::size_t piece = 1; piece <= bytes.size(); ++piece) {
        RequestReader reader;
        for (std::size_t at = 0; at < bytes.size(); at += piece) {
            REQUIRE(reader.state() != State::whole);
            reader.feed(std::string_view(bytes).substr(at, piece));
        }
        REQUIRE(reader.state() == State::whole);
        CHECK(reader.request().method == "POST");
        CHECK(reader.request().target == "/v1/run");
        CHECK(reader.request().body == "{\"a\":1}");
        CHECK(reader.request().header("host") == "h");
        CHECK(reader.request().keep_alive);
    }
}

TEST_CASE("the headers are known before the body", "[http_test]")
{
    RequestReader reader;
    CHECK_FALSE(reader.has_begun());
    CHECK(reader.feed("POST / HTTP/1.1\r\n") == State::header);
    CHECK(reader.has_begun());
    CHECK(reader.feed("Content-Length: 3\r\nX: 1\r\nx: 2\r\n\r\n") == State::body);
    CHECK(reader.request().count("x") == 2);
    CHECK(reader.request().header("x") == "1");
    CHECK(reader.request().header("y").empty());
    CHECK(reader.feed("abc") == State::whole);
}

TEST_CASE("requests that come together are read one by one", "[http_test]")
{
    RequestReader reader;
    REQUIRE(reader.feed(post("one") + post("two") + "GET / HTTP/1.0\r\n\r\nGET /x") ==
            State::whole);
    CHECK(reader.request().body == "one");
    REQUIRE(reader.next() == State::whole);
    CHECK(reader.request().body == "two");
    REQUIRE(reader.next() == State::whole);
    CHECK(reader.request().method == "GET");
    CHECK_FALSE(reader.request().keep_alive);
    CHECK(reader.next() == State::header);
    CHECK(reader.has_begun());
}

TEST_CASE("what is too large or no HTTP is refused", "[http_test]")
{
    const std::string line = "GET / HTTP/1.1\r\n";
    CHECK(refused(line + "X: " + std::string(max_header, 'a')) == 431);
    CHECK(refused("GET /" + std::string(max_header, 'a')) == 431);
    CHECK(refused(line + "X: " + std::string(max_header - 100, 'a') + "\r\n\r\n") == 0);
    CHECK(refused("POST / HTTP/1.1\r\nContent-Length: 1048577\r\n\r\n") == 413);
    CHECK(refused("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n") == 411);
    CHECK(refused(line + "Upgrade: websocket\r\n\r\n") == 400);
    CHECK(refused(line + "Content-Length: x\r\n\r\n") == 400);
    CHECK(refused(line + "A : b\r\n\r\n") == 400);
    CHECK(refused("hello\r\n\r\n") == 400);
    CHECK(refused("GET / HTTP/3.0\r\n\r\n") >= 400);
    CHECK(refused(std::string("GET /\0 HTTP/1.1\r\n\r\n", 20)) == 400);
}

TEST_CASE("an answer has its length and the headers that protect the reader", "[http_test]")
{
    const std::string bytes =
        to_bytes({.status = 404, .body = "abc", .more = {{"Allow", "GET"}}}, false);
    CHECK(bytes.starts_with("HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\n"));
    CHECK(bytes.find("Content-Length: 3\r\n") != bytes.npos);
    CHECK(bytes.find("\r\nAllow: GET\r\n") != bytes.npos);
    CHECK(bytes.find("nosniff") != bytes.npos);
    CHECK(bytes.ends_with("Connection: close\r\n\r\nabc"));
    CHECK(to_bytes({}, true).ends_with("Connection: keep-alive\r\n\r\n"));
    const Response wrong = problem(403, "a \x1b[31m\"b\"");
    CHECK(wrong.type == "application/problem+json");
    CHECK(wrong.body.find('\x1b') == std::string::npos);
    CHECK(wrong.body.find("\"title\":\"Forbidden\",\"status\":403") != std::string::npos);
}

TEST_CASE("an event is its name, its id and one line", "[http_test]")
{
    CHECK(event_text("task", "7", "{}\n") == "event: task\nid: 7\ndata: {}\n\n");
    CHECK(event_text("task", "", "{}") == "event: task\ndata: {}\n\n");
}
