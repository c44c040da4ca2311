// Messages as they come in: what is taken, and with which code the rest is refused.
#include "mcp/message.hpp"

#include <boost/json.hpp>

#include "support/catch.hpp"

using namespace bgt;
using mcp::LineReader;
using mcp::Message;
using mcp::parse_message;

namespace {

int code_of(std::string_view line)
{
    const Message message = parse_message(line);
    return message.fault ? message.fault->code : 0;
}

} // namespace

TEST_CASE("a request, a notification and a response are told apart")
{
    const Message request =
        parse_message(R"({"jsonrpc":"2.0","id":"a","method":"m","params":{"x":1}})");
    CHECK(request.kind == Message::Kind::request);
    CHECK(request.id == boost::json::value("a"));
    CHECK(request.method == "m");
    CHECK(request.params.at("x") == 1);
    CHECK(parse_message(R"({"jsonrpc":"2.0","method":"m"})").kind == Message::Kind::notification);
    CHECK(parse_message(R"({"jsonrpc":"2.0","id":1,"result":{}})").kind == Message::Kind::response);
    CHECK(parse_message(R"({"jsonrpc":"2.0","id":1,"error":{}})").kind == Message::Kind::response);
    CHECK(parse_message(R"({"jsonrpc":"2.0","id":2.0,"method":"m"})").id == boost::json::value(2));
}

TEST_CASE("what is no message is refused with the code of JSON-RPC")
{
    CHECK(code_of("") == mcp::code::parse_error);
    CHECK(code_of("{\"a\":\"\xff\"}") == mcp::code::parse_error);
    CHECK(code_of(std::string(100, '[')) == mcp::code::parse_error);
    CHECK(code_of("[]") == mcp::code::invalid_request);
    CHECK(code_of("null") == mcp::code::invalid_request);
    CHECK(code_of(R"({"id":1,"method":"m"})") == mcp::code::invalid_request);
    CHECK(code_of(R"({"jsonrpc":"2.0","id":null,"method":"m"})") == mcp::code::invalid_request);
    CHECK(code_of(R"({"jsonrpc":"2.0","id":1})") == mcp::code::invalid_request);
    CHECK(code_of(R"({"jsonrpc":"2.0","id":1,"method":"m","params":[1]})") ==
          mcp::code::invalid_params);
    const std::string long_id(300, 'x');
    CHECK(code_of(R"({"jsonrpc":"2.0","method":"m","id":")" + long_id + "\"}") ==
          mcp::code::invalid_request);
}

TEST_CASE("lines come whole, however they are cut, and none is held that is too long")
{
    LineReader reader;
    reader.feed("one\ntw");
    CHECK(reader.next()->text == "one");
    CHECK_FALSE(reader.next());
    reader.feed("o\r\n\nthree");
    CHECK(reader.next()->text == "two");
    CHECK(reader.next()->text.empty());
    CHECK_FALSE(reader.next());
    reader.feed("\n");
    CHECK(reader.next()->text == "three");
    const std::string block(1 << 20, 'x');
    for (int i = 0; i < 5; ++i) {
        reader.feed(block);
        CHECK_FALSE(reader.next());
    }
    reader.feed("end\nfour\n");
    const auto too_long = reader.next();
    CHECK(too_long->too_long);
    CHECK(too_long->text.empty());
    CHECK(reader.next()->text == "four");
}

TEST_CASE("an answer is one line of JSON, whatever is in it")
{
    const std::string line =
        mcp::error_line(nullptr, {mcp::code::parse_error, "a\nb\xff", nullptr});
    CHECK(line == "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32700,\"message\":"
                  "\"a\\nb\xef\xbf\xbd\"}}\n");
    CHECK(mcp::result_line(7, {{"age", 0.273}}) ==
          "{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{\"age\":0.273}}\n");
}
