#include "serve/route.hpp"
#include <bgt/serve/gate.hpp>
#include <bgt/serve/openapi.hpp>
#include <bgt/serve/server.hpp>

#include "support/catch.hpp"
#include <boost/json.hpp>

using namespace bgt;
using namespace bgt::serve;

namespace {

const Gate gate{"127.0.0.1:80"};

Request request(std::string method, std::string target,
                std::vector<std::pair<std::string, std::string>> headers = {})
{
    Request out;
    out.method = std::move(method);
    out.target = std::move(target);
    out.headers = std::move(headers);
    return out;
}

int foreign(std::vector<std::pair<std::string, std::string>> headers)
{
    const auto refused = refuse_foreign(request("GET", "/", std::move(headers)), gate);
    return refused ? refused->status : 0;
}

int route_status(std::string method, std::string target)
{
    const auto found = route_of(request(std::move(method), std::move(target)));
    const auto* refused = std::get_if<Response>(&found);
    return refused ? refused->status : 0;
}

Route route(std::string target)
{
    return std::get<Route>(route_of(request("GET", std::move(target))));
}

} // namespace

TEST_CASE("only our own pages and programs pass the gate", "[gate_test]")
{
    const std::pair<std::string, std::string> host{"host", "127.0.0.1:80"};
    CHECK(foreign({host}) == 0);
    CHECK(foreign({host, {"origin", "http://127.0.0.1:80"}, {"sec-fetch-site", "same-origin"}}) ==
          0);
    CHECK(foreign({host, {"sec-fetch-site", "none"}}) == 0);
    CHECK(foreign({}) == 421);
    CHECK(foreign({{"host", "localhost:80"}}) == 421);
    CHECK(foreign({{"host", "127.0.0.1"}}) == 421);
    CHECK(foreign({host, host}) == 400);
    CHECK(foreign({host, {"origin", "null"}}) == 403);
    CHECK(foreign({host, {"origin", ""}}) == 403);
    CHECK(foreign({host, {"origin", "http://127.0.0.1:81"}}) == 403);
    CHECK(foreign({host, {"sec-fetch-site", "same-site"}}) == 403);
    CHECK(foreign({host, {"sec-fetch-site", "cross-site"}}) == 403);
    CHECK(refuse_foreign(request("PUT", "/", {host}), gate)->status == 405);
    CHECK(refuse_foreign(request("GET", "http://x/", {host}), gate)->status == 400);
}

TEST_CASE("a token gives its scope, and nothing like it does", "[gate_test]")
{
    const Tokens tokens{"aa", "bb", ""};
    const auto scope = [&](const char* given) {
        return access_of(request("GET", "/", {{"authorization", given}}), tokens);
    };
    CHECK(scope("Bearer aa") == api::Access::read);
    CHECK(scope("Bearer bb") == api::Access::control);
    CHECK_FALSE(scope("Bearer "));
    CHECK_FALSE(scope("Bearer a"));
    CHECK_FALSE(scope("Bearer aaa"));
    CHECK_FALSE(scope("bearer aa"));
    CHECK_FALSE(scope("aa"));
    CHECK_FALSE(access_of(request("GET", "/"), tokens));
    CHECK(equal_in_constant_time("", ""));
    CHECK_FALSE(equal_in_constant_time("a", "b"));
}

TEST_CASE("new tokens are all different", "[gate_test]")
{
    const auto all = make_tokens(Scopes::all), read = make_tokens(Scopes::read_only);
    REQUIRE((all && read));
    for (const std::string& token : *all) CHECK(token.size() == 64);
    CHECK((*all)[0] != (*all)[1]);
    CHECK((*all)[1] != (*all)[2]);
    CHECK((*read)[0] != (*all)[0]);
    CHECK(((*read)[1].empty() && (*read)[2].empty()));
}

TEST_CASE("a path leads to one route", "[gate_test]")
{
    CHECK(route("/v1/tasks").kind == Route::Kind::tasks);
    CHECK(route("/v1/tasks?all=1&state=failed").query.size() == 2);
    CHECK(route("/v1/tasks/12").id.value == 12);
    CHECK(route("/v1/tasks/12/log?from=0").kind == Route::Kind::log);
    CHECK(route("/").kind == Route::Kind::page);
    CHECK(route_status("POST", "/v1/run") == 0);
    for (const char* path : {"/v1/tasks/", "/v1/tasks/0", "/v1/tasks/01", "/v1/tasks/a",
                             "/v1/tasks/1/x", "/v1/tasks/1/log/", "/v1/tasks/99999999999999999999",
                             "/v1/nothing", "/x", "/v1/", "/v1", "/../x", "//", "/index.html"})
        CHECK(route_status("GET", path) == 404);
    for (const char* path : {"/v1/tasks?all", "/v1/tasks?x=1", "/v1/tasks?all=1&all=1",
                             "/v1/tasks?all=%31", "/v1/queues?a=1", "/?token=1", "/v1/tasks/1?a=1"})
        CHECK(route_status("GET", path) == (std::string_view(path) == "/v1/tasks?all" ? 0 : 400));
    CHECK(route_status("POST", "/v1/tasks") == 405);
    CHECK(route_status("GET", "/v1/run") == 405);
    CHECK(route_status("POST", "/") == 405);
}

TEST_CASE("the description has every operation of the table", "[gate_test]")
{
    const boost::json::object document = openapi();
    const auto& paths = document.at("paths").as_object();
    for (const api::Operation& one : api::operations()) {
        const auto* path = paths.if_contains("/v1/" + std::string(one.name));
        REQUIRE(path != nullptr);
        CHECK(path->at("post").at("description").as_string().find(std::string(one.doc)) !=
              boost::json::string::npos);
    }
}
