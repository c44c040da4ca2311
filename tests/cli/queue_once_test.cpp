// A task of a queue whose folder, record or marker goes before its end was read: it is started once
// all the same, and what waits for it learns its true end where that is known.
#include "support/catch.hpp"
#include "support/lab.hpp"
#include "support/queue_lab.hpp"

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <map>

using namespace bgt::test;
namespace fs = std::filesystem;

namespace {

const std::string runs_till_go = "echo $BGT_TASK_ID >> ran; until test -e go; do sleep 0.01; done";

/// How often the commands of all tasks were executed.
std::ptrdiff_t starts(const Lab& lab)
{
    return std::ranges::count(read_file(lab.work() + "/ran"), '\n');
}

/// Of the task whose command runs_till_go began.
void await_start(const Lab& lab, const std::string& id)
{
    REQUIRE(eventually(test_timeout, [&] {
        return fs::exists(lab.work() + "/ran") &&
               read_file(lab.work() + "/ran").find(id + "\n") != std::string::npos;
    }));
}

/// The dispatcher, stopped for as long as this lives.
class StoppedDispatcher {
public:
    explicit StoppedDispatcher(const Lab& lab) : pid_(stop_dispatcher(lab)) {}
    ~StoppedDispatcher() { ::kill(pid_, SIGCONT); }

private:
    pid_t pid_;
};

/// The supervisor of a running task.
pid_t supervisor_of(const Lab& lab, const std::string& id)
{
    return static_cast<pid_t>(number_at(lab.show(id), "/supervisor"));
}

void damage_record(const Lab& lab, const std::string& id)
{
    std::fstream file(lab.task_folder(id) + "/status",
                      std::ios::in | std::ios::out | std::ios::binary);
    for (const std::streamoff at : {100, 1124}) {
        file.seekp(at);
        file.put('\x7f');
    }
}

} // namespace

TEST_CASE("with --rm each task of a queue is executed once")
{
    const Lab lab;
    submitted(lab({"submit", "--rm", "--array", "1-12", "-c", "echo $BGT_TASK_ID >> ran"}));
    CHECK(is_over(lab));
    CHECK(starts(lab) == 12);
}

TEST_CASE("a task that is removed before its end was read is not executed again")
{
    const int code = GENERATE(0, 3);
    const std::string way = GENERATE("rm", "gc", "--rm", "by hand");
    INFO(way << ", exit code " << code);
    Lab lab;
    Words words{"-c", runs_till_go + "; exit " + std::to_string(code)};
    if (way == "--rm") words.insert(words.begin(), "--rm");
    const std::string id = submit_one(lab, words);
    await_start(lab, id);
    std::map<std::string, std::string> dependents;
    for (const std::string on : {"ok", "fail", "any"})
        dependents[on] = submit_one(lab, {"--after", id + ":" + on, "--", "true"});
    {
        const StoppedDispatcher stopped(lab);
        write_file(lab.work() + "/go", "");
        CHECK(lab.wait(id) == code);
        if (way == "rm") CHECK(lab({"rm", id}).code == 0);
        if (way == "gc") {
            lab.set_env("BGT_KEEP_ENDED=0");
            CHECK(lab({"gc"}).code == 0);
            lab.set_env("BGT_KEEP_ENDED=1000");
        }
        if (way == "by hand") {
            REQUIRE(eventually(test_timeout,
                               [&] { return !fs::exists(lab.root() + "/active/" + id); }));
            fs::remove_all(lab.task_folder(id));
        }
        REQUIRE(eventually(test_timeout, [&] { return !fs::exists(lab.task_folder(id)); }));
    }
    constexpr int not_started = 121;
    const bool is_known = way != "by hand";
    CHECK(lab.wait(dependents["ok"]) == (is_known && code == 0 ? 0 : not_started));
    CHECK(lab.wait(dependents["fail"]) == (is_known && code != 0 ? 0 : not_started));
    CHECK(lab.wait(dependents["any"]) == 0);
    CHECK(is_over(lab));
    CHECK(starts(lab) == 1);
}

TEST_CASE("a task whose record is damaged and whose supervisor was killed is not executed again")
{
    const Lab lab;
    const std::string id = submit_one(lab, {"-c", runs_till_go});
    await_start(lab, id);
    const std::string next = submit_one(lab, {"-c", "echo $BGT_TASK_ID >> ran"});
    const std::string after = submit_one(lab, {"--after", id + ":ok", "--", "true"});
    const pid_t supervisor = supervisor_of(lab, id);
    damage_record(lab, id);
    REQUIRE(::kill(supervisor, SIGKILL) == 0);
    CHECK(lab({"ps"}).out.find("task " + id + " is damaged") != std::string::npos);
    const Ran why = lab({"why", next});
    INFO(why);
    CHECK(why.out.find("running there: " + id + " (damaged)") != std::string::npos);
    CHECK(lab({"why", id}).out.find("is damaged, and keeps its slot") != std::string::npos);
    CHECK(lab({"queue"}).out.find("damaged") != std::string::npos);
    CHECK(starts(lab) == 1); // its slot is in use: the command runs
    write_file(lab.work() + "/go", "");
    CHECK(lab.wait(next) == 0);
    CHECK(lab.wait(after) == 121);
    CHECK(starts(lab) == 2);
    CHECK(lab({"ps", "-a"}).out.find("task " + id + " is damaged") != std::string::npos);
    CHECK(is_over(lab));
}

TEST_CASE("a marker that was removed is no end")
{
    const Lab lab;
    const bool is_of_queue = GENERATE(true, false);
    const std::string id =
        is_of_queue ? submit_one(lab, {"-c", runs_till_go}) : lab.start({"-c", runs_till_go});
    await_start(lab, id);
    const std::string after =
        submit_one(lab, {"--after", id + ":ok", "-c", "echo $BGT_TASK_ID >> ran"});
    fs::remove(lab.root() + "/active/" + id);
    const std::string later = submit_one(lab, {"-q", "other", "--", "true"});
    CHECK(lab.wait(later) == 0); // whoever dispatches has looked
    CHECK(lab.show(after).at("lifecycle").as_string() == "queued");
    write_file(lab.work() + "/go", "");
    CHECK(lab.wait(after) == 0);
    CHECK(is_over(lab));
    CHECK(starts(lab) == 2);
}
