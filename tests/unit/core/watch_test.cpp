#include "support/hand_driven.hpp"

#include <bgt/core/watch.hpp>

using namespace bgt;
using namespace bgt::core;
using namespace std::chrono_literals;

namespace {

constexpr const char* cwd = "/home/ada/app";

/// How an entry below the working folder is judged, after all folders on the way to it.
std::string judged(const std::vector<std::string>& globs, std::string path,
                   const std::vector<std::pair<std::string, std::string>>& gitignores = {},
                   const std::vector<std::string>& ignored = {})
{
    auto roots = parse_globs(globs, cwd);
    REQUIRE(roots);
    const bool is_folder = path.ends_with('/');
    if (is_folder) path.pop_back();
    path = cwd + ("/" + path);
    for (const WatchRoot& root : *roots) {
        if (!path.starts_with(root.folder + "/")) continue;
        WatchFilter filter(root, ignored, cwd, {"/home/ada/app/state"});
        for (const auto& [folder, rules] : gitignores)
            filter.set_rules(folder, IgnoreRules::parse(rules));
        auto verdict = WatchFilter::Verdict::take;
        for (std::size_t at = root.folder.size() + 1; at < path.size();) {
            const std::size_t slash = std::min(path.find('/', at), path.size());
            verdict =
                filter.judge(path.substr(0, slash), slash < path.size() || is_folder, verdict);
            if (verdict == WatchFilter::Verdict::skip) return "skip";
            at = slash + 1;
        }
        return verdict == WatchFilter::Verdict::take ? "take" : "named only";
    }
    return "outside";
}

std::string refused(const std::string& glob)
{
    const auto roots = parse_globs({glob}, cwd);
    return roots ? "" : roots.error().message;
}

Policy watching()
{
    Policy policy;
    policy.awaits_changes = true;
    return policy;
}

std::string ends(Task& task, Duration at, const MainEnd& how)
{
    task(at, MainEnded{how});
    return task(at, TreeEmpty{});
}

StopRequested change()
{
    StopRequested request;
    request.again = true;
    request.no_escalation = true;
    return request;
}

ChangeAction action(OnChange what, const State& state)
{
    WatchSpec watch;
    watch.on_change = what;
    return action_for(watch, state);
}

} // namespace

TEST_CASE("globs")
{
    struct Case {
        const char* glob;
        const char* path;
        const char* verdict;
    };
    const Case cases[] = {
        {"src/**", "src/a.c", "take"},
        {"src/**", "src/x/y/a.c", "take"},
        {"src/**", "a.c", "skip"},
        {"src/**", "lib/", "skip"},
        {"src/**/*.c", "src/a.c", "take"},
        {"src/**/*.c", "src/x/a.c", "take"},
        {"src/**/*.c", "src/x/a.h", "skip"},
        {"src/**/*.{c,h}", "src/x/a.h", "take"},
        {"{src,lib}/*.c", "lib/a.c", "take"},
        {"{src,lib/{a,b}}/*.c", "lib/b/a.c", "take"},
        {"*.toml", "a.toml", "take"},
        {"*.toml", "x/a.toml", "skip"},
        {"*.toml", "x/", "skip"},
        {"**/*.toml", "x/y/a.toml", "take"},
        {"**/*.toml", "a.toml", "take"},
        {"src", "src/x/y.c", "take"},
        {"src/", "src/x/y.c", "take"},
        {"./src", "src/x/y.c", "take"},
        {".", "anything/at/all", "take"},
        {"src/../lib", "lib/a", "take"},
        {"/home/ada/app/src", "src/a.c", "take"},
        {"*", "a", "take"},
        {"*", ".env", "take"},
        {"*", "x/", "skip"},
        {"packages/*/src", "packages/a/src/x/y.c", "take"},
        {"packages/*/src", "packages/a/test/", "skip"},
        {"a?c", "abc", "take"},
        {"[ab].c", "b.c", "take"},
        {"\\{a,b\\}", "{a,b}", "take"},
        {"a[{]b", "a{b", "take"},
        {"config.yaml", "config.yaml", "take"},
        {"config.yaml", "config.yml", "skip"},
        // what never counts
        {"**", ".git/", "skip"},
        {"**", ".git", "skip"},
        {"**", "state/", "skip"},
        {"**", "src/.a.c.swp", "skip"},
        {"**", "src/a.c~", "skip"},
        {"**", "src/4913", "skip"},
        {"**", "src/.#a.c", "skip"},
        {"**", "src/#a.c#", "skip"},
    };
    for (const Case& each : cases) {
        INFO("glob '" << each.glob << "', path '" << each.path << "'");
        CHECK(judged({each.glob}, each.path) == each.verdict);
    }
}

TEST_CASE("globs that make no sense")
{
    for (const char* glob : {"", "{a,b", "a}", "[a", "a\\", "*/../x", "{,a}/{,b}{}"}) {
        INFO(glob);
        if (std::string(glob) == "{,a}/{,b}{}") CHECK(refused(glob).empty()); // odd, and harmless
        else CHECK(!refused(glob).empty());
    }
    CHECK(refused("{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}").find("alternatives") !=
          std::string::npos);
    CHECK(!refused(std::string(5000, 'a')).empty());
    CHECK(!refused("{,a}").empty());
}

TEST_CASE("globs that lead out of the working folder have a root of their own")
{
    const auto roots = parse_globs({"src/**", "/etc/app/*.conf", "../lib/**", "/etc/hosts"}, cwd);
    REQUIRE(roots);
    std::string folders;
    for (const WatchRoot& root : *roots) folders += root.folder + " ";
    CHECK(folders == "/etc /home/ada/app /home/ada/lib ");
    const auto around = parse_globs({"src/*.c", "../*.c"}, cwd);
    REQUIRE(around);
    REQUIRE(around->size() == 1);
    CHECK(around->front().folder == "/home/ada");
    const auto matches = [&](const char* path) {
        return std::ranges::any_of(around->front().globs,
                                   [&](const WatchGlob& glob) { return glob.matches(path); });
    };
    CHECK(matches("a.c"));
    CHECK(matches("app/src/a.c"));
    CHECK_FALSE(matches("app/a.c"));
    // A working folder with wildcards in its name means itself.
    const auto odd = parse_globs({"*.c", "../x"}, "/w/a*b");
    REQUIRE(odd);
    CHECK(odd->front().folder == "/w");
    CHECK(odd->front().globs.back().matches("a*b/x.c"));
    CHECK_FALSE(odd->front().globs.back().matches("aab/x.c"));
}

TEST_CASE("what .gitignore ignores does not count, unless it is named")
{
    const std::string top = cwd;
    CHECK(judged({"**"}, "build/", {{top, "build/"}}) == "skip");
    CHECK(judged({"**"}, "src/a.o", {{top, "*.o"}, {top + "/src", "!a.o"}}) == "take");
    CHECK(judged({"**"}, "src/b.o", {{top, "*.o"}, {top + "/src", "!a.o"}}) == "skip");
    CHECK(judged({"**"}, "x.o", {{"/home/ada", "*.o"}}) == "skip"); // a repository around it
    CHECK(judged({".env"}, ".env", {{top, ".env"}}) == "take");
    CHECK(judged({"*.env"}, "x.env", {{top, "*.env"}}) == "skip");
    CHECK(judged({"build/app.json"}, "build/", {{top, "build/"}}) == "named only");
    CHECK(judged({"build/app.json"}, "build/app.json", {{top, "build/"}}) == "take");
    CHECK(judged({"build/app.json", "**"}, "build/other.json", {{top, "build/"}}) == "skip");
    CHECK(judged({"build"}, "build/x/y", {{top, "build/"}}) == "take");
    CHECK(judged({"build"}, "build/x.o", {{top, "build/\n*.o"}}) == "skip");
}

TEST_CASE("--watch-ignore wins")
{
    CHECK(judged({"**"}, "src/a.tmp", {}, {"*.tmp"}) == "skip");
    CHECK(judged({"src/a.tmp"}, "src/a.tmp", {}, {"*.tmp"}) == "skip");
    CHECK(judged({"**"}, "gen/", {}, {"/gen/"}) == "skip");
    CHECK(judged({"**"}, "src/gen/", {}, {"/gen/"}) == "take");
    CHECK(judged({"**"}, "keep.tmp", {}, {"*.tmp", "!keep.tmp"}) == "take");
}

TEST_CASE("changes that come together count once")
{
    const Instant zero{std::chrono::seconds(100)};
    Debounce debounce(100ms);
    CHECK_FALSE(debounce.due());
    debounce.seen(zero);
    CHECK(debounce.due() == zero + 100ms);
    debounce.seen(zero + 50ms);
    CHECK(debounce.due() == zero + 150ms);
    debounce.clear();
    CHECK_FALSE(debounce.due());
    debounce.seen(zero);
    for (Duration at = 0ms; at < 60s; at += 50ms) debounce.seen(zero + at);
    CHECK(debounce.due() == zero + 30s); // who writes without end is not waited for
    Debounce slow(10s);
    slow.seen(zero);
    for (Duration at = 0s; at < 200s; at += 5s) slow.seen(zero + at);
    CHECK(slow.due() == zero + 100s);
    Debounce checkout(100ms);
    checkout.seen(zero);
    CHECK(checkout.due(true) == zero + 2s);
    for (Duration at = 0s; at < 900s; at += 1s) checkout.seen(zero + at);
    CHECK(checkout.due(true) == zero + 10min);
    Debounce none(0ms);
    none.seen(zero);
    CHECK(none.due() == zero);
}

TEST_CASE("what a change does depends on the state of the task")
{
    using enum ChangeAction;
    Task task = running(watching());
    CHECK(action(OnChange::restart, task.state) == restart);
    CHECK(action(OnChange::queue, task.state) == later);
    CHECK(action(OnChange::signal, task.state) == signal);
    CHECK(action(OnChange::ignore, task.state) == none);
    task.state.paused = true;
    CHECK(action(OnChange::restart, task.state) == later);
    CHECK(action(OnChange::signal, task.state) == later);
    task.state.paused = false;
    SECTION("while it is restarted the next attempt sees it")
    {
        task(1s, change());
        CHECK(action(OnChange::restart, task.state) == none);
    }
    SECTION("while it is ended nothing follows")
    {
        task(1s, StopRequested{});
        CHECK(action(OnChange::restart, task.state) == none);
    }
    SECTION("while a limit ends it, the change is kept")
    {
        task.spec.timeout = 5s;
        task(6s, Tick{});
        task.in<Stopping>();
        CHECK(action(OnChange::restart, task.state) == later);
        CHECK(action(OnChange::ignore, task.state) == none);
    }
    SECTION("between two attempts it starts the next one")
    {
        CHECK(ends(task, 1s, Exited{0}) == "end-attempt save");
        for (const OnChange what :
             {OnChange::restart, OnChange::queue, OnChange::signal, OnChange::ignore})
            CHECK(action(what, task.state) == start);
    }
}

TEST_CASE("a task that watches files waits for a change once it has ended by itself")
{
    Task task = running(watching());
    CHECK(ends(task, 1s, Exited{3}) == "end-attempt save");
    CHECK(lifecycle(task.state) == Lifecycle::backing_off);
    CHECK_FALSE(task.due()); // nothing but a change moves it
    CHECK(task(2h, Tick{}) == "");
    CHECK(task.state.attempts.number == 2);
    SECTION("a change starts it")
    {
        CHECK(task(3h, change()) == "save start-again");
        CHECK(task(3h, Started{}) == "save");
        CHECK(ends(task, 3h, Exited{0}) == "end-attempt save");
        CHECK(task.state.attempts.number == 3);
    }
    SECTION("a stop ends it, with the outcome of the last run")
    {
        CHECK(task(3h, StopRequested{}) == "finish release");
        CHECK(task.in<Ended>().outcome == Outcome{OutcomeKind::exited, 3, 0, Reason::killed, 0});
    }
    SECTION("a command that is missing for a while does not end it")
    {
        task(3h, change());
        CHECK(task(3h, StartFailed{127}) == "end-attempt save");
        CHECK(task.in<BackingOff>().last.kind == OutcomeKind::failed_to_start);
        CHECK(task(4h, change()) == "save start-again");
    }
}

TEST_CASE("retries come first, and a change gives them back")
{
    Policy policy = watching();
    policy.restart_policy.retries = 1;
    Task task = running(policy);
    CHECK(ends(task, 1s, Exited{1}) == "end-attempt save");
    REQUIRE(task.due());
    task(*task.due(), Tick{});
    task(3s, Started{});
    CHECK(ends(task, 4s, Exited{1}) == "end-attempt save");
    CHECK_FALSE(task.due());
    task(5s, change());
    task(5s, Started{});
    CHECK(ends(task, 6s, Exited{1}) == "end-attempt save");
    CHECK(task.due());
}

TEST_CASE("what others ended is not started again by a change")
{
    Task task = running(watching());
    task(1s, StopRequested{Reason::owner_gone, false, std::nullopt});
    task(1s, change());
    task(2s, MainEnded{Signaled{15}});
    CHECK(task(2s, TreeEmpty{}) == "finish release");
    Policy limited = watching();
    limited.timeout = 5s;
    Task slow = running(limited);
    slow(6s, Tick{});
    slow(7s, MainEnded{Signaled{15}});
    CHECK(slow(7s, TreeEmpty{}) == "finish release"); // --timeout is about the task
}

TEST_CASE("--on-change")
{
    WatchSpec watch;
    for (const char* word : {"restart", "queue", "signal:HUP", "ignore-while-busy"}) {
        REQUIRE(parse_on_change(word, watch));
        CHECK(format_on_change(watch) == word);
    }
    REQUIRE(parse_on_change("signal:sigusr1", watch));
    CHECK(format_on_change(watch) == "signal:USR1");
    for (const char* word : {"", "ignore", "signal:", "signal:NOPE", "signal:0", "RESTART"})
        CHECK_FALSE(parse_on_change(word, watch));
}
