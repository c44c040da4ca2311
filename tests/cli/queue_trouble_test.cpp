// Damaged files of what waits: what each verb says, and what bgt queue repair keeps.
#include "support/catch.hpp"
#include "support/lab.hpp"
#include "support/queue_lab.hpp"

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <sys/stat.h>

using namespace bgt::test;

namespace {

void damage(const std::string& path, std::streamoff at)
{
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(at);
    file.put('\x7f');
}

} // namespace

TEST_CASE("a damaged journal is said by each verb, takes nothing more, and can be repaired")
{
    const Lab lab;
    REQUIRE(lab({"queue", "pause", "default"}).code == 0);
    const std::string runs = lab.start({"--", "sleep", "100"});
    Words ids;
    for (int i = 0; i < 3; ++i) ids.push_back(submit_one(lab, {"-c", "touch ran-$BGT_TASK_ID"}));
    const std::string journal = lab.root() + "/queue/journal";
    damage(journal, 96); // in what the first of them is
    const std::string said = journal + " is damaged: the record at byte 60 ";
    const std::string next = read_file(lab.root() + "/next-id");

    CHECK(refused(lab, {"submit", "--", "true"}).find(said) != std::string::npos);
    CHECK(refused(lab, {"submit", "--name", "web", "--", "true"}).find("bgt queue repair") !=
          std::string::npos);
    CHECK(read_file(lab.root() + "/next-id") == next);
    const Ran ps = lab({"ps"});
    INFO(ps);
    CHECK(ps.code == 0);
    CHECK(ps.out.find("sleep 100") != std::string::npos);
    CHECK(ps.err.find(said) != std::string::npos);
    CHECK(std::ranges::count(ps.err, '\n') == 1);
    for (const char* verb : {"wait", "show", "why", "kill", "release", "logs", "rm", "retry"})
        CHECK(refused(lab, Words{verb, ids[2]}).find(said) != std::string::npos);
    CHECK(refused(lab, {"queue"}).find(said) != std::string::npos);
    CHECK(lab({"show", runs}).code == 0);
    CHECK(lab({"why", runs}).code == 0);
    CHECK(refused(lab, {"kill", "--all"}).find(said) != std::string::npos);
    CHECK(lab.wait(runs) == 128 + SIGTERM); // what runs was ended all the same

    const Ran repaired = lab({"queue", "repair"});
    INFO(repaired);
    CHECK(repaired.code == 0);
    CHECK(repaired.out.find("1 place of the journal") == 0);
    CHECK(repaired.out.find("1 task is lost") != std::string::npos);
    CHECK(repaired.out.find("2 waiting tasks are kept, and held") != std::string::npos);
    CHECK(repaired.out.find(journal + ".damaged") != std::string::npos);
    CHECK(lab({"queue", "repair"}).out == "nothing is damaged\n");
    const std::string later = submit_one(lab, {"-c", "touch ran-$BGT_TASK_ID"});
    REQUIRE(lab({"queue", "resume", "default"}).code == 0);
    CHECK(lab.wait(later) == 0);
    CHECK_FALSE(std::filesystem::exists(lab.work() + "/ran-" + ids[1])); // held
    REQUIRE(lab({"release", "--all"}).code == 0);
    CHECK(lab.wait(ids[1]) == 0);
    CHECK(lab.wait(ids[2]) == 0);
    CHECK(lab({"wait", ids[0]}).code == 125);
    CHECK(is_over(lab));
}

TEST_CASE("what is in the place of a waiting task's folder is named, and blocks no other task")
{
    const Lab lab;
    const std::string kind = GENERATE("file", "fifo", "link", "folder");
    const std::string id = submit_one(lab, {"--hold", "--", "true"});
    const std::string place = lab.root() + "/tasks/" + id;
    std::filesystem::create_directories(lab.root() + "/tasks");
    if (kind == "file") write_file(place, "x");
    if (kind == "fifo") REQUIRE(::mkfifo(place.c_str(), 0600) == 0);
    if (kind == "link") std::filesystem::create_symlink(lab.work(), place);
    if (kind == "folder") std::filesystem::create_directories(place + "/full");
    REQUIRE(lab({"release", id}).code == 0);
    const std::string next = submit_one(lab, {"-c", "exit 7"});
    CHECK(lab.wait(next) == 7);
    const Ran why = lab({"why", id});
    INFO(kind << why);
    const std::string said = "something else is in the place of the task's folder " + place +
                             ": move it away, then bgt release " + id;
    CHECK(why.out.find(said) != std::string::npos);
    CHECK(why.out.find("it is held") != std::string::npos);
    CHECK(lab({"queue"}).out.find(said) != std::string::npos);
    // A folder is taken for a task that has no record, which can't be ended.
    const bool is_started_then = kind == "folder" || kind == "link";
    if (is_started_then) {
        std::filesystem::rename(place, lab.work() + "/away");
        REQUIRE(lab({"release", id}).code == 0);
        CHECK(lab.wait(id) == 0);
    } else {
        CHECK(lab({"kill", id}).code == 0);
    }
    CHECK(is_over(lab));
}

TEST_CASE("names in damaged settings reach no terminal")
{
    const Lab lab;
    submit_one(lab, {"--hold", "--", "true"});
    const std::string path = lab.root() + "/queue/settings";
    for (const char* text : {R"({"queues":{"a\u001b[2Jb":{"slots":1}}})",
                             R"({"resources":{"a\u001b[2Jb":1}})", R"({"queues":{"":{}}})"}) {
        write_file(path, text);
        for (const Words& words : {Words{"queue"}, {"queue", "show", "default"}, {"why", "1"}}) {
            const Ran ran = lab(words);
            INFO(ran);
            CHECK(ran.code == 125);
            CHECK(ran.err.find("settings is damaged (\"") != std::string::npos);
            CHECK((ran.out + ran.err).find('\x1b') == std::string::npos);
        }
    }
    CHECK(lab({"queue", "repair"}).code == 0);
    CHECK(lab({"kill", "1"}).code == 0);
    CHECK(is_over(lab));
}

TEST_CASE("damaged settings of the queues, and the damaged environment of a task")
{
    const Lab lab;
    REQUIRE(lab({"queue", "set", "default", "slots=1"}).code == 0);
    SECTION("settings")
    {
        const std::string id = submit_one(lab, {"--hold", "--", "true"});
        const std::string path = lab.root() + "/queue/settings";
        write_file(path, "{");
        CHECK(lab({"ps"}).err.find(path + " is damaged") != std::string::npos);
        CHECK(refused(lab, {"submit", "--", "true"}).find("bgt queue repair") != std::string::npos);
        CHECK(lab({"queue", "repair"}).out == "the damaged file is now " + path + ".damaged\n");
        REQUIRE(lab({"release", id}).code == 0);
        CHECK(lab.wait(id) == 0);
    }
    SECTION("environment")
    {
        const std::string first = submit_one(lab, {"-c", "until test -e go; do sleep 0.01; done"});
        Lab& other = const_cast<Lab&>(lab);
        other.set_env("ODD=1");
        const std::string damaged = submit_one(lab, {"--", "true"});
        other.set_env("ODD=2");
        const std::string next = submit_one(lab, {"--", "true"});
        std::string path;
        for (const auto& entry : std::filesystem::directory_iterator(lab.root() + "/queue"))
            if (read_file(entry.path()).find("ODD=1") != std::string::npos) path = entry.path();
        REQUIRE_FALSE(path.empty());
        write_file(path, "{");
        write_file(lab.work() + "/go", "");
        CHECK(lab.wait(next) == 0); // it is not kept waiting by the one before it
        const Ran why = lab({"why", damaged});
        INFO(why);
        CHECK(why.out.find("it is held") != std::string::npos);
        CHECK(why.out.find(path + ", the environment of the task, is damaged") !=
              std::string::npos);
        CHECK(lab({"kill", damaged}).code == 0);
    }
    CHECK(is_over(lab));
}
