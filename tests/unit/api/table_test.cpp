// The table of operations: complete, and what follows from it.
#include <bgt/api/operation.hpp>
#include <bgt/api/schema.hpp>

#include <boost/json.hpp>
#include <set>

#include "support/catch.hpp"

using namespace bgt;
namespace json = boost::json;

namespace {

void check_fields(std::span<const api::Field> fields, bool with_docs)
{
    std::set<std::string_view> names;
    for (const api::Field& field : fields) {
        INFO(field.name);
        CHECK(names.insert(field.name).second);
        CHECK((field.type == api::Type::object) == !field.members.empty());
        CHECK_FALSE((field.required && !field.fallback.empty()));
        check_fields(field.members, with_docs);
    }
}

std::string refusal(const api::Operation& operation, const char* arguments)
{
    const auto checked =
        api::Arguments::check(operation.request, json::parse(arguments).as_object());
    return checked ? "" : checked.error().message;
}

} // namespace

TEST_CASE("every operation has a name of its own, a text, and fields that make sense")
{
    std::set<std::string_view> names;
    for (const api::Operation& operation : api::operations()) {
        INFO(operation.name);
        CHECK(names.insert(operation.name).second);
        CHECK(api::find_operation(operation.name) == &operation);
        CHECK_FALSE(operation.doc.empty());
        CHECK(operation.call != nullptr);
        CHECK_FALSE((operation.access == api::Access::read && operation.destructive));
        check_fields(operation.request, true);
        check_fields(operation.answer, false);
        // The defaults are values that the check takes.
        json::object given;
        for (const api::Field& field : operation.request) {
            if (!field.fallback.empty()) given[field.name] = json::parse(field.fallback);
            if (field.required) given[field.name] = 1;
        }
        CHECK(api::Arguments::check(operation.request, given));
    }
    CHECK(api::find_operation("no such") == nullptr);
}

TEST_CASE("arguments are judged by the fields, and the message names what is wrong")
{
    const api::Operation& run = *api::find_operation("run");
    CHECK(refusal(run, R"({"command":"x"})").empty());
    CHECK(refusal(run, R"({"command":null,"argv":["x"]})").empty());
    CHECK(refusal(run, R"({"wait_s":"1"})") == "wait_s: expected a number");
    CHECK(refusal(run, R"({"wait_s":50.5})") == "wait_s: expected 0 to 50");
    CHECK(refusal(run, R"({"wait_s":1e400})") != "");
    CHECK(refusal(run, R"({"keep":1})") == "keep: expected true or false");
    CHECK(refusal(run, R"({"nam":"x"})") == "there is no field 'nam' (did you mean name?)");
    CHECK(refusal(run, R"({"ready":{"port":1.5}})") == "ready: port: expected a whole number");
    CHECK(refusal(run, R"({"if_exists":"x"})") == "if_exists: 'x' is none of fail|reuse|replace");
    CHECK(refusal(run, R"({"env":{"A":[]}})") == "env: expected an object of texts");
    const api::Operation& read = *api::find_operation("read");
    CHECK(refusal(read, "{}") == "id: it is missing; expected a task id or name");
    CHECK(refusal(read, R"({"id":-1})") == "id: expected a task id or name");
    CHECK(refusal(read, R"({"id":""})") == "id: expected a task id or name");
}

TEST_CASE("the values come with their defaults")
{
    const api::Operation& read = *api::find_operation("read");
    const auto given =
        api::Arguments::check(read.request, json::parse(R"({"id":7,"cursor":12})").as_object());
    REQUIRE(given);
    CHECK(given->task("id") == "7");
    CHECK(given->integer("cursor") == 12);
    CHECK(given->integer("max_bytes") == 4096);
    CHECK(given->text_or_default("from") == "tail");
    CHECK_FALSE(given->has("grep"));
}

TEST_CASE("a schema follows from the fields")
{
    static constexpr api::Field members[] = {{.name = "deep", .type = api::Type::flag}};
    static constexpr api::Field fields[] = {
        {.name = "a", .doc = "text", .required = true, .choices = "x|y"},
        {.name = "n", .type = api::Type::integer, .fallback = "2", .min = 1, .max = 9},
        {.name = "ids", .type = api::Type::task, .list = true},
        {.name = "o", .type = api::Type::object, .members = members},
    };
    CHECK(api::schema_of(fields, api::Closed::yes) == json::parse(R"({
        "type":"object",
        "properties":{
            "a":{"type":"string","enum":["x","y"],"description":"text"},
            "n":{"type":"integer","minimum":1,"maximum":9,"default":2},
            "ids":{"type":"array","items":{"anyOf":[{"type":"integer"},{"type":"string"}]}},
            "o":{"type":"object","properties":{"deep":{"type":"boolean"}},
                 "additionalProperties":false}},
        "required":["a"],
        "additionalProperties":false})"));
}
