// Messages to `bgt mcp`: lines, JSON-RPC, what the protocol says about them, and the arguments of
// tools.
#include "fuzz.hpp"

#include "mcp/lists.hpp"
#include "mcp/session.hpp"

#include "mcp/message.hpp"
#include <bgt/api/operation.hpp>

#include <boost/json.hpp>

using namespace bgt;

namespace {

void check_line(std::string_view line)
{
    FUZZ_CHECK(line.ends_with('\n') && fuzz::is_json_line(line.substr(0, line.size() - 1)));
}

void check_arguments(const mcp::Request& request)
{
    const auto* name = request.params.if_contains("name");
    const auto* arguments = request.params.if_contains("arguments");
    FUZZ_CHECK(name && name->is_string());
    const api::Operation* operation = api::find_operation(name->get_string());
    FUZZ_CHECK(operation != nullptr);
    if (!arguments || !arguments->is_object()) return;
    const auto checked = api::Arguments::check(operation->request, arguments->get_object());
    if (!checked) FUZZ_CHECK(fuzz::is_message(checked.error().message));
}

void check_action(const mcp::Action& action)
{
    if (!action.reply.empty()) check_line(action.reply);
    if (action.subscribe) FUZZ_CHECK(mcp::parse_uri(*action.subscribe).has_value());
    if (!action.work) return;
    FUZZ_CHECK(action.reply.empty() && !action.work->id.is_null());
    if (action.work->method == "tools/call") check_arguments(*action.work);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    fuzz::Input in(data, size);
    mcp::Session session;
    mcp::LineReader reader;
    // The first byte says in which pieces the rest comes.
    const std::size_t piece = std::size_t{in.byte()} + 1;
    std::string_view rest = in.rest();
    while (!rest.empty()) {
        reader.feed(rest.substr(0, piece));
        rest.remove_prefix(std::min(piece, rest.size()));
        while (const auto line = reader.next())
            check_action(session.take(mcp::parse_message(line->text)));
    }
    return 0;
}
