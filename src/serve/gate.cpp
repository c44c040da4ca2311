#include <bgt/serve/gate.hpp>

namespace bgt::serve {

namespace {

/// Which must not come twice: who looks at another one than we do would be fooled.
constexpr std::string_view single[] = {"host",          "origin",       "sec-fetch-site",
                                       "authorization", "content-type", "content-length",
                                       "last-event-id"};

bool is_foreign_site(std::string_view site)
{
    return !site.empty() && site != "same-origin" && site != "none";
}

} // namespace

std::string_view scope_word(api::Access access)
{
    constexpr std::string_view words[] = {"read", "control", "run"};
    return words[static_cast<std::size_t>(access)];
}

std::optional<Response> refuse_foreign(const Request& request, const Gate& gate)
{
    for (const std::string_view name : single)
        if (request.count(name) > 1)
            return problem(400, "the header " + std::string(name) + " is there twice");
    if (request.header("host") != gate.host)
        return problem(421, "the header Host must be " + gate.host);
    if (request.count("origin") != 0 && request.header("origin") != gate.origin())
        return problem(403, "pages of other origins get nothing here");
    if (is_foreign_site(request.header("sec-fetch-site")))
        return problem(403, "other sites get nothing here, nor do links on them lead here");
    if (request.method != "GET" && request.method != "POST") {
        Response out = problem(405, "only GET and POST are taken");
        out.more.emplace_back("Allow", "GET, POST");
        return out;
    }
    if (!request.target.starts_with('/'))
        return problem(400, "the target of a request is a path, which begins with /");
    if (request.method == "GET" && !request.header("content-length").empty() &&
        request.header("content-length") != "0")
        return problem(400, "a GET has no body");
    return std::nullopt;
}

bool equal_in_constant_time(std::string_view a, std::string_view b)
{
    if (a.size() != b.size()) return false;
    unsigned char differs = 0;
    for (std::size_t i = 0; i < a.size(); ++i)
        differs = static_cast<unsigned char>(differs | (a[i] ^ b[i]));
    const volatile unsigned char result = differs; // the loop can't be left before its end
    return result == 0;
}

const std::string& strongest(const Tokens& tokens)
{
    return tokens.back().empty() ? tokens.front() : tokens.back();
}

std::string_view bearer_of(const Request& request)
{
    constexpr std::string_view scheme = "Bearer ";
    const std::string_view given = request.header("authorization");
    return given.starts_with(scheme) ? given.substr(scheme.size()) : std::string_view();
}

std::optional<api::Access> access_of(const Request& request, const Tokens& tokens)
{
    const std::string_view given = bearer_of(request);
    std::optional<api::Access> out;
    for (std::size_t i = 0; i < tokens.size(); ++i)
        if (equal_in_constant_time(given, tokens[i]) && !tokens[i].empty())
            out = static_cast<api::Access>(i);
    return out;
}

std::optional<Response> refuse_body_type(const Request& request)
{
    std::string_view type = request.header("content-type");
    type = type.substr(0, type.find(';'));
    while (type.ends_with(' ')) type.remove_suffix(1);
    if (type == "application/json") return std::nullopt;
    return problem(415, "send JSON, with the header Content-Type: application/json");
}

} // namespace bgt::serve
