// --notify: the bell of a terminal, and notify-send.
#include "hook_lab.hpp"

#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <poll.h>
#include <unistd.h>

using namespace bgt::test;
namespace fs = std::filesystem;
namespace json = boost::json;

namespace {

/// A terminal of which this process has the other end.
class Terminal {
public:
    Terminal() : fd_(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC))
    {
        REQUIRE(grantpt(fd_) == 0);
        REQUIRE(unlockpt(fd_) == 0);
        path_ = ptsname(fd_);
        held_ = open(path_.c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC);
    }
    ~Terminal()
    {
        close(held_);
        close(fd_);
    }
    Terminal(const Terminal&) = delete;
    Terminal& operator=(const Terminal&) = delete;
    const std::string& path() const { return path_; }
    /// Whether that comes out of it in time.
    bool shows(const std::string& text, int ms = 20'000)
    {
        pollfd wait{fd_, POLLIN, 0};
        while (!has(seen_, text) && poll(&wait, 1, ms) == 1) {
            char bytes[4096];
            const ssize_t got = read(fd_, bytes, sizeof bytes);
            if (got <= 0) break;
            seen_.append(bytes, static_cast<std::size_t>(got));
        }
        return has(seen_, text);
    }

private:
    int fd_, held_ = -1;
    std::string path_, seen_;
};

/// `bgt run WORDS...` with its stderr on the terminal.
std::string start_at(const Lab& lab, const Terminal& terminal, const std::string& words)
{
    const Ran ran =
        run(lab.program({"sh", "-c", "'" BGT_BINARY "' run " + words + " 2> " + terminal.path()}));
    REQUIRE(ran.code == 0);
    return ran.out.substr(0, ran.out.find('\n'));
}

} // namespace

TEST_CASE("notify bell sounds the terminal from which the task was started")
{
    Lab lab;
    Terminal terminal;
    const std::string id = start_at(lab, terminal, "--notify bell -- true");
    CHECK(terminal.shows("\a"));
    CHECK(lab.wait(id) == 0);
    // Of a setting, tasks that took a while; a limit that was set holds for the option, too.
    lab.set_env("BGT_NOTIFY=bell");
    Terminal other;
    const std::string brief = start_at(lab, other, "--on-end 'echo over' -- true");
    hook_of(lab, brief, "on-end");
    lab.set_env("BGT_NOTIFY_AFTER=1h");
    const std::string asked = start_at(lab, other, "--notify bell --on-end 'echo over' -- true");
    hook_of(lab, asked, "on-end");
    lab.set_env("BGT_NOTIFY_AFTER=0");
    start_at(lab, other, "-c 'exit 0'");
    CHECK(other.shows("\a"));
    CHECK_FALSE(other.shows("\a\a", 200));
    const std::string script = lab.start({"--on-end", "echo over", "--", "true"});
    hook_of(lab, script, "on-end");
    CHECK(hooks_of(lab, script).size() == 1); // a setting is no fault of it
    const std::string nowhere = lab.start({"--notify", "bell", "--", "true"});
    const json::object hook = hook_of(lab, nowhere, "notify", "not-started");
    CHECK(text_at(hook, "/error") == "the task was not started from a terminal");
}

TEST_CASE("notify desktop runs notify-send, and says so where there is none")
{
    Lab lab;
    fs::create_directories(lab.work() + "/bin");
    const std::string fake = lab.work() + "/bin/notify-send";
    write_file(fake, "#!/bin/sh\nfor word; do echo \"$word\"; done > '" + lab.work() + "/sent'\n");
    fs::permissions(fake, fs::perms::owner_all);
    const std::string id = lab.start({"--notify", "desktop", "--name", "web", "-e",
                                      "PATH=" + lab.work() + "/bin:/bin:/usr/bin", "-c", "exit 3"});
    CHECK(number_at(hook_of(lab, id, "notify"), "/code") == 0);
    const std::string sent = read_file(lab.work() + "/sent");
    INFO(sent);
    CHECK(has(sent, "bgt: web\nended (exit 3) after "));
    CHECK(has(sent, "\n'exit 3'\n"));
    fs::remove(fake);
    const std::string bare =
        lab.start({"--notify", "desktop", "-e", "PATH=" + lab.work() + "/bin", "--", "/bin/true"});
    CHECK(number_at(hook_of(lab, bare, "notify"), "/code") == 127);
    const Ran wrong = lab({"run", "--notify", "smoke", "--", "true"});
    CHECK(wrong.code == 125);
    CHECK(has(wrong.err, "desktop"));
}
