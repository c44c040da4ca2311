#include "sample.hpp"
#include "support/catch.hpp"
#include <bgt/render/template.hpp>

using namespace std::chrono_literals;
using bgt::render::Template;

namespace {

const auto now = sample::after(252s);

std::string applied(std::string_view text, const bgt::ops::Snapshot& task)
{
    const auto parsed = Template::parse(text);
    REQUIRE(parsed);
    return parsed->apply(task, now);
}

std::string refusal(std::string_view text)
{
    const auto parsed = Template::parse(text);
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().kind == bgt::ErrorKind::usage);
    return parsed.error().message;
}

} // namespace

TEST_CASE("fields of a living task")
{
    auto task = sample::running(7, "web", "npm run dev");
    task.ports = {80, 5173};
    task.log_tail = "one\ntwo\n";
    const auto spec = sample::give_spec(task);
    spec->cwd = "/home/u/p";
    spec->tags = {{"job", "e2e"}};
    CHECK(applied("{id} {name} {state} {command}", task) == "7 web running npm run dev");
    CHECK(applied("{age} {duration} {cpu} {mem} {mem_bytes} {ports}", task) ==
          "4m12s 252.000 12% 120 MiB 125829120 80,5173");
    CHECK(applied("{pid} {supervisor} {processes} {last} {cwd} {tag:job}", task) ==
          "4211 4210 3 two /home/u/p e2e");
    CHECK(applied("[{exit}][{ended}][{signal}][{tag:other}]", task) == "[][][][]");
    CHECK(applied("{started} {log}", task) == "2026-01-01T00:00:00.000Z /root/tasks/7/out.log");
}

TEST_CASE("fields of an ended and of a damaged task")
{
    const bgt::core::Outcome outcome{.kind = bgt::core::OutcomeKind::signaled,
                                     .signal = 15,
                                     .reason = bgt::core::Reason::timeout};
    auto task = sample::ended(3, "x", outcome);
    CHECK(applied("{state} {exit} {outcome} {reason} {signal} {duration}", task) ==
          "timeout 123 signaled timeout SIGTERM 12.300");
    task.problem = "status: too short";
    CHECK(applied("{id}|{state}|{exit}|{pid}|{command}|{problem}", task) ==
          "3|damaged||||status: too short");
}

TEST_CASE("braces and escapes")
{
    const auto task = sample::running(7, "web", "x");
    CHECK(applied("", task) == "");
    CHECK(applied("plain", task) == "plain");
    CHECK(applied("{{{id}}}\\t{name}\\n\\\\", task) == "{7}\tweb\n\\");
    CHECK(refusal("{id").find("without its }") != std::string::npos);
    CHECK(refusal("id}").find("without its {") != std::string::npos);
    CHECK(refusal("\\x").find("escape") != std::string::npos);
    CHECK(refusal("\\").find("escape") != std::string::npos);
}

TEST_CASE("an unknown field is refused with the fields there are")
{
    for (const std::string_view text : {"{nope}", "{}", "{tag:}", "{ id}", "{ID}"}) {
        const std::string message = refusal(text);
        CHECK(message.find("unknown field") != std::string::npos);
        CHECK(message.find(bgt::render::template_fields()) != std::string::npos);
    }
    CHECK(refusal("{a\nb}").find('\n') == std::string::npos);
}

TEST_CASE("only what a template needs is asked for")
{
    const auto plain = Template::parse("{id} {name} {state} {exit}");
    CHECK_FALSE(plain->needs().spec);
    CHECK_FALSE(plain->needs().usage);
    CHECK_FALSE(plain->needs().ports);
    CHECK_FALSE(plain->needs().log_tail);
    CHECK(Template::parse("{tag:a}")->needs().spec);
    CHECK(Template::parse("{cpu}")->needs().usage);
    CHECK(Template::parse("{ports}")->needs().ports);
    CHECK(Template::parse("{last}")->needs().log_tail);
}

TEST_CASE("every field can be applied to every kind of task")
{
    std::string all = bgt::render::template_fields();
    std::string text;
    for (std::size_t at = 0; at < all.size();) {
        const auto end = std::min(all.find(' ', at), all.size());
        text += "{" + all.substr(at, end - at) + "}";
        at = end + 1;
    }
    CHECK_FALSE(applied(text, {}).empty());
    CHECK(applied(text, sample::running(1, "web", "a\nb\x1b[2J")).find_first_of("\n\x1b") ==
          std::string::npos);
}
