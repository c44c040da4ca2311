#include "temp_folder.hpp"

#include <bgt/store/spec.hpp>

using namespace bgt;
using namespace bgt::store;
using namespace bgt::store::test;
using namespace std::chrono_literals;

namespace {

TaskSpec full_spec()
{
    TaskSpec spec;
    spec.id = {7};
    spec.name = "web";
    spec.tags = {{"job", "e2e"}, {"\xff", "\x01\""}};
    spec.command = {"npm", "", "a b", "\xff\xfe\x80", "line\nbreak", "caf\xc3\xa9", "\"\\"};
    spec.shell = true;
    spec.cwd = "/tmp/\xe9";
    spec.created = WallTime(1700000000123456789ns);
    spec.policy.kind = core::Kind::service;
    spec.policy.stop_ladder = {{3, 2s}, {15, 1500ms}};
    spec.policy.timeout = 90min;
    spec.policy.leftover = core::Leftover::keep;
    spec.policy.kill_mode = core::KillMode::mixed;
    spec.umask = 027;
    spec.policy.leftover_wait = 0s;
    spec.policy.awaits_ready = true;
    spec.policy.hang = {2min, 3min, 4min, 5min, 6min, core::OnHang::exec, std::nullopt, 7s};
    spec.policy.restart_policy = {3, {1, 75}, core::Restart::on_failure, 5, 10s, 500ms, 2min, 42};
    spec.ready = {"port:80", "notify"};
    spec.hang_command = "notify-send \xff";
    spec.watch = core::WatchSpec{{"src/**", "\xff"}, {"*.o"}, 20ms, core::OnChange::signal, 1};
    spec.policy.awaits_changes = true;
    spec.afterwards = {"echo \xff", "mail me", NotifyBy::bell, std::chrono::seconds(30),
                       "/dev/pts/7"};
    spec.progress_pattern = "([0-9]+)%";
    spec.dump_stacks = false;
    spec.owner = ProcessKey{1, ~0ull};
    spec.scopes.boot.fill(0xa5);
    spec.scopes.processes = {{7, 8}, {9, ~0ull}};
    spec.stdin_from = StdinFrom::file;
    spec.stdin_file = "/dev/zero";
    spec.split = true;
    spec.log_max = ~0ull;
    spec.nice = -5;
    spec.limits = {{"nofile", 64}, {"as", 1ull << 40}};
    spec.remove_when_ended = true;
    spec.cookie = "00112233445566778899aabbccddeeff";
    spec.project = ProjectTask{"/srv/\xff", 3, {{"command", "0011"}, {"env", "ff"}}};
    return spec;
}

void check_same(const TaskSpec& a, const TaskSpec& b)
{
    CHECK(a.id == b.id);
    CHECK(a.name == b.name);
    CHECK(a.tags == b.tags);
    CHECK(a.command == b.command);
    CHECK(a.shell == b.shell);
    CHECK(a.watch == b.watch);
    CHECK(a.policy.awaits_changes == b.policy.awaits_changes);
    CHECK(a.cwd == b.cwd);
    CHECK(a.created == b.created);
    CHECK(a.project.has_value() == b.project.has_value());
    if (a.project && b.project) {
        CHECK(a.project->folder == b.project->folder);
        CHECK(a.project->level == b.project->level);
        CHECK(a.project->table == b.project->table);
    }
    CHECK(a.policy.kind == b.policy.kind);
    CHECK(a.policy.stop_ladder == b.policy.stop_ladder);
    CHECK(a.policy.timeout == b.policy.timeout);
    CHECK(a.policy.leftover == b.policy.leftover);
    CHECK(a.policy.leftover_wait == b.policy.leftover_wait);
    CHECK(a.policy.awaits_ready == b.policy.awaits_ready);
    CHECK(a.policy.hang == b.policy.hang);
    CHECK(a.policy.restart_policy == b.policy.restart_policy);
    const auto afterwards = [](const TaskSpec& spec) {
        const Afterwards& then = spec.afterwards;
        return std::tie(then.end_command, then.fail_command, then.notify_by, then.notify_after,
                        then.terminal);
    };
    CHECK(afterwards(a) == afterwards(b));
    CHECK(std::tuple(a.ready, a.hang_command, a.progress_pattern, a.dump_stacks) ==
          std::tuple(b.ready, b.hang_command, b.progress_pattern, b.dump_stacks));
    CHECK(a.policy.kill_mode == b.policy.kill_mode);
    CHECK(a.umask == b.umask);
    CHECK(a.owner == b.owner);
    CHECK(a.scopes == b.scopes);
    CHECK(a.stdin_from == b.stdin_from);
    CHECK(a.stdin_file == b.stdin_file);
    CHECK(a.split == b.split);
    CHECK(a.log_max == b.log_max);
    CHECK(a.nice == b.nice);
    REQUIRE(a.limits.size() == b.limits.size());
    for (std::size_t i = 0; i < a.limits.size(); ++i) {
        CHECK(a.limits[i].name == b.limits[i].name);
        CHECK(a.limits[i].value == b.limits[i].value);
    }
    CHECK(a.remove_when_ended == b.remove_when_ended);
    CHECK(a.cookie == b.cookie);
}

} // namespace

TEST_CASE("a spec comes back as it was written, byte for byte")
{
    check_same(must(decode_spec(encode_spec(full_spec()))), full_spec());
    TaskSpec plain;
    plain.id = {1};
    plain.command = {"true"};
    plain.policy.stop_ladder.clear(); // SIGKILL at once
    check_same(must(decode_spec(encode_spec(plain))), plain);
}

TEST_CASE("a spec of few fields has defaults, unknown fields are passed over")
{
    const auto spec =
        must(decode_spec(R"({"schema":1,"id":3,"command":["x"],"colour":"red","name":null})"));
    TaskSpec expected;
    expected.id = {3};
    expected.command = {"x"};
    check_same(spec, expected);
}

TEST_CASE("specs that can't be read say why")
{
    const auto says = [](std::string_view text, const char* why) {
        const auto spec = decode_spec(text);
        INFO(text);
        REQUIRE_FALSE(spec);
        CHECK(spec.error().kind == ErrorKind::failed);
        INFO(spec.error().message);
        CHECK(spec.error().message.find(why) != std::string::npos);
    };
    says("", "damaged");
    says("{\"schema\":1", "damaged");
    says(std::string(100000, '['), "damaged");
    says("[]", "object");
    says("{}", "schema");
    says(R"({"schema":1,"command":["x"]})", "\"id\"");
    says(R"({"schema":1,"id":1})", "\"command\"");
    says(R"({"schema":1,"id":1,"command":[]})", "\"command\"");
    says(R"({"schema":1,"id":1,"command":[1]})", "\"command\"");
    says(R"({"schema":1,"id":1,"command":["a\u0000b"]})", "\"command\"");
    says(R"({"schema":1,"id":1,"command":["sh","-c"],"shell":true})", "\"command\"");
    says(R"({"schema":1,"id":"1","command":["x"]})", "\"id\"");
    says(R"({"schema":1,"id":1.5,"command":["x"]})", "\"id\"");
    says(R"({"schema":1,"id":1,"command":["x"],"log_max":-1})", "\"log_max\"");
    says(R"({"schema":1,"id":1,"command":["x"],"nice":99999999999})", "\"nice\"");
    says(R"({"schema":1,"id":1,"command":["x"],"stdin":"tty"})", "\"stdin\"");
    says(R"({"schema":1,"id":1,"command":["x"],"rules":{"stop_ladder":[{"signal":65}]}})",
         "\"stop_ladder\"");
    for (const char* name : {"$(touch x)", "a b", "-x", "1", "a\\u001b[m", "\\u202e"})
        says(std::string(R"({"schema":1,"id":1,"command":["x"],"name":")") + name + "\"}",
             "\"name\"");
    for (const char* part :
         {R"("name":"a\u001b[m")", R"("name":"a b")", R"("needs":{"a\u001b[m":1})",
          R"("needs":{"":1})", R"("units":{"a\u202e":[1]})"})
        says(std::string(R"({"schema":1,"id":1,"command":["x"],"queue":{)") + part + "}}", "name");
    says(R"({"schema":1,"id":1,"command":["x"],"project":{"table":{"a\u001b[m":"00"}}})",
         "\"table\"");
    says(R"({"schema":2,"id":1,"command":["x"]})", "newer bgt");
    says(R"({"schema":3,"readable_by":2,"id":1,"command":["x"]})", "newer bgt");
    CHECK(decode_spec(R"({"schema":3,"readable_by":1,"id":1,"command":["x"]})"));
}

TEST_CASE("spec.json is written once")
{
    TempFolder temp;
    Root root = open_root(temp / "root");
    const TaskDir task = must(root.create_task(TaskId{7}));
    CHECK_FALSE(read_spec(task.fd()));
    must(write_spec(task.fd(), full_spec()));
    CHECK_FALSE(write_spec(task.fd(), full_spec()));
    check_same(must(read_spec(task.fd())), full_spec());
    CHECK((std::filesystem::status(task.path() + "/spec.json").permissions() &
           std::filesystem::perms::mask) ==
          (std::filesystem::perms::owner_read | std::filesystem::perms::owner_write));
}

TEST_CASE("100,000 arguments")
{
    TempFolder temp;
    Root root = open_root(temp / "root");
    const TaskDir task = must(root.create_task(TaskId{7}));
    TaskSpec spec = full_spec();
    for (int i = 0; i < 100000; ++i) spec.command.push_back(std::to_string(i));
    must(write_spec(task.fd(), spec));
    CHECK(must(read_spec(task.fd())).command == spec.command);
}
