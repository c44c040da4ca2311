#include <bgt/serve/http.hpp>

#include <bgt/base/text.hpp>
#include <bgt/render/json_text.hpp>

#include <algorithm>
#include <boost/json.hpp>
#include <fmt/format.h>

namespace bgt::serve {

namespace {

/// On every answer: what it brings is run, framed, guessed at, stored and passed on by nobody.
constexpr std::string_view usual_headers =
    "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; "
    "connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'\r\n"
    "X-Content-Type-Options: nosniff\r\n"
    "X-Frame-Options: DENY\r\n"
    "Referrer-Policy: no-referrer\r\n"
    "Cache-Control: no-store\r\n"
    "Cross-Origin-Opener-Policy: same-origin\r\n"
    "Cross-Origin-Resource-Policy: same-origin\r\n";

constexpr std::pair<int, std::string_view> reasons[] = {
    {200, "OK"},
    {202, "Accepted"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {408, "Request Timeout"},
    {411, "Length Required"},
    {413, "Content Too Large"},
    {415, "Unsupported Media Type"},
    {421, "Misdirected Request"},
    {422, "Unprocessable Content"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {503, "Service Unavailable"},
    {505, "HTTP Version Not Supported"},
};

} // namespace

std::size_t Request::count(std::string_view name) const
{
    return static_cast<std::size_t>(
        std::ranges::count(headers, name, [](const auto& one) { return one.first; }));
}

std::string_view Request::header(std::string_view name) const
{
    const auto found = std::ranges::find(headers, name, [](const auto& one) { return one.first; });
    return found == headers.end() ? std::string_view() : std::string_view(found->second);
}

std::string_view reason_of(int status)
{
    for (const auto& [number, reason] : reasons)
        if (number == status) return reason;
    return "Error";
}

Response problem(int status, std::string_view detail, boost::json::object more)
{
    boost::json::object body{{"type", "about:blank"},
                             {"title", reason_of(status)},
                             {"status", status},
                             {"detail", printable(detail)}};
    for (auto& member : more) body[member.key()] = std::move(member.value());
    return {.status = status,
            .type = "application/problem+json",
            .body = render::json_text(body) + "\n"};
}

std::string to_bytes(const Response& response, bool keep_alive)
{
    std::string out =
        fmt::format("HTTP/1.1 {} {}\r\nContent-Type: {}\r\nContent-Length: {}\r\n", response.status,
                    reason_of(response.status), response.type, response.body.size());
    out += usual_headers;
    for (const auto& [name, value] : response.more) out += name + ": " + value + "\r\n";
    out += keep_alive ? "Connection: keep-alive\r\n\r\n" : "Connection: close\r\n\r\n";
    return out + response.body;
}

std::string stream_head()
{
    std::string out = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n";
    out += usual_headers;
    return out + "Connection: close\r\n\r\n";
}

std::string event_text(std::string_view event, std::string_view id, std::string_view data)
{
    while (data.ends_with('\n')) data.remove_suffix(1);
    std::string out = fmt::format("event: {}\n", event);
    if (!id.empty()) out += fmt::format("id: {}\n", id);
    return out + fmt::format("data: {}\n\n", data);
}

} // namespace bgt::serve
