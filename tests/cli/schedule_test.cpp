// bgt schedule: what runs again and again.
#include "support/catch.hpp"
#include "support/lab.hpp"
#include "support/queue_lab.hpp"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <map>
#include <set>
#include <sstream>
#include <thread>

using namespace bgt::test;

namespace {

Ran schedule(const Lab& lab, Words words)
{
    words.insert(words.begin(), "schedule");
    return lab(words);
}

void add(const Lab& lab, Words words)
{
    words.insert(words.begin(), "add");
    const Ran ran = schedule(lab, words);
    INFO(ran);
    REQUIRE(ran.code == 0);
}

std::size_t lines_in(const std::string& path)
{
    if (!std::filesystem::exists(path)) return 0;
    const std::string text = read_file(path);
    return static_cast<std::size_t>(std::ranges::count(text, '\n'));
}

boost::json::array history(const Lab& lab, const std::string& name)
{
    return at(lab.ask({"schedule", "history", name}), "/history").as_array();
}

std::size_t count_of(const boost::json::array& rows, std::string_view what)
{
    return static_cast<std::size_t>(std::ranges::count_if(
        rows, [&](const auto& row) { return text_at(row.as_object(), "/what") == what; }));
}

} // namespace

TEST_CASE("a schedule fires every second, each time as a task with its tag, until it is removed")
{
    const Lab lab;
    add(lab, {"tick", "--every", "1s", "--", "sh", "-c", "echo $BGT_TASK_ID >> ran"});
    REQUIRE(eventually(test_timeout, [&] { return lines_in(lab.work() + "/ran") >= 3; }));
    REQUIRE(schedule(lab, {"rm", "tick"}).code == 0);
    const auto tasks = at(lab.ask({"ps", "-a", "--tag", "schedule=tick"}), "/tasks").as_array();
    CHECK(tasks.size() >= 3);
    CHECK(is_over(lab));
    CHECK(lines_in(lab.work() + "/ran") == tasks.size());
    CHECK(schedule(lab, {"history", "tick"}).code == 125);
}

TEST_CASE("ls, next and history tell when it runs, and what became of it")
{
    const Lab lab;
    add(lab, {"night", "--cron", "0 2 * * *", "--tz", "Europe/Berlin", "-q", "slow", "--", "true"});
    const Ran ls = schedule(lab, {"ls"});
    INFO(ls);
    CHECK(ls.out.find("night") != std::string::npos);
    CHECK(ls.out.find("02:00") != std::string::npos);
    CHECK(ls.out.find("(in ") != std::string::npos);
    CHECK(ls.out.find(", Europe/Berlin  ") != std::string::npos); // WHEN is by its clocks
    const auto json = lab.ask({"schedule", "ls"});
    CHECK(at(json, "/schedules/0/name") == "night");
    CHECK(at(json, "/schedules/0/when") == "cron 0 2 * * *");
    CHECK(at(json, "/schedules/0/zone") == "Europe/Berlin");
    CHECK(at(json, "/schedules/0/queue") == "slow");
    CHECK(at(json, "/schedules/0/last").is_null());
    CHECK(at(lab.ask({"schedule", "next", "night", "-n", "4"}), "/fires").as_array().size() == 4);
    const Ran next = schedule(lab, {"next", "night", "-n", "3"});
    CHECK(std::ranges::count(next.out, '\n') == 3);

    const Ran ran = schedule(lab, {"run", "night"});
    INFO(ran);
    REQUIRE(ran.code == 0);
    const std::string id = ran.out.substr(0, ran.out.find('\n'));
    CHECK(lab.wait(id) == 0);
    const auto rows = history(lab, "night");
    REQUIRE(rows.size() == 1);
    CHECK(at(rows[0], "/what") == "manual");
    CHECK(at(rows[0], "/run/task") == std::stoi(id));
    CHECK(at(rows[0], "/run/exit_code") == 0);
    CHECK(schedule(lab, {}).out.find("exit 0 (task " + id) != std::string::npos);
    CHECK(schedule(lab, {"history", "night"}).out.find("  manual: run by hand  ") !=
          std::string::npos);
    REQUIRE(schedule(lab, {"rm", "night"}).code == 0);
    CHECK(is_over(lab));
}

TEST_CASE("a task that has not ended: skip, queue, replace, allow")
{
    const Lab lab;
    const Words command{"--", "sh", "-c", "echo x >> ran; until test -e go; do sleep 0.02; done"};
    const auto with = [&](Words words) {
        words.insert(words.end(), command.begin(), command.end());
        return words;
    };
    REQUIRE(lab({"queue", "set", "default", "slots=20"}).code == 0);
    SECTION("skip")
    {
        add(lab, with({"s", "--every", "1s"}));
        REQUIRE(eventually(test_timeout,
                           [&] { return count_of(history(lab, "s"), "overlapped") >= 2; }));
        CHECK(count_of(history(lab, "s"), "fired") == 1);
        CHECK(lines_in(lab.work() + "/ran") == 1);
    }
    SECTION("queue")
    {
        add(lab, with({"s", "--every", "1s", "--overlap", "queue"}));
        REQUIRE(
            eventually(test_timeout, [&] { return count_of(history(lab, "s"), "fired") >= 3; }));
        CHECK(lines_in(lab.work() + "/ran") == 1);
    }
    SECTION("replace")
    {
        add(lab, with({"s", "--every", "1s", "--overlap", "replace"}));
        REQUIRE(eventually(test_timeout, [&] { return lines_in(lab.work() + "/ran") >= 3; }));
        const auto running = at(lab.ask({"ps", "--state", "running"}), "/tasks").as_array();
        CHECK(running.size() <= 1);
    }
    SECTION("allow")
    {
        add(lab, with({"s", "--every", "1s", "--overlap", "allow"}));
        REQUIRE(eventually(test_timeout, [&] {
            return at(lab.ask({"ps", "--state", "running"}), "/tasks").as_array().size() >= 3;
        }));
    }
    REQUIRE(schedule(lab, {"rm", "s"}).code == 0);
    write_file(lab.work() + "/go", "");
    CHECK(is_over(lab));
}

TEST_CASE("a paused schedule does not run, nobody dispatches for it, and it can be resumed")
{
    const Lab lab;
    add(lab, {"s", "--every", "1s", "--times", "2", "--", "true"});
    REQUIRE(schedule(lab, {"pause", "s"}).code == 0);
    CHECK(at(lab.ask({"schedule"}), "/schedules/0/paused") == true);
    // The journal stays; dispatcher and standby go.
    CHECK(eventually(test_timeout, [&] { return find_marked(lab.root() + "/queue").empty(); }));
    std::this_thread::sleep_for(1200ms);
    REQUIRE(lab({"ps"}).code == 0);
    CHECK(find_marked(lab.root() + "/queue").empty());
    REQUIRE(schedule(lab, {"resume", "s"}).code == 0);
    REQUIRE(eventually(test_timeout, [&] { return count_of(history(lab, "s"), "fired") == 2; }));
    CHECK(count_of(history(lab, "s"), "paused") >= 1);
    // It has run so often as it was to: again nobody is needed.
    CHECK(at(lab.ask({"schedule"}), "/schedules/0/over") == true);
    CHECK(eventually(test_timeout, [&] { return find_marked(lab.root() + "/queue").empty(); }));
    REQUIRE(schedule(lab, {"rm", "s"}).code == 0);
    CHECK(is_over(lab));
}

TEST_CASE("what was missed while all were killed is told, and made up for as it was asked")
{
    const Lab lab;
    add(lab, {"once", "--every", "1s", "--", "sh", "-c", "echo x >> once"});
    add(lab, {"all", "--every", "1s", "--missed", "all:100", "--overlap", "allow", "--", "sh", "-c",
              "echo x >> all"});
    add(lab, {"skip", "--cron", "* * * * * *", "--missed-within", "100ms", "--", "true"});
    REQUIRE(lab({"queue", "set", "default", "slots=20"}).code == 0);
    REQUIRE(eventually(test_timeout, [&] { return lines_in(lab.work() + "/all") >= 1; }));
    const auto fired_before = count_of(history(lab, "all"), "fired");
    kill_dispatchers(lab);
    std::this_thread::sleep_for(3500ms);
    REQUIRE(lab({"ps"}).code == 0); // puts another in place
    REQUIRE(eventually(test_timeout,
                       [&] { return count_of(history(lab, "all"), "fired") >= fired_before + 3; }));
    CHECK(count_of(history(lab, "once"), "missed") >= 1);
    CHECK(count_of(history(lab, "all"), "missed") == 0);
    CHECK(count_of(history(lab, "skip"), "missed") >= 1);
    REQUIRE(schedule(lab, {"rm", "once", "all", "skip"}).code == 0);
    CHECK(is_over(lab));
}

TEST_CASE("edit changes options one by one, and the command as a whole")
{
    const Lab lab;
    add(lab, {"s", "--cron", "0 2 * * *", "--overlap", "queue", "-q", "a", "--", "true"});
    REQUIRE(schedule(lab, {"edit", "s", "--cron", "0 3 * * *"}).code == 0);
    auto json = lab.ask({"schedule"});
    CHECK(at(json, "/schedules/0/when") == "cron 0 3 * * *");
    CHECK(at(json, "/schedules/0/overlap") == "queue");
    CHECK(at(json, "/schedules/0/queue") == "a");
    REQUIRE(schedule(lab, {"edit", "s", "--jitter", "5m", "--", "echo", "new"}).code == 0);
    json = lab.ask({"schedule"});
    CHECK(at(json, "/schedules/0/command") == "echo new");
    CHECK(at(json, "/schedules/0/queue") == "default");
    CHECK(at(json, "/schedules/0/when") == "cron 0 3 * * *");
    CHECK(schedule(lab, {"edit", "s", "-q", "b"}).code == 125);
    CHECK(schedule(lab, {"edit", "s"}).code == 125);
    CHECK(schedule(lab, {"edit", "none", "--every", "1h"}).code == 125);
    REQUIRE(schedule(lab, {"rm", "s"}).code == 0);
    CHECK(is_over(lab));
}

TEST_CASE("the schedules of a bgt.toml are put in force, changed and removed, once it is trusted")
{
    const Lab lab;
    const std::string file = lab.work() + "/bgt.toml";
    write_file(file, "[schedule.a]\ncommand = \"echo a >> ran\"\nevery = \"1s\"\nqueue = \"q\"\n"
                     "[schedule.b]\ncommand = [\"true\"]\ncron = \"0 2 * * *\"\n"
                     "tz = \"Europe/Berlin\"\noverlap = \"queue\"\ntimes = 3\n");
    const Ran refused = schedule(lab, {"apply"});
    INFO(refused);
    CHECK(refused.code == 125);
    CHECK(refused.err.find("is not trusted") != std::string::npos);
    CHECK_FALSE(std::filesystem::exists(lab.root() + "/queue/journal"));
    REQUIRE(lab({"trust"}).code == 0);
    CHECK(schedule(lab, {"apply"}).out == "a: added\nb: added\n");
    CHECK(schedule(lab, {"apply"}).out == "a: kept\nb: kept\n");
    const auto json = lab.ask({"schedule"});
    CHECK(at(json, "/schedules/1/zone") == "Europe/Berlin");
    CHECK(at(json, "/schedules/1/times") == 3);
    CHECK(at(json, "/schedules/0/queue") == "q");
    CHECK(text_at(json.as_object(), "/schedules/0/origin") == file);
    REQUIRE(eventually(test_timeout, [&] { return lines_in(lab.work() + "/ran") >= 1; }));
    write_file(file, "[schedule.b]\ncommand = [\"true\"]\ncron = \"0 3 * * *\"\n");
    CHECK(schedule(lab, {"apply"}).code == 125); // this content is not trusted
    REQUIRE(lab({"trust"}).code == 0);
    CHECK(schedule(lab, {"apply"}).out == "b: changed\na: removed\n");
    // One that somebody added by hand is not taken over.
    add(lab, {"c", "--every", "1h", "--", "true"});
    for (const char* text :
         {"[schedule.c]\ncommand = [\"true\"]\nevery = \"1h\"\n", "[schedule.d]\nevery = \"1h\"\n",
          "[schedule.d]\ncommand = [\"true\"]\n",
          "[schedule.d]\ncommand = [\"true\"]\nevery = \"1h\"\nafter = \"b\"\n",
          "[schedule.d]\ncommand = [\"true\"]\nevery = \"1h\"\nname = \"x\"\n",
          "[schedule.d]\ncommand = [\"true\"]\nevery = [\"1h\"]\n",
          "[schedule.d]\ncommand = [\"true\"]\nevery = \"1h\"\nspeed = 3\n"}) {
        write_file(file, text);
        REQUIRE(lab({"trust"}).code == 0);
        const Ran bad = schedule(lab, {"apply"});
        INFO(bad);
        CHECK(bad.code == 125);
        CHECK(std::ranges::count(bad.err, '\n') == 1);
    }
    CHECK(at(lab.ask({"schedule"}), "/schedules").as_array().size() == 2);
    REQUIRE(schedule(lab, {"rm", "b", "c"}).code == 0);
    CHECK(is_over(lab));
}

TEST_CASE("applying what holds already uses up no id, and leaves no environment behind")
{
    Lab lab;
    write_file(lab.work() + "/bgt.toml", "[schedule.a]\ncommand = [\"true\"]\nevery = \"1h\"\n");
    REQUIRE(lab({"trust"}).code == 0);
    REQUIRE(schedule(lab, {"apply"}).out == "a: added\n");
    const auto contexts = [&] {
        std::set<std::string> names;
        for (const auto& entry : std::filesystem::directory_iterator(lab.root() + "/queue"))
            if (entry.path().filename().string().starts_with("context-"))
                names.insert(entry.path().filename());
        return names;
    };
    const std::string next = read_file(lab.root() + "/next-id");
    const std::set<std::string> kept = contexts();
    REQUIRE(kept.size() == 1);
    lab.set_env("ANOTHER=1");
    CHECK(schedule(lab, {"apply"}).out == "a: kept\n");
    CHECK(read_file(lab.root() + "/next-id") == next);
    CHECK(contexts() == kept);
    REQUIRE(schedule(lab, {"rm", "a"}).code == 0);
    CHECK(is_over(lab));
}

TEST_CASE("install has bgt called after a restart: by crontab where there is no systemd")
{
    Lab lab;
    // A crontab of this test.
    const std::string programs = lab.folder() + "/programs", table = lab.folder() + "/table";
    std::filesystem::create_directory(programs);
    write_file(programs + "/crontab", "#!/bin/sh\nif test \"$1\" = -l; then cat " + table +
                                          "; else cat \"$1\" > " + table + "; fi\n");
    write_file(programs + "/systemctl", "#!/bin/sh\nexit 1\n");
    for (const char* name : {"/crontab", "/systemctl"})
        std::filesystem::permissions(programs + name, std::filesystem::perms::owner_all);
    lab.set_env("PATH=" + programs + ":/usr/bin:/bin");
    write_file(table, "5 4 * * * mine\n");
    const Ran done = schedule(lab, {"install"});
    INFO(done);
    CHECK(done.code == 0);
    CHECK(done.out.starts_with("installed the crontab line @reboot "));
    CHECK(schedule(lab, {"install"}).code == 0); // once is enough
    CHECK(lines_in(table) == 2);
    CHECK(read_file(table).find(" --root " + lab.root() + " ps ") != std::string::npos);
    CHECK(at(lab.ask({"schedule", "uninstall"}), "/removed/0/kind") == "crontab");
    CHECK(read_file(table) == "5 4 * * * mine\n");
    CHECK(schedule(lab, {"uninstall"}).out == "nothing is installed\n");
    // A table that can't be read now is not an empty one.
    write_file(programs + "/crontab", "#!/bin/sh\nif test \"$1\" = -l; then echo busy >&2; exit 1; "
                                      "else cat \"$1\" > " +
                                          table + "; fi\n");
    for (const char* what : {"install", "uninstall"}) {
        const Ran refused = schedule(lab, {what});
        CHECK(refused.code == 125);
        CHECK(refused.err.find("crontab -l fails") != std::string::npos);
    }
    CHECK(read_file(table) == "5 4 * * * mine\n");
    write_file(programs + "/crontab", "#!/bin/sh\nif test \"$1\" = -l; then echo no crontab for me "
                                      ">&2; exit 1; else cat \"$1\" > " +
                                          table + "; fi\n");
    CHECK(schedule(lab, {"install"}).code == 0);
    CHECK(lines_in(table) == 1);
    write_file(programs + "/systemctl", "#!/bin/sh\necho \"$@\" >> " + table + "\n");
    const auto json = lab.ask({"schedule", "install"});
    CHECK(at(json, "/installed/0/kind") == "systemd");
    const std::string unit(at(json, "/installed/0/where").as_string());
    CHECK(read_file(unit).find("--root \"" + lab.root() + "\" ps") != std::string::npos);
    CHECK(read_file(table).find("--user enable bgt-") != std::string::npos);
    CHECK(schedule(lab, {"uninstall"}).code == 0);
    CHECK_FALSE(std::filesystem::exists(unit));
}

TEST_CASE("a time zone whose file is gone for a while does not stop its schedule for good")
{
    Lab lab;
    const std::string zones = lab.folder() + "/zones", zone = zones + "/Here";
    std::filesystem::create_directory(zones);
    std::filesystem::copy_file("/usr/share/zoneinfo/UTC", zone);
    lab.set_env("TZDIR=" + zones);
    add(lab, {"tick", "--calendar", "*-*-* *:*:0/1", "--tz", "Here", "--", "true"});
    const auto fired = [&] { return count_of(history(lab, "tick"), "fired"); };
    REQUIRE(eventually(test_timeout, [&] { return fired() >= 1; }));
    std::filesystem::rename(zone, zone + ".new");
    std::size_t before = 0;
    REQUIRE(eventually(test_timeout, [&] { // it fires no more
        const std::size_t now = fired();
        std::this_thread::sleep_for(1500ms);
        before = fired();
        return now == before;
    }));
    std::filesystem::rename(zone + ".new", zone);
    CHECK(eventually(test_timeout, [&] { return fired() > before; }));
    CHECK(schedule(lab, {"rm", "tick"}).code == 0);
}

TEST_CASE("bad words of schedule")
{
    const Lab lab;
    const std::vector<Words> bad{
        {"add"},
        {"add", "s"},
        {"add", "s", "--every", "1h"},
        {"add", "s", "--", "true"},
        {"add", "s", "--every", "1h", "--cron", "0 2 * * *", "--", "true"},
        {"add", "s", "--every", "10ms", "--", "true"},
        {"add", "s", "--every", "soon", "--", "true"},
        {"add", "s", "--cron", "61 * * * *", "--", "true"},
        {"add", "s", "--cron", "0 0 30 2 *", "--", "true"},
        {"add", "s", "--calendar", "Mon..Foo", "--", "true"},
        {"add", "s", "--every", "1h", "--tz", "Mars/Olympus", "--", "true"},
        {"add", "s", "--every", "1h", "--missed", "all", "--", "true"},
        {"add", "s", "--every", "1h", "--missed", "all:0", "--", "true"},
        {"add", "s", "--every", "1h", "--overlap", "never", "--", "true"},
        {"add", "s", "--every", "1h", "--times", "0", "--", "true"},
        {"add", "s", "--every", "1h", "--until", "2020-01-01", "--", "true"},
        {"add", "s", "--calendar", "2020-01-01", "--", "true"},
        {"add", "s", "--every", "1h", "--name", "x", "--", "true"},
        {"add", "s", "--every", "1h", "--stdin", "-", "--", "true"},
        {"add", "../s", "--every", "1h", "--", "true"},
        {"add", "", "--every", "1h", "--", "true"},
        {"rm"},
        {"rm", "none"},
        {"run", "none"},
        {"next", "none"},
        {"history", "none"},
        {"pause", "none"},
        {"ls", "--tz", "Europe/Berlin"},
        {"next", "none", "--tz", "Europe/Berlin"},
        {"ls", "--cron", "0 2 * * *"},
        {"history", "none", "--queue", "x"},
        {"ls", "-n", "3"},
        {"nosuch"}};
    for (const Words& words : bad) {
        const Ran ran = schedule(lab, words);
        INFO(ran);
        CHECK(ran.code == 125);
        CHECK(ran.out.empty());
        CHECK(std::ranges::count(ran.err, '\n') == 1);
    }
    CHECK_FALSE(std::filesystem::exists(lab.root() + "/queue/journal"));
    add(lab, {"s", "--every", "1h", "--", "true"});
    CHECK(schedule(lab, {"add", "s", "--every", "1h", "--", "true"}).code == 125);
    CHECK(schedule(lab, {"rm", "s", "none"}).code == 125); // all or none
    REQUIRE(schedule(lab, {"rm", "s"}).code == 0);
    CHECK(is_over(lab));
}

TEST_CASE("what is not due costs nobody anything; those that are due at once all start")
{
    const Lab lab;
    constexpr int many = 40;
    for (int i = 0; i < many; ++i)
        add(lab, {"far" + std::to_string(i), "--cron", "0 0 1 1 *", "--", "true"});
    REQUIRE(lab({"queue", "set", "default", "slots=4"}).code == 0);
    const pid_t pid = dispatcher_of(lab);
    long before = -1;
    REQUIRE(eventually(test_timeout, [&] {
        const long now = sleeps_of(pid);
        std::this_thread::sleep_for(200ms);
        before = sleeps_of(pid);
        return now == before && state_of(pid) == 'S';
    }));
    std::this_thread::sleep_for(1500ms);
    CHECK(sleeps_of(pid) == before);
    for (int i = 0; i < many; ++i)
        REQUIRE(
            schedule(lab, {"edit", "far" + std::to_string(i), "--cron", "*/5 * * * * *", "--times",
                           "1", "--missed", "once", "--", "sh", "-c", "echo x >> ran"})
                .code == 0);
    CHECK(eventually(test_timeout, [&] { return lines_in(lab.work() + "/ran") == many; }));
    Words all{"rm"};
    for (int i = 0; i < many; ++i) all.push_back("far" + std::to_string(i));
    REQUIRE(schedule(lab, all).code == 0);
    CHECK(is_over(lab));
    CHECK(lines_in(lab.work() + "/ran") == many);
}

TEST_CASE("a full queue and one that takes nothing keep a schedule from firing, and it says so")
{
    const Lab lab;
    REQUIRE(lab({"queue", "drain", "q"}).code == 0);
    add(lab, {"s", "--every", "1s", "-q", "q", "--", "true"});
    REQUIRE(eventually(test_timeout, [&] { return count_of(history(lab, "s"), "refused") >= 1; }));
    CHECK(schedule(lab, {"history", "s"}).out.find("its queue took no more") != std::string::npos);
    REQUIRE(schedule(lab, {"rm", "s"}).code == 0);
    CHECK(is_over(lab));
}
