#include "temp_folder.hpp"

#include "store/files.hpp"

#include <bgt/store/retention.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace bgt;
using namespace bgt::store;
using namespace bgt::store::test;

namespace {

unsigned mode_of(const std::string& path)
{
    struct stat st {};
    REQUIRE(::lstat(path.c_str(), &st) == 0);
    return st.st_mode & 07777;
}

std::string why_not(const std::string& path, Root::IfMissing if_missing = Root::IfMissing::create)
{
    const auto root = Root::open(path, if_missing);
    REQUIRE_FALSE(root);
    return root.error().message;
}

bool says(const std::string& message, const char* what)
{
    INFO(message);
    return message.find(what) != std::string::npos;
}

} // namespace

TEST_CASE("where the root is")
{
    CHECK(must(locate_root("/r", "/x", "/h")) == "/r");
    CHECK(must(locate_root("", "/x", "/h")) == "/x/bgt");
    CHECK(must(locate_root("", "relative", "/h")) == "/h/.local/state/bgt");
    CHECK(must(locate_root("", "", "/h")) == "/h/.local/state/bgt");
    const auto none = locate_root("", "", "");
    REQUIRE_FALSE(none);
    CHECK(none.error().kind == ErrorKind::usage);
    CHECK(says(none.error().message, "--root"));
}

TEST_CASE("a root is made with its parents, private whatever the umask")
{
    TempFolder temp;
    const mode_t before = ::umask(0);
    const Root root = open_root(temp / "a/b//c/");
    ::umask(before);
    CHECK(root.exists());
    for (const char* part : {"a", "a/b", "a/b/c"}) CHECK(mode_of(temp / part) == 0700);
    CHECK(open_root(temp / "a/b/c").exists());
}

TEST_CASE("a relative root becomes absolute")
{
    TempFolder temp;
    std::filesystem::create_directory(temp / "here");
    const auto before = std::filesystem::current_path();
    std::filesystem::current_path(temp / "here");
    Root root = open_root("state");
    std::filesystem::current_path(before);
    CHECK(root.path() == temp / "here/state");
    CHECK(must(root.create_task(TaskId{1})).path() == temp / "here/state/tasks/1");
}

TEST_CASE("a root that is not there reads as empty, and nothing is made")
{
    TempFolder temp;
    Root root = must(Root::open(temp / "none", Root::IfMissing::empty));
    CHECK_FALSE(root.exists());
    CHECK(must(root.last_id()) == 0);
    CHECK(must(root.active_ids()).empty());
    CHECK(must(root.all_ids()).empty());
    CHECK(must(root.names()).empty());
    CHECK_FALSE(must(root.find_name("web")));
    CHECK(root.open_task(TaskId{1}).error().kind == ErrorKind::not_found);
    CHECK(root.open_task(TaskId{1}).error().message == "no such task 1");
    CHECK(root.remove_task(TaskId{1}).error().kind == ErrorKind::not_found);
    CHECK_FALSE(exists(temp / "none"));
}

TEST_CASE("roots that can't be trusted or used")
{
    TempFolder temp;
    std::filesystem::create_directory(temp / "root");
    for (const unsigned mode : {0702u, 0722u, 01777u}) {
        REQUIRE(::chmod((temp / "root").c_str(), mode) == 0);
        CHECK(says(why_not(temp / "root"), ("chmod go-w " + temp / "root").c_str()));
        CHECK(says(why_not(temp / "root", Root::IfMissing::empty), "writable by others"));
    }
    put(temp / "file", "");
    CHECK(says(why_not(temp / "file"), "not a folder"));
    CHECK(says(why_not(temp / "file/below"), "not a folder"));
    CHECK(says(why_not(""), "empty"));
    CHECK(says(why_not(std::string("a\0b", 3)), "NUL"));
    CHECK(says(why_not(temp / std::string(10000, 'x')), "too long"));
    std::filesystem::create_symlink("loop", temp / "loop");
    CHECK(says(why_not(temp / "loop"), "symbolic link"));
    std::filesystem::create_symlink("nowhere", temp / "dangling");
    CHECK_FALSE(Root::open(temp / "dangling", Root::IfMissing::create));
    CHECK(says(why_not("/proc/bgt-test"), "can't create the state root /proc/bgt-test"));
}

TEST_CASE("a root that is a symlink is refused, one below linked parents is used")
{
    TempFolder temp;
    std::filesystem::create_directory(temp / "real");
    std::filesystem::create_symlink("real", temp / "link");
    CHECK(says(why_not(temp / "link"), "symbolic link"));
    CHECK(open_root(temp / "link/below").exists());
    CHECK(exists(temp / "real/below"));
}

TEST_CASE("somebody else's root is refused")
{
    if (::geteuid() != 0) {
        CHECK(says(why_not("/"), "belongs to user 0"));
        return;
    }
    TempFolder temp;
    std::filesystem::create_directory(temp / "theirs");
    REQUIRE(::chown((temp / "theirs").c_str(), 12345, 12345) == 0);
    CHECK(says(why_not(temp / "theirs"), "belongs to user 12345"));
}

TEST_CASE("nobody else may be able to put another folder in the root's place")
{
    TempFolder temp;
    const auto folder = [&](const char* name, unsigned mode, unsigned uid, unsigned gid) {
        std::filesystem::create_directory(temp / name);
        if (::geteuid() == 0) REQUIRE(::chown((temp / name).c_str(), uid, gid) == 0);
        REQUIRE(::chmod((temp / name).c_str(), mode) == 0);
    };
    folder("open", 0777, 0, 0);
    folder("sticky", 01777, 0, 0);
    CHECK(says(why_not(temp / "open/root"), "/open, which is on its way, is writable by others"));
    CHECK(
        says(why_not(temp / "open/a/b/root"), "/open, which is on its way, is writable by others"));
    CHECK(std::filesystem::is_empty(temp / "open"));
    CHECK(open_root(temp / "sticky/a/root").exists());
    std::filesystem::create_symlink("../open", temp / "sticky/link");
    CHECK(says(why_not(temp / "sticky/link/root"), "is writable by others"));
    // It was made when the way was in order.
    std::filesystem::create_directory(temp / "open/root");
    REQUIRE(::chmod((temp / "open/root").c_str(), 0700) == 0);
    CHECK(says(why_not(temp / "open/root", Root::IfMissing::empty), "is writable by others"));
    if (::geteuid() != 0) return; // the rest needs somebody else
    folder("of-group", 0720, 0, 12345);
    CHECK(says(why_not(temp / "of-group"), ("chmod go-w " + temp / "of-group").c_str()));
    folder("theirs", 0755, 12345, 0);
    folder("group", 0775, 0, 12345);
    CHECK(
        says(why_not(temp / "theirs/root"), "/theirs, which is on its way, belongs to user 12345"));
    CHECK(says(why_not(temp / "theirs/a/root"), "use sudo -H"));
    CHECK(std::filesystem::is_empty(temp / "theirs"));
    CHECK(says(why_not(temp / "group/root"), "is writable by others"));
}

TEST_CASE("symlinks in the place of folders lead nowhere, and nothing is made behind them")
{
    TempFolder temp;
    Root root = open_root(temp / "root");
    const TaskId first = must(root.allocate_id());
    REQUIRE(must(root.create_task(first)).lock_fd() >= 0);
    std::filesystem::create_directory(temp / "outside");
    const auto plant = [&](const char* name) {
        std::filesystem::remove_all(temp / ("root/" + std::string(name)));
        std::filesystem::create_directory_symlink(temp / "outside",
                                                  temp / ("root/" + std::string(name)));
    };
    plant("active");
    const auto marked = root.mark_active(first);
    REQUIRE_FALSE(marked);
    CHECK(says(marked.error().message, "active"));
    CHECK_FALSE(root.unmark_active(first));
    CHECK_FALSE(root.active_ids());
    plant("names");
    CHECK_FALSE(root.claim_name("web", first, [](TaskId) { return false; }));
    CHECK_FALSE(root.names());
    plant("tasks");
    CHECK_FALSE(root.create_task(TaskId{7}));
    CHECK_FALSE(root.open_task(TaskId{7}));
    CHECK_FALSE(root.all_ids());
    CHECK(std::filesystem::is_empty(temp / "outside"));
}

TEST_CASE("a folder that can't be written says so")
{
    if (::geteuid() != 0) return; // needs to become somebody else
    TempFolder temp;
    REQUIRE(::chmod((temp / ".").c_str(), 0755) == 0);
    const pid_t child = ::fork();
    if (child == 0) {
        if (::setresuid(12345, 12345, 12345) != 0) ::_exit(2);
        const auto root = Root::open(temp / "root", Root::IfMissing::create);
        ::_exit(!root && root.error().sys_errno == EACCES &&
                        root.error().message.find("ls -ld") != std::string::npos
                    ? 0
                    : 1);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(status == 0);
}

TEST_CASE("a new task's folder: private, locked from the start, made once")
{
    TempFolder temp;
    Root root = open_root(temp / "root");
    TaskDir task = must(root.create_task(TaskId{7}));
    CHECK(task.id() == TaskId{7});
    CHECK(task.path() == temp / "root/tasks/7");
    CHECK(mode_of(task.path()) == 0700);
    CHECK(mode_of(task.path() + "/lock") == 0600);
    CHECK(task.lock_fd() >= 0);
    CHECK(must(task.is_locked()));

    TaskDir other = must(root.open_task(TaskId{7}));
    CHECK(must(other.is_locked()));
    CHECK_FALSE(must(other.try_lock()));
    CHECK(other.lock_fd() < 0);
    CHECK_FALSE(root.create_task(TaskId{7}));
    CHECK(must(root.all_ids()) == std::vector{TaskId{7}});

    task.unlock();
    CHECK_FALSE(must(other.is_locked()));
    CHECK(must(other.try_lock()));
    CHECK(must(other.try_lock()));
    CHECK_FALSE(must(must(root.open_task(TaskId{7})).try_lock()));
}

TEST_CASE("the lock lives on in a forked process")
{
    TempFolder temp;
    Root root = open_root(temp / "root");
    TaskDir task = must(root.create_task(TaskId{1}));
    int hold[2];
    REQUIRE(::pipe2(hold, O_CLOEXEC) == 0);
    const pid_t child = ::fork();
    if (child == 0) {
        ::close(hold[1]);
        char byte = 0;
        ::_exit(::read(hold[0], &byte, 1) == 0 ? 0 : 1);
    }
    ::close(hold[0]);
    task.unlock();
    const TaskDir other = must(root.open_task(TaskId{1}));
    CHECK(must(other.is_locked()));
    ::close(hold[1]);
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(status == 0);
    CHECK_FALSE(must(other.is_locked()));
}

TEST_CASE("nothing inside the root is followed through a symlink")
{
    TempFolder temp;
    Root root = open_root(temp / "root");
    std::filesystem::create_directories(temp / "elsewhere/7");
    put(temp / "elsewhere/7/status", "x");
    put(temp / "victim", "x");
    for (const char* folder : {"tasks", "active", "names"})
        std::filesystem::create_symlink(temp / "elsewhere", temp / "root" + "/" + folder);
    std::filesystem::create_symlink(temp / "victim", temp / "root/next-id");
    CHECK_FALSE(root.open_task(TaskId{7}));
    CHECK_FALSE(root.create_task(TaskId{8}));
    CHECK_FALSE(root.remove_task(TaskId{7}));
    CHECK_FALSE(root.mark_active(TaskId{7}));
    CHECK_FALSE(root.unmark_active(TaskId{7}));
    CHECK_FALSE(root.active_ids());
    CHECK_FALSE(root.all_ids());
    CHECK_FALSE(root.names());
    CHECK_FALSE(root.claim_name("web", TaskId{7}, [](TaskId) { return false; }));
    CHECK_FALSE(root.allocate_id());
    CHECK_FALSE(root.last_id());
    const auto status = read_status_at(root.fd(), TaskId{7});
    REQUIRE_FALSE(status);
    CHECK(status.error().sys_errno == ELOOP);
    CHECK(get(temp / "victim") == "x");
    CHECK(std::distance(std::filesystem::directory_iterator(temp / "elsewhere"), {}) == 1);
    CHECK(std::distance(std::filesystem::directory_iterator(temp / "elsewhere/7"), {}) == 1);
}

TEST_CASE("files of a task's folder are opened close-on-exec, never through a symlink")
{
    TempFolder temp;
    Root root = open_root(temp / "root");
    const TaskDir task = must(root.create_task(TaskId{1}));
    const Fd made = must(task.open("out.log", O_WRONLY | O_CREAT));
    CHECK((::fcntl(made.get(), F_GETFD) & FD_CLOEXEC) != 0);
    put(temp / "victim", "");
    REQUIRE(::symlinkat((temp / "victim").c_str(), task.fd(), "link") == 0);
    const auto link = task.open("link", O_RDONLY);
    REQUIRE_FALSE(link);
    CHECK(says(link.error().message, (task.path() + "/link").c_str()));
    CHECK(task.open("none", O_RDONLY).error().sys_errno == ENOENT);
}

TEST_CASE("a name that has passed on to another task stays with it")
{
    TempFolder temp;
    Root root = open_root(temp / "root");
    const TaskId first = add_task(root, core::Lifecycle::ended, {}, "web");
    const TaskId second = add_task(root, core::Lifecycle::running, {}, "web");
    must(root.remove_task(first));
    CHECK(must(root.find_name("web")) == second);
}

TEST_CASE("listings ignore what is not an id, and sort by number")
{
    TempFolder temp;
    Root root = open_root(temp / "root");
    for (const std::int64_t id : {10, 9, 100, 1}) must(root.create_task(TaskId{id}));
    for (const char* name : {"007", "x", "-1", ".new-5", ".gone-6", "99999999999999999999"})
        std::filesystem::create_directory(temp / "root/tasks" + "/" + name);
    CHECK(must(root.all_ids()) == std::vector{TaskId{1}, TaskId{9}, TaskId{10}, TaskId{100}});
    must(root.mark_active(TaskId{10}));
    must(root.mark_active(TaskId{9}));
    must(root.mark_active(TaskId{9}));
    put(temp / "root/active/README", "");
    CHECK(must(root.active_ids()) == std::vector{TaskId{9}, TaskId{10}});
    must(root.unmark_active(TaskId{9}));
    must(root.unmark_active(TaskId{9}));
    CHECK(must(root.active_ids()) == std::vector{TaskId{10}});
}
