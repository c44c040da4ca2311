#include "support/catch.hpp"

#include <bgt/config/settings.hpp>
#include <bgt/os/trusted_file.hpp>

#include <cstdlib>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <map>
#include <sys/stat.h>
#include <unistd.h>

using namespace bgt;
using namespace bgt::config;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

/// A folder with a project three levels deep and a home.
struct World {
    fs::path top;
    std::map<std::string, std::string> variables;
    unsigned uid = ::getuid();
    Result<Trust> trust = Trust::given;
    mutable std::vector<std::string> asked; ///< about which files and bytes

    World()
    {
        std::string name = (fs::temp_directory_path() / "bgt-config-XXXXXX").string();
        REQUIRE(::mkdtemp(name.data()));
        top = name;
        fs::create_directories(top / "project/a/b");
    }
    World(const World&) = delete;
    World& operator=(const World&) = delete;
    ~World()
    {
        std::error_code ignored;
        fs::remove_all(top, ignored);
    }

    fs::path write(const char* path, std::string_view text, mode_t mode = 0644) const
    {
        std::ofstream(top / path) << text;
        REQUIRE(::chmod((top / path).c_str(), mode) == 0);
        return top / path;
    }
    Result<Loaded> load(const char* cwd = "project/a/b") const
    {
        Sources sources;
        sources.env = [this](const char* name) {
            const auto found = variables.find(name);
            return found == variables.end() ? nullptr : found->second.c_str();
        };
        sources.cwd = (top / cwd).string();
        sources.user_file = (top / "user.toml").string();
        sources.uid = uid;
        sources.read = os::read_trusted;
        sources.trust = [this](const std::string& file, std::string_view text) {
            asked.push_back(file + "|" + std::string(text));
            return trust;
        };
        return config::load(sources);
    }
    std::string error() const
    {
        const auto loaded = load();
        REQUIRE_FALSE(loaded);
        CHECK(loaded.error().message.find('\n') == std::string::npos);
        return loaded.error().message;
    }
};

const SettingRow& row(const Loaded& loaded, std::string_view key)
{
    for (const SettingRow& r : loaded.rows) {
        if (r.key == key) return r;
    }
    FAIL("no row " << key);
    return loaded.rows.front();
}

bool contains(const std::string& text, std::string_view part)
{
    return text.find(part) != std::string::npos;
}

} // namespace

TEST_CASE("without files and variables all is built in")
{
    const World world;
    const auto loaded = world.load();
    REQUIRE(loaded);
    CHECK(loaded->settings.grace == 5s);
    CHECK(loaded->warnings.empty());
    std::string all;
    for (const SettingRow& r : loaded->rows) {
        CHECK(r.origin == Origin::built_in);
        all += r.key + "=" + r.value + ";";
    }
    CHECK(all == "root=;grace=5s;stop_signals=TERM;leftover=kill;timeout=off;cpu_limit=off;log_max="
                 "256MiB;log_level=info;shutdown_timeout=30s;on_end=;on_fail=;notify=off;notify_"
                 "after=30s;keep_"
                 "ended=1000;keep_age=30d;history_max=100000;");
}

TEST_CASE("the environment beats the project, which beats the user's file")
{
    World world;
    world.write("user.toml",
                "grace = \"1s\"\nleftover = \"wait\"\nkeep_ended = 5\nroot = \"/mine\"\n");
    const auto file =
        world.write("project/bgt.toml", "# mine\ngrace = \"2s\"\nleftover = \"keep\"\n");
    world.variables["BGT_GRACE"] = "3s";
    const auto loaded = world.load();
    REQUIRE(loaded);
    CHECK(loaded->settings.grace == 3s);
    CHECK(loaded->settings.leftover == core::Leftover::keep);
    CHECK(loaded->settings.keep_ended == 5);
    CHECK(row(*loaded, "grace").origin == Origin::environment);
    CHECK(row(*loaded, "grace").where == "BGT_GRACE");
    CHECK(row(*loaded, "leftover").origin == Origin::project_file);
    CHECK(row(*loaded, "leftover").where == file.string() + ":3");
    CHECK(row(*loaded, "keep_ended").origin == Origin::user_file);
    CHECK(loaded->settings.root == "/mine"); // what is his own counts
    CHECK(world.asked.empty());
}

TEST_CASE("the nearest bgt.toml is the only one")
{
    World world;
    world.write("project/bgt.toml", "grace = 9\nlog_max = 0\n");
    world.write("project/a/bgt.toml", "grace = 8\n");
    CHECK(world.load()->settings.grace == 8s);
    CHECK(world.load()->settings.log_max == 256u << 20);
    CHECK(world.load("project")->settings.grace == 9s);
    CHECK(world.load("project")->settings.log_max == 0);
}

TEST_CASE("every key in a file")
{
    World world;
    world.write(
        "project/bgt.toml",
        "root = \"/var/x\"\ngrace = 7\nstop_signals = \"INT:1s,TERM\"\nleftover = \"wait\"\n"
        "timeout = \"1h\"\ncpu_limit = \"2h\"\nlog_max = 1048576\nkeep_ended = 0\nkeep_age = "
        "\"off\"\n");
    const auto loaded = world.load();
    REQUIRE(loaded);
    const Settings& s = loaded->settings;
    CHECK(s.root == "/var/x");
    CHECK(s.grace == 7s);
    CHECK(s.stop_signals == "INT:1s,TERM");
    CHECK(s.leftover == core::Leftover::wait);
    CHECK(s.timeout == Duration(1h));
    CHECK(s.cpu_limit == Duration(2h));
    CHECK(s.log_max == 1u << 20);
    CHECK(s.keep_ended == 1000); // what is removed is not for a folder to say, even a trusted one
    CHECK(s.keep_age == Duration(24h * 30));
    CHECK(row(*loaded, "keep_age").ignored->value == "off");
    CHECK(row(*loaded, "keep_age").ignored->needs == Needs::own_settings);
    CHECK(row(*loaded, "keep_age").origin == Origin::built_in);
    CHECK(row(*loaded, "log_max").value == "1MiB");
    CHECK_FALSE(row(*loaded, "root").ignored);
}

TEST_CASE("of a file that is not trusted only what describes counts")
{
    World world;
    world.write("user.toml", "root = \"/mine\"\nkeep_ended = 5\n");
    const std::string text = "grace = 7\nroot = \"state\"\nleftover = \"wait\"\nkeep_ended = 0\n";
    const auto file = world.write("project/bgt.toml", text);
    const auto [answer, why] = GENERATE(table<Result<Trust>, std::string>({
        {Trust::none, " is not trusted"},
        {Trust::changed, " has changed since it was trusted"},
        {Error::failed("the \x1b store"), " is not trusted (the ? store)"},
    }));
    world.trust = answer;
    const auto loaded = world.load();
    REQUIRE(loaded);
    CHECK(loaded->settings.grace == 7s);
    CHECK(loaded->settings.leftover == core::Leftover::wait);
    CHECK(loaded->settings.root == "/mine");
    CHECK(loaded->settings.keep_ended == 5);
    CHECK(row(*loaded, "root").origin == Origin::user_file);
    CHECK(row(*loaded, "root").ignored->value == "state");
    CHECK(row(*loaded, "root").ignored->where == file.string() + ":2");
    CHECK(row(*loaded, "root").ignored->needs == Needs::trust);
    CHECK(loaded->settings.project->why_not() == file.string() + why);
    // Once, about the bytes that were parsed.
    CHECK(world.asked == std::vector<std::string>{file.string() + "|" + text});
    // A mistake is told all the same, and a variable leaves nothing to tell.
    world.variables["BGT_ROOT"] = "/other";
    CHECK_FALSE(row(*world.load(), "root").ignored);
    world.write("project/bgt.toml", "root = \"~/x\"");
    CHECK(contains(world.error(), "bgt.toml:1:8: root: `~` is not expanded"));
}

TEST_CASE("nobody asks about a file that needs no trust")
{
    World world;
    world.write("project/bgt.toml",
                "grace = 7\nstop_signals = \"INT\"\nleftover = \"wait\"\ntimeout = 1\nlog_max = 1\n"
                "keep_ended = 1\nkeep_age = 1\n[[rule]]\nmatch = \"x\"\nenv = \"A=1\"\n");
    REQUIRE(world.load());
    CHECK(world.asked.empty());
}

TEST_CASE("the line about what is ignored is one line, whatever the names")
{
    const Project project("/p/a\n\x1b]0;x\a b/bgt.toml", "", nullptr);
    CHECK_FALSE(project.is_trusted());
    CHECK(project.folder() == "/p/a\n\x1b]0;x\a b");
    CHECK(Project("/bgt.toml", "", nullptr).folder() == "/");
    CHECK(ignored_line(project, {"root", "env"}, {"keep_ended"}) ==
          "/p/a ?]0;x? b/bgt.toml is not trusted, so this is ignored: root, env (read the file, "
          "then: bgt trust '/p/a ?]0;x? b'); "
          "keep_ended never applies in a bgt.toml, only in your own settings");
    CHECK(ignored_line(Project("/p/bgt.toml", "", nullptr), {}, {"keep_ended", "keep_age"}) ==
          "/p/bgt.toml is read, but keep_ended, keep_age never apply in a bgt.toml, only in your "
          "own settings");
}

TEST_CASE("every key in the environment")
{
    World world;
    world.variables = {
        {"BGT_LOG_LEVEL", "debug"},   {"BGT_ROOT", "rel/x"},           {"BGT_GRACE", "250ms"},
        {"BGT_STOP_SIGNALS", "QUIT"}, {"BGT_LEFTOVER", "keep"},        {"BGT_TIMEOUT", "off"},
        {"BGT_CPU_LIMIT", "off"},     {"BGT_LOG_MAX", "off"},          {"BGT_KEEP_ENDED", "12"},
        {"BGT_KEEP_AGE", "2d"},       {"BGT_SHUTDOWN_TIMEOUT", "off"}, {"BGT_HISTORY_MAX", "0"},
        {"BGT_ON_END", "true"},       {"BGT_ON_FAIL", "false"},        {"BGT_NOTIFY", "bell"},
        {"BGT_NOTIFY_AFTER", "1m"}};
    const auto loaded = world.load("project");
    REQUIRE(loaded);
    CHECK(loaded->settings.root == (world.top / "project/rel/x").string());
    CHECK(loaded->settings.grace == 250ms);
    CHECK(loaded->settings.log_max == 0);
    CHECK(loaded->settings.log_level == core::EventLevel::debug);
    CHECK(loaded->settings.keep_age == Duration(48h));
    CHECK_FALSE(loaded->settings.shutdown_timeout);
    for (const SettingRow& r : loaded->rows) CHECK(r.origin == Origin::environment);
}

TEST_CASE("a relative root counts from its file, an empty variable is none")
{
    World world;
    world.write("project/bgt.toml", "root = \".bgt\"");
    world.variables["BGT_ROOT"] = "";
    CHECK(world.load()->settings.root == (world.top / "project/.bgt").string());
}

TEST_CASE("a bad variable is named")
{
    World world;
    const auto [name, value] = GENERATE(table<std::string, std::string>({
        {"BGT_GRACE", "soon"},
        {"BGT_LEFTOVER", "eat"},
        {"BGT_KEEP_ENDED", "-1"},
        {"BGT_KEEP_ENDED", "1e3"},
        {"BGT_LOG_MAX", "1KB"},
        {"BGT_TIMEOUT", "0"},
        {"BGT_STOP_SIGNALS", "KILL"},
        {"BGT_ROOT", "~/x"},
        {"BGT_KEEP_ENDED", "99999999999999999999"},
    }));
    world.variables[name] = value;
    CHECK(world.error().starts_with(name + ": "));
    CHECK(world.load().error().kind == ErrorKind::usage);
}

TEST_CASE("an error in a file has its place")
{
    World world;
    const auto [text, place, part] = GENERATE(table<std::string, std::string, std::string>({
        {"\n  grcae = 5\n", ":2:3: ", "did you mean `grace`?"},
        {"grace = \"soon\"", ":1:9: grace: ", "bad duration"},
        {"grace = true", ":1:9: grace ", "a boolean"},
        {"grace = 1.5", ":1:9: grace ", "a number with a point"},
        {"grace = -5", ":1:9: grace: ", "negative"},
        {"root = 5", ":1:8: root ", "must be a string"},
        {"leftover = [\"kill\"]", ":1:12: leftover ", "an array"},
        {"[[grace]]\nx = 1", ":1:1: grace ", "an array"},
        {"grace = ", ":1:", ""},
        {"grace = 1\ngrace = 2", ":2:", ""},
        {"\xff\xfe = 1", ":1:", ""},
        {"nothing_like_it = 1", ":1:1: unknown key", "bgt config"},
        {"root = \"a\\u0000b\"", ":1:8: root", "NUL"},
    }));
    const auto file = world.write("project/bgt.toml", text);
    const std::string message = world.error();
    INFO(message);
    CHECK(message.starts_with(file.string() + place));
    CHECK(contains(message, part));
    CHECK(world.load().error().kind == ErrorKind::usage);
}

TEST_CASE("a key of very many parts is refused before anything recurses into it")
{
    World world;
    const auto part = GENERATE(as<std::string>{}, ".a", " . \"a.\\\"b\"", ".'a'");
    const auto place = GENERATE(as<std::string>{}, "KEY = 1", "[KEY]", "[[KEY]]", "x = {KEY = 1}",
                                "x = [{b = 1, KEY = 1}]", "x = \"\"\"a\"\"\"\"\"\nKEY = 1",
                                "x = '''\n\"''' # '\nKEY = 1");
    std::string key = "a";
    for (int i = 0; i < 100'000; ++i) key += part;
    std::string text = "# '\"\n" + place;
    text.replace(text.find("KEY"), 3, key);
    world.write("project/bgt.toml", text);
    const auto message = world.error();
    CHECK(contains(message, "a key has more than 16 parts"));
    CHECK(contains(message,
                   fmt::format("bgt.toml:{}:", 2 + std::count(place.begin(), place.end(), '\n'))));
}

TEST_CASE("dots that are in no key, or in keys of few parts, are not counted")
{
    World world;
    const std::string dots(40, '.');
    std::string numbers;
    for (int i = 0; i < 40; ++i) numbers += "\"1.5\", ";
    world.write("project/bgt.toml", "# " + dots + "\nroot = \"/" + dots + "\\\"" + dots +
                                        "\"\n[[rule]]\nmatch = '''" + dots + "''" + dots +
                                        "'''\nenv = [" + numbers + "]\n");
    const auto loaded = world.load();
    REQUIRE(loaded);
    CHECK(loaded->settings.rules.size() == 1);
}

TEST_CASE("a file that others could have written is passed over with a warning")
{
    World world;
    const mode_t mode = GENERATE(0666, 0664, 0646);
    const auto file = world.write("project/bgt.toml", "grace = \"bad", mode);
    if (mode == 0664) { // by a group that is not the user's private one
        if (::getuid() != 0) return;
        REQUIRE(::chown(file.c_str(), 0, 12345) == 0);
    }
    const auto loaded = world.load();
    REQUIRE(loaded);
    REQUIRE(loaded->warnings.size() == 1);
    CHECK(loaded->warnings.front().starts_with(file.string() + " is not read: "));
    CHECK(loaded->settings.grace == 5s);
}

TEST_CASE("a file of another user is passed over with a warning")
{
    World world;
    world.write("project/bgt.toml", "grace = 1");
    world.uid = ::getuid() + 1;
    const auto loaded = world.load();
    REQUIRE(loaded);
    // Root's own files are everybody's to trust.
    CHECK(loaded->warnings.size() == (::getuid() == 0 ? 0u : 1u));
    if (::getuid() != 0) return;
    REQUIRE(::chown((world.top / "project/bgt.toml").c_str(), 12345, 0) == 0);
    REQUIRE(world.load());
    CHECK(world.load()->warnings.size() == 1);
    world.uid = 12345;
    CHECK(world.load()->settings.grace == 1s);
}

TEST_CASE("what is no regular file is an error, and never hangs")
{
    World world;
    SECTION("folder")
    {
        fs::create_directory(world.top / "project/bgt.toml");
    }
    SECTION("fifo")
    {
        REQUIRE(::mkfifo((world.top / "project/bgt.toml").c_str(), 0600) == 0);
    }
    CHECK(contains(world.error(), "not a regular file"));
}

TEST_CASE("a link to what is no regular file is an error, and opens nothing")
{
    World world;
    const auto fifo = world.top / "fifo";
    REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
    fs::create_symlink(fifo, world.top / "project/bgt.toml");
    CHECK(contains(world.error(), "not a regular file"));
}

TEST_CASE("a file too large is refused, a link to nothing is none")
{
    World world;
    SECTION("large")
    {
        world.write("project/bgt.toml", std::string((1 << 20) + 1, '\n'));
        CHECK(contains(world.error(), "above 1 MiB"));
    }
    SECTION("link")
    {
        fs::create_symlink(world.top / "absent", world.top / "project/bgt.toml");
        CHECK(world.load());
    }
}

TEST_CASE("folders that are not there end the search quietly")
{
    Sources sources;
    sources.read = os::read_trusted;
    for (const char* cwd : {"", "relative", "/", "/absent/folder/x", "//"}) {
        sources.cwd = cwd;
        CHECK(config::load(sources));
    }
}
