// Tasks that wait, and verbs that are for others; tasks that leave their queue while somebody
// looks.
#include "support/catch.hpp"
#include "support/lab.hpp"
#include "support/queue_lab.hpp"
#include "support/skip.hpp"

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <thread>

using namespace bgt::test;

namespace {

std::string reason(const Lab& lab, const std::string& id)
{
    return text_at(lab.show(id), "/outcome/reason");
}

} // namespace

TEST_CASE("rm --force takes a waiting task out of its queue and leaves nothing of it")
{
    const Lab lab;
    const std::string id = submit_one(lab, {"--hold", "--name", "w", "-c", "touch ran"});
    const std::string after = submit_one(lab, {"--after", id + ":ok", "--", "true"});
    CHECK(refused(lab, {"rm", "w"}).find("bgt rm --force " + id) != std::string::npos);
    Child waiter(lab.bgt({"wait", id}));
    REQUIRE(eventually(test_timeout, [&] { return state_of(waiter.pid()) == 'S'; }));
    REQUIRE(lab({"rm", "--force", "w"}).code == 0);
    CHECK(waiter.finish().code == 121); // who waits for it is told
    CHECK(lab.wait(after) == 121);
    CHECK(lab({"release", "--all"}).code == 0);
    CHECK(refused(lab, {"show", id}).find("no such task") != std::string::npos);
    CHECK_FALSE(std::filesystem::exists(lab.task_folder(id)));
    const std::string again = submit_one(lab, {"--name", "w", "--", "true"}); // the name is free
    CHECK(lab.wait(again) == 0);
    CHECK(is_over(lab));
    CHECK_FALSE(std::filesystem::exists(lab.work() + "/ran"));
    SECTION("right after it was cancelled")
    {
        for (int i = 0; i < 10; ++i) {
            const std::string one = submit_one(lab, {"--hold", "--", "true"});
            REQUIRE(lab({"kill", one}).code == 0);
            const Ran removed = lab({"rm", one});
            INFO(removed);
            REQUIRE(removed.code == 0);
            CHECK(lab({"show", one}).code == 125);
        }
    }
}

TEST_CASE("verbs for what runs say of a waiting task that it waits")
{
    const Lab lab;
    const std::string id = submit_one(lab, {"--hold", "--name", "w", "--", "true"});
    const std::string said = "task " + id + " waits in a queue";
    for (const Words& words :
         {Words{"signal", "HUP", "w"}, Words{"pause", "w"}, Words{"resume", "w"},
          Words{"restart", "w"}, Words{"retry", "w"}, Words{"send", "w", "text"},
          Words{"logs", "w"}, Words{"logs", "--follow", "w"}, Words{"wait", "--for", "log:x", "w"},
          Words{"wait", "--for", "quiet:1s", "w"}})
        CHECK(refused(lab, words).find(said) != std::string::npos);
    CHECK(refused(lab, {"run", "--name", "w", "--replace", "--", "true"})
              .find("which waits in a queue: bgt kill " + id) != std::string::npos);
    CHECK(lab({"gc"}).code == 0);
    CHECK(text_at(lab.show(id), "/lifecycle") == "queued");
    CHECK(lab({"kill", "w"}).code == 0);
    CHECK(is_over(lab));
}

TEST_CASE("a task that leaves its queue is always there for whoever looks")
{
    // Between its record in the journal and its folder, and while the folder is being made.
    std::vector<std::thread> threads;
    std::vector<Words> wrong(4);
    for (Words& said : wrong)
        threads.emplace_back([&said] {
            const Lab lab;
            const auto check = [&](const Words& words, int expected) {
                const Ran ran = lab(words);
                if (ran.code != expected)
                    said.push_back(words.front() + ": " + std::to_string(ran.code) + " " + ran.err);
            };
            for (int i = 0; i < 15; ++i) {
                const Ran submitted = lab({"submit", "--hold", "--", "true"});
                const std::string id = submitted.out.substr(0, submitted.out.find('\n'));
                if (i % 3 == 0) {
                    check({"release", id}, 0);
                    check({"show", id}, 0);
                    check({"why", id}, 0);
                    check({"wait", id}, 0);
                    continue;
                }
                check({"kill", id}, 0);
                check({"wait", id}, 121);
                check({i % 3 == 1 ? "show" : "why", id}, 0);
                check({"kill", id}, 0);
            }
        });
    for (std::thread& thread : threads) thread.join();
    for (const Words& said : wrong) CHECK(said == Words{});
}

TEST_CASE("a folder that comes while a verb looks for it is found")
{
    const Lab lab;
    const std::string strace = find_program("strace");
    if (strace.empty()) return skip("there is no strace");
    const std::string id = submit_one(lab, {"--hold", "--", "true"});
    const pid_t dispatcher = stop_dispatcher(lab);
    const Ran killed = lab({"kill", id});
    INFO(killed);
    REQUIRE(killed.code == 0); // on record in the journal; the folder is still to come
    CHECK(lab.wait(id) == 121);
    CHECK(reason(lab, id) == "cancelled");
    CHECK(lab({"kill", id}).code == 0);
    const std::string other = submit_one(lab, {"--hold", "--", "true"});
    REQUIRE(lab({"kill", other}).code == 0);
    for (const char* verb : {"why", "logs", "retry", "rm"}) {
        INFO(verb);
        const Ran ran = lab({verb, other});
        INFO(ran);
        CHECK(ran.code == 0);
    }
    // Between the look at the record and the look at the folder.
    const std::string trace = lab.folder() + "/trace";
    Child waiting(
        lab.program({strace, "-o", trace, "-e", "trace=access,faccessat,openat,openat2", "-e",
                     "inject=access,faccessat:delay_enter=500000", BGT_BINARY, "wait", id}));
    const bool has_looked = eventually(
        test_timeout, [&] { return read_file(trace).find("/status\"") != std::string::npos; });
    REQUIRE(::kill(dispatcher, SIGCONT) == 0);
    const Ran ran = waiting.finish();
    INFO(ran);
    if (!has_looked) return skip("strace can't trace here");
    CHECK(ran.code == 121);
    CHECK(is_over(lab));
}
