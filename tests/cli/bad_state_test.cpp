// A state root that can't be used, and records that can't be read: told, and nothing else suffers.
#include "support/catch.hpp"
#include "support/lab.hpp"
#include "support/skip.hpp"

#include <algorithm>
#include <csignal>
#include <grp.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace bgt::test;

namespace fs = std::filesystem;

namespace {

constexpr uid_t nobody = 65534;

/// What is run by somebody who is not root; root itself becomes nobody for it.
Invocation as_user(Invocation what)
{
    what.in_child = [] {
        if (geteuid() != 0) return;
        if (setgroups(0, nullptr) != 0 || setgid(nobody) != 0 || setuid(nobody) != 0) _exit(203);
    };
    return what;
}

/// Everything in the lab becomes the user's.
void give_to_user(const Lab& lab)
{
    if (geteuid() != 0) return;
    REQUIRE(chown(lab.folder().c_str(), nobody, nobody) == 0);
    for (const auto& entry : fs::recursive_directory_iterator(lab.folder()))
        REQUIRE(lchown(entry.path().c_str(), nobody, nobody) == 0);
}

void check_refused(const Ran& ran, const std::string& err)
{
    INFO(ran);
    CHECK(ran.in_time);
    CHECK(ran.code == 125);
    CHECK(ran.out.empty());
    CHECK(ran.err == err + "\n");
}

} // namespace

TEST_CASE("a state root that is no folder of one's own")
{
    const Lab lab;
    const auto at_root = [&](const std::string& root, const Words& words) {
        Words all{"--root", root};
        all.insert(all.end(), words.begin(), words.end());
        return lab(all);
    };
    const std::string place = lab.folder() + "/place";
    SECTION("a file")
    {
        write_file(place, "x");
        const std::string rest =
            place + " is not a folder: move it away, or name another with --root";
        check_refused(at_root(place, {"run", "--", "true"}), "bgt run: the state root " + rest);
        check_refused(at_root(place, {"show", "1"}), "bgt show: the state root " + rest);
        CHECK(read_file(place) == "x");
    }
    SECTION("writable by others")
    {
        fs::create_directory(place);
        fs::permissions(place, fs::perms::all);
        check_refused(at_root(place, {"run", "--", "true"}),
                      "bgt run: the state root " + place +
                          " is writable by others, who could plant files in it: chmod go-w " +
                          place);
        CHECK(fs::is_empty(place));
    }
    SECTION("below a file")
    {
        write_file(place, "x");
        const Ran ran = at_root(place + "/deep/root", {"run", "--", "true"});
        INFO(ran);
        CHECK(ran.code == 125);
        CHECK(ran.err.find("not a folder") != std::string::npos);
    }
    SECTION("somebody else's")
    {
        if (geteuid() != 0) return skip("needs root, to give a folder away");
        fs::create_directory(place);
        REQUIRE(chown(place.c_str(), nobody, nobody) == 0);
        const std::string rest =
            place +
            " belongs to user 65534, not to you (user 0): name a folder of your own with --root";
        check_refused(at_root(place, {"run", "--", "true"}), "bgt run: the state root " + rest);
        check_refused(at_root(place, {"show", "1"}), "bgt show: the state root " + rest);
        CHECK(fs::is_empty(place));
    }
    SECTION("a symlink that somebody else made")
    {
        if (geteuid() != 0) return skip("needs root, to give a link away");
        fs::create_directory(place);
        fs::permissions(place, fs::perms::owner_all);
        fs::create_directory_symlink(place, place + "-link");
        REQUIRE(lchown((place + "-link").c_str(), nobody, nobody) == 0);
        const Ran ran = at_root(place + "-link", {"run", "--", "true"});
        INFO(ran);
        CHECK(ran.code == 125);
        CHECK(ran.err.find("link") != std::string::npos);
        CHECK(fs::is_empty(place));
    }
    SECTION("a symlink to a folder of others")
    {
        fs::create_directory(place);
        fs::permissions(place, fs::perms::all);
        fs::create_directory_symlink(place, place + "-link");
        const Ran ran = at_root(place + "-link", {"run", "--", "true"});
        INFO(ran);
        CHECK(ran.code == 125);
        CHECK(fs::is_empty(place));
    }
    SECTION("not there: an empty one for those who only look")
    {
        CHECK(at_root(place, {"ps", "-q"}).code == 0);
        CHECK(at_root(place, {"show", "1"}).code == 125);
        CHECK(at_root(place, {"gc"}).code == 0);
        CHECK(!fs::exists(place));
    }
}

TEST_CASE("a state root that is read-only")
{
    const Lab lab;
    REQUIRE(lab({"run", "--wait", "--", "true"}).code == 0);
    give_to_user(lab);
    const auto before = lab.listing();
    for (const char* folder : {"/root/tasks", "/root/active", "/root/names", "/root"})
        if (fs::exists(lab.folder() + folder))
            fs::permissions(lab.folder() + folder, fs::perms::owner_read | fs::perms::owner_exec);
    fs::permissions(lab.root() + "/next-id", fs::perms::owner_read);
    const Ran ran = run(as_user(lab.bgt({"run", "--", "true"})));
    INFO(ran);
    CHECK(ran.code == 125);
    CHECK(ran.out.empty());
    CHECK(ran.err.starts_with("bgt run: "));
    CHECK(ran.err.find("Permission denied") != std::string::npos);
    CHECK(std::count(ran.err.begin(), ran.err.end(), '\n') == 1);
    // What is there can still be read.
    CHECK(run(as_user(lab.bgt({"ps", "-a", "-q"}))).out == "1\n");
    CHECK(run(as_user(lab.bgt({"wait", "1"}))).code == 0);
    CHECK(lab.listing() == before);
}

TEST_CASE("a state root in a folder that can't be written")
{
    Lab lab;
    give_to_user(lab);
    fs::permissions(lab.folder(), fs::perms::owner_read | fs::perms::owner_exec);
    const Ran ran = run(as_user(lab.bgt({"run", "--", "true"})));
    INFO(ran);
    CHECK(ran.code == 125);
    CHECK(ran.err.find("Permission denied") != std::string::npos);
    CHECK(std::count(ran.err.begin(), ran.err.end(), '\n') == 1);
}

TEST_CASE("a working folder that may not be entered, a command that may not be executed")
{
    const Lab lab;
    fs::create_directory(lab.work() + "/closed");
    write_file(lab.work() + "/closed/tool", "#!/bin/sh\n");
    give_to_user(lab);
    fs::permissions(lab.work() + "/closed", fs::perms::none);
    const Ran folder = run(as_user(lab.bgt({"run", "--cwd", "closed", "--", "true"})));
    INFO(folder);
    CHECK(folder.code == 125);
    CHECK(folder.err.find("Permission denied") != std::string::npos);
    const Ran tool = run(as_user(lab.bgt({"run", "--", "closed/tool"})));
    INFO(tool);
    CHECK(tool.code == 126);
    const Ran input = run(as_user(lab.bgt({"run", "--stdin", "closed/tool", "--", "cat"})));
    CHECK(input.code == 125);
    CHECK(run(as_user(lab.bgt({"ps", "-a", "-q"}))).out.empty());
}

TEST_CASE("a task of another user is not touched")
{
    if (geteuid() != 0) return skip("needs root, to become another user");
    const Lab lab;
    const std::string id = lab.start({"--", "sleep", "100"});
    fs::permissions(lab.folder(), fs::perms::others_exec | fs::perms::others_read,
                    fs::perm_options::add);
    const Ran ran = run(as_user(lab.bgt({"kill", id})));
    INFO(ran);
    CHECK(ran.code == 125);
    CHECK(text_at(lab.show(id), "/lifecycle") == "running");
}

TEST_CASE("a damaged record costs that task's row, never the command")
{
    const Lab lab;
    const std::string bad = lab.start({"-c", "echo kept"}), good = lab.start({"--", "true"});
    CHECK(lab({"wait", bad, good}).code == 0);
    const std::string status = lab.task_folder(bad) + "/status";
    const std::string content =
        GENERATE(std::string(), std::string("garbage"), std::string(2048, '\0'),
                 std::string(2048, '\xff'), std::string(1 << 20, 'x'));
    INFO(content.size() << " bytes");
    write_file(status, content);
    const Ran listed = lab({"ps", "-a"});
    INFO(listed);
    CHECK(listed.code == 0);
    CHECK(listed.out.find("damaged") != std::string::npos);
    CHECK(listed.out.find("exit 0") != std::string::npos);
    const Ran waited = lab({"wait", bad});
    CHECK(waited.code == 125);
    CHECK(waited.err.starts_with("bgt wait: task 1 is damaged: "));
    CHECK(lab({"logs", bad}).out == "kept\n");
    const auto task = lab.show(bad);
    CHECK(at(task, "/lifecycle").is_null());
    CHECK(at(task, "/problem").is_string());
    CHECK(lab({"kill", "--all"}).code == 0);
    CHECK(lab({"gc", "--keep", "0"}).code == 0);
    CHECK(lab({"rm", bad}).code == 0);
    CHECK(lab.start({"--", "true"}) == "3");
}

TEST_CASE("other damage")
{
    const Lab lab;
    const std::string id = lab.start({"-c", "echo kept"});
    CHECK(lab.wait(id) == 0);
    const std::string folder = lab.task_folder(id);
    SECTION("spec.json is cut off")
    {
        write_file(folder + "/spec.json", read_file(folder + "/spec.json").substr(0, 40));
        CHECK(lab({"ps", "-a"}).code == 0);
        CHECK(at(lab.show(id), "/problem").is_string());
    }
    SECTION("spec.json is newer")
    {
        write_file(folder + "/spec.json",
                   R"({"schema":99,"needs":99,"id":1,"command":["true"],"news":{}})");
        CHECK(lab({"ps", "-a"}).code == 0);
        CHECK(lab({"show", id}).code == 0);
    }
    SECTION("the events are garbage")
    {
        write_file(folder + "/events.jsonl", std::string("\0\xff{{{\n{\"at\":7}\n[]\n", 19));
        CHECK(lab({"show", id}).code == 0);
        CHECK(text_at(lab.show(id), "/lifecycle") == "ended");
    }
    SECTION("the index of the log is garbage")
    {
        write_file(folder + "/out.idx", std::string(33, '\xff'));
        CHECK(lab({"logs", "--timestamps", id}).in_time);
        CHECK(lab({"logs", "--since", "1h", id}).in_time);
        CHECK(lab({"logs", id}).out == "kept\n");
    }
    SECTION("the log is a symlink")
    {
        write_file(lab.work() + "/secret", "secret\n");
        fs::remove(folder + "/out.log");
        fs::create_symlink(lab.work() + "/secret", folder + "/out.log");
        const Ran ran = lab({"logs", id});
        INFO(ran);
        CHECK(ran.out.find("secret") == std::string::npos);
    }
    SECTION("next-id is garbage")
    {
        write_file(lab.root() + "/next-id", "garbage\n");
    }
    SECTION("next-id is gone")
    {
        fs::remove(lab.root() + "/next-id");
    }
    SECTION("a stranger's folder lies in tasks/")
    {
        fs::create_directories(lab.root() + "/tasks/hello");
        write_file(lab.root() + "/tasks/99999x", "");
        write_file(lab.root() + "/active/nonsense", "");
        write_file(lab.root() + "/active/12345", "");
        CHECK(lab({"ps"}).code == 0);
        CHECK(lab({"kill", "--all"}).code == 0);
    }
    SECTION("a symlink lies in tasks/")
    {
        fs::create_directory_symlink("/etc", lab.root() + "/tasks/7");
        CHECK(lab({"ps", "-a"}).code == 0);
        CHECK(lab({"show", "7"}).code == 125);
        CHECK(lab({"gc", "--keep", "0"}).in_time);
        CHECK(fs::exists("/etc/passwd"));
    }
    CHECK(lab.start({"--", "true"}) == "2");
}

TEST_CASE("what stands in the place of a file keeps no verb waiting, and is not followed")
{
    const Lab lab;
    write_file(lab.work() + "/secret", "secret\n");
    const std::string id = lab.start({"--name", "web", "-c", "echo kept; echo more"});
    CHECK(lab.wait(id) == 0);
    const std::string kind = GENERATE("fifo", "folder", "symlink", "huge");
    const auto put = [&](const std::string& path) {
        if (kind == "fifo") REQUIRE(mkfifo(path.c_str(), 0600) == 0);
        if (kind == "folder") fs::create_directory(path);
        if (kind == "symlink") fs::create_symlink(lab.work() + "/secret", path);
        if (kind == "huge") write_file(path, "");
        if (kind == "huge") REQUIRE(truncate(path.c_str(), off_t{1} << 40) == 0);
    };
    const std::vector<Words> verbs{{"ps", "-a"},
                                   {"show", id},
                                   {"logs", id},
                                   {"logs", "--timestamps", "-n", "1", id},
                                   {"why", id},
                                   {"kill", id},
                                   {"wait", "--timeout", "1", id},
                                   {"gc", "--dry-run"},
                                   {"run", "--", "true"}};
    const std::string folder = lab.task_folder(id);
    for (const std::string& path :
         {folder + "/status", folder + "/spec.json", folder + "/out.log", folder + "/out.idx",
          folder + "/events.jsonl", folder + "/lock", folder + "/reports", lab.root() + "/next-id",
          lab.root() + "/names/.lock", lab.root() + "/names/web"}) {
        const bool was_there = fs::exists(fs::symlink_status(path));
        if (was_there) fs::rename(path, lab.folder() + "/kept");
        put(path);
        for (const Words& words : verbs) {
            // A log of 1 TiB is printed.
            if (kind == "huge" && path.ends_with("out.log") && words[0] == "logs" &&
                words.size() == 2)
                continue;
            const Ran ran = lab(words, milliseconds(10000));
            INFO(kind << " " << path << "\n" << ran);
            CHECK(ran.in_time);
            CHECK(ran.code != 139);
            CHECK(ran.out.find("secret") == std::string::npos);
        }
        fs::remove_all(path);
        if (was_there) fs::rename(lab.folder() + "/kept", path);
    }
    CHECK(read_file(lab.work() + "/secret") == "secret\n");
    CHECK(lab({"logs", id}).out == "kept\nmore\n");
}

TEST_CASE("very many strange entries in the root cost time, no more")
{
    const Lab lab;
    const std::string id = lab.start({"--", "sleep", "100"});
    for (int i = 0; i < 5000; ++i) {
        write_file(lab.root() + "/active/" + std::to_string(i + 100), "");
        write_file(lab.root() + "/names/strange\xff\n" + std::to_string(i), "");
        write_file(lab.root() + "/active/no-id\xff" + std::to_string(i), "");
    }
    for (const Words& words :
         {Words{"ps"}, Words{"ps", "-a", "--json"}, Words{"show", id}, Words{"gc"}}) {
        const Ran ran = lab(words);
        INFO(ran.err);
        CHECK(ran.in_time);
        CHECK(ran.code == 0);
    }
    CHECK(lab({"kill", id}).code == 0);
}

TEST_CASE("a living task whose record is damaged can still be ended by its supervisor")
{
    const Lab lab;
    const std::string id = lab.start({"--", "sleep", "100"});
    const auto supervisor = static_cast<pid_t>(number_at(lab.show(id), "/supervisor"));
    write_file(lab.task_folder(id) + "/status", "garbage");
    CHECK(lab({"ps"}).code == 0);
    REQUIRE(::kill(supervisor, SIGTERM) == 0);
    CHECK(eventually(test_timeout, [&] { return !is_alive(supervisor); }));
    CHECK(find_task_members(lab.folder()).empty());
}

TEST_CASE(
    "what lives of a task whose record is damaged and whose supervisor was killed is ended by "
    "its cookie")
{
    const Lab lab;
    const std::string id =
        lab.start({"-c", "trap '' TERM; echo said; setsid sleep 1000 & exec sleep 1000"});
    REQUIRE(lab.logged(id, "said"));
    REQUIRE(eventually(test_timeout, [&] { return find_task_members(lab.folder()).size() == 2; }));
    const auto supervisor = static_cast<pid_t>(number_at(lab.show(id), "/supervisor"));
    REQUIRE(::kill(supervisor, SIGKILL) == 0);
    REQUIRE(eventually(test_timeout, [&] { return !is_alive(supervisor); }));
    write_file(lab.task_folder(id) + "/status", "garbage");
    // A copy of the folder ends nobody.
    const std::string copy = lab.root() + "-copy";
    REQUIRE(run(lab.program({"cp", "-a", lab.root(), copy})).code == 0);
    CHECK(lab({"--root", copy, "kill", "--now", id}).code == 125);
    CHECK(find_task_members(lab.folder()).size() == 2);

    const Ran log = lab({"logs", id});
    INFO(log);
    CHECK(log.out == "said\n");
    const Ran kept = lab({"rm", id});
    INFO(kept);
    CHECK(kept.code == 125);
    CHECK(kept.err.find("processes of it live: bgt kill 1 first") != std::string::npos);
    const Words words =
        GENERATE(Words{"kill", "--grace", "50ms"}, Words{"kill", "--now"}, Words{"rm", "--force"});
    Words all = words;
    all.push_back(id);
    const Ran ended = lab(all);
    INFO(ended);
    CHECK(ended.code == 0);
    if (words[0] == "kill")
        CHECK(ended.out.find("its record is damaged; ended 2 processes") != std::string::npos);
    CHECK(find_task_members(lab.folder()).empty());
    if (words[0] == "kill") CHECK(lab({"rm", id}).code == 0);
    CHECK(!fs::exists(lab.task_folder(id)));
    fs::remove_all(copy);
}

TEST_CASE("a task whose record is damaged is not removed under its living supervisor", "[slow]")
{
    const Lab lab;
    const std::string id = lab.start({"--", "sleep", "100"});
    const auto supervisor = static_cast<pid_t>(number_at(lab.show(id), "/supervisor"));
    REQUIRE(::kill(supervisor, SIGSTOP) == 0); // it can't mend the record
    write_file(lab.task_folder(id) + "/status", "garbage");
    const Words options = GENERATE(Words{}, Words{"--force"});
    Words words{"rm", id};
    words.insert(words.end(), options.begin(), options.end());
    const Ran refused = lab(words);
    INFO(refused);
    CHECK(refused.code == 125);
    CHECK(refused.err.starts_with("bgt rm: task 1 is damaged: "));
    CHECK(refused.err.find("its supervisor (a process named bgt:1) holds") != std::string::npos);
    CHECK(refused.err.find("were kept") == std::string::npos);
    REQUIRE(::kill(supervisor, SIGTERM) == 0);
    REQUIRE(::kill(supervisor, SIGCONT) == 0);
    CHECK(eventually(test_timeout, [&] { return !is_alive(supervisor); }));
    CHECK(find_task_members(lab.folder()).empty());
    CHECK(lab({"rm", id}).code == 0);
    CHECK(!fs::exists(lab.task_folder(id)));
}

TEST_CASE("where descriptors are too few for a supervisor nothing is started, and a task that "
          "lives without one stays")
{
    const Lab lab;
    const std::string id = lab.start({"--", "sleep", "100"});
    const auto supervisor = static_cast<pid_t>(number_at(lab.show(id), "/supervisor"));
    REQUIRE(::kill(supervisor, SIGKILL) == 0);
    REQUIRE(eventually(test_timeout, [&] { return !is_alive(supervisor); }));
    const auto with_few = [&](const Words& words) {
        Invocation what = lab.bgt(words);
        what.in_child = [] {
            const rlimit few{20, 20};
            if (setrlimit(RLIMIT_NOFILE, &few) != 0) _exit(203);
        };
        return run(what);
    };
    for (const Words& words : {Words{"run", "--", "true"}, Words{"wait", id}, Words{"rm", id},
                               Words{"rm", "--force", id}}) {
        const Ran ran = with_few(words);
        INFO(ran);
        CHECK(ran.code == 125);
        CHECK(ran.err.find("Too many open files") != std::string::npos);
        CHECK(ran.err.find("damaged") == std::string::npos);
    }
    CHECK(with_few({"gc", "--keep", "0"}).code == 0);
    CHECK(at(lab.show(id), "/adopted") == true);
    CHECK(lab({"ps", "-a", "-q"}).out == id + "\n");
    CHECK(lab({"kill", id}).code == 0);
}

TEST_CASE("verbs name a damaged task once")
{
    const Lab lab;
    const std::string id = lab.start({"--stdin", "pipe", "--", "true"});
    CHECK(lab.wait(id) == 0);
    REQUIRE(eventually(test_timeout, [&] { return find_marked(lab.task_folder(id)).empty(); }));
    write_file(lab.task_folder(id) + "/status", "garbage");
    for (const Words& words : {Words{"kill", id}, Words{"send", id, "x"},
                               Words{"signal", "HUP", id}, Words{"pause", id}}) {
        const Ran ran = lab(words);
        INFO(ran);
        CHECK(ran.code == 125);
        CHECK(ran.err.starts_with("bgt " + words[0] + ": task 1 is damaged: "));
    }
    const Ran removed = lab({"rm", "--force", id});
    INFO(removed);
    CHECK(removed.code == 0);
    CHECK(removed.err.empty());
}
