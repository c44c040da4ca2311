// Requests to `bgt serve`: HTTP in pieces, the gate, the routes, and the arguments of operations.
#include "fuzz.hpp"

#include "serve/route.hpp"
#include <bgt/api/operation.hpp>
#include <bgt/mcp/http.hpp>
#include <bgt/serve/gate.hpp>
#include <bgt/serve/http.hpp>

#include <boost/json.hpp>

using namespace bgt;

namespace {

void check_refusal(const serve::Response& response)
{
    FUZZ_CHECK(response.status >= 400 && response.status < 600);
    FUZZ_CHECK(
        response.body.ends_with('\n') &&
        fuzz::is_json_line(std::string_view(response.body).substr(0, response.body.size() - 1)));
    const std::string bytes = serve::to_bytes(response, false);
    FUZZ_CHECK(bytes.find("\r\n\r\n") + 4 + response.body.size() == bytes.size());
}

void check_request(const serve::Request& request)
{
    FUZZ_CHECK(request.body.size() <= serve::max_body);
    if (const auto refused = serve::refuse_foreign(request, {"h"})) check_refusal(*refused);
    FUZZ_CHECK(!serve::access_of(request, {"", "", ""}));
    if (const auto refused = serve::refuse_body_type(request)) check_refusal(*refused);
    const auto name = mcp::decode_header(request.header("mcp-name"));
    if (name) FUZZ_CHECK(name->size() <= request.header("mcp-name").size());
    const auto found = serve::route_of(request);
    if (const auto* refused = std::get_if<serve::Response>(&found)) return check_refusal(*refused);
    const auto& route = std::get<serve::Route>(found);
    if (route.kind != serve::Route::Kind::operation) return;
    boost::json::error_code error;
    const auto body = boost::json::parse(request.body, error);
    if (error || !body.is_object()) return;
    const auto checked = api::Arguments::check(route.operation->request, body.get_object());
    if (!checked) FUZZ_CHECK(fuzz::is_message(checked.error().message));
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    using State = serve::RequestReader::State;
    fuzz::Input in(data, size);
    serve::RequestReader reader;
    // The first byte says in which pieces the rest comes.
    const std::size_t piece = std::size_t{in.byte()} + 1;
    std::string_view rest = in.rest();
    while (!rest.empty()) {
        State state = reader.feed(rest.substr(0, piece));
        rest.remove_prefix(std::min(piece, rest.size()));
        for (; state == State::whole; state = reader.next()) check_request(reader.request());
        if (state != State::wrong) continue;
        check_refusal(reader.refusal());
        break;
    }
    return 0;
}
