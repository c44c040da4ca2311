#include <bgt/mcp/http.hpp>

#include "support/catch.hpp"

using bgt::mcp::decode_header;

TEST_CASE("a header in Base64 is read, and any other is as it is", "[http_test]")
{
    CHECK(decode_header("us-west1") == "us-west1");
    CHECK(decode_header("") == "");
    CHECK(decode_header("=?base64?SGVsbG8sIOS4lueVjA==?=") == "Hello, \u4e16\u754c");
    CHECK(decode_header("=?base64?IHBhZGRlZCA=?=") == " padded ");
    CHECK(decode_header("=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?=") == "=?base64?literal?=");
    CHECK(decode_header("=?base64?\?=") == "");
    CHECK(decode_header("=?base64?=") == "=?base64?=");
    CHECK_FALSE(decode_header("=?base64?a b?="));
    CHECK_FALSE(decode_header("=?base64?\xff?="));
}
