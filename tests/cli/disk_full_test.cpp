// The disk is full: output is lost and counted, the task and its exit code are not.
#include "support/catch.hpp"
#include "support/lab.hpp"
#include "support/skip.hpp"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace bgt::test;

namespace {

/// A file system of 1 MiB at `folder`, in a mount namespace of its own, so that it vanishes with
/// its last process. Only what is run through nsenter sees it: a process that sleeps in it stands
/// for it, with its root, which in a chroot is not the namespace's.
class TinyDisk {
public:
    TinyDisk(const Lab& lab, const std::string& folder) : lab_(lab), folder_(folder)
    {
        std::filesystem::create_directories(folder);
        std::filesystem::permissions(folder, std::filesystem::perms::owner_all);
        holder_.emplace(lab.program({"unshare", "-m", "sh", "-c",
                                     "mount -t tmpfs -o size=1m,mode=700 tiny " + folder +
                                         " && echo mounted && exec sleep 1000"}));
        mounted_ = holder_->says("mounted", 5s);
    }
    bool mounted() const { return mounted_; }
    /// What anybody outside sees of a path inside.
    std::string path(const std::string& inside) const
    {
        return "/proc/" + std::to_string(holder_->pid()) + "/root" + folder_ + inside;
    }
    Ran operator()(const Words& words) const { return run(inside(lab_.bgt(words))); }
    Invocation inside(Invocation what) const
    {
        Words argv{
            "nsenter", "-m", "-r", "-t", std::to_string(holder_->pid()), "--wdns=" + lab_.work()};
        argv.insert(argv.end(), what.argv.begin(), what.argv.end());
        what.argv = argv;
        return what;
    }
    /// Writes until not a byte more fits.
    void fill() const
    {
        const int fd =
            ::open(path("/ballast").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        REQUIRE(fd >= 0);
        const std::string block(4096, 'x');
        while (::write(fd, block.data(), block.size()) > 0) {}
        while (::write(fd, block.data(), 1) > 0) {}
        ::close(fd);
    }
    void make_room() const { REQUIRE(::unlink(path("/ballast").c_str()) == 0); }

private:
    const Lab& lab_;
    std::string folder_;
    std::optional<Child> holder_;
    bool mounted_ = false;
};

bool can_mount()
{
    return ::geteuid() == 0 && !find_program("unshare").empty() && !find_program("nsenter").empty();
}

boost::json::object task_of(const TinyDisk& disk, const std::string& id)
{
    const Ran ran = disk({"show", "--json", id});
    INFO(ran);
    REQUIRE(ran.code == 0);
    return at(boost::json::parse(ran.out), "/tasks/0").as_object();
}

} // namespace

TEST_CASE("a running task goes on while the disk is full")
{
    if (!can_mount()) return skip("needs root, unshare(1) and nsenter(1)");
    const Lab lab;
    const TinyDisk disk(lab, lab.root());
    if (!disk.mounted()) return skip("a file system can't be mounted here");

    // It writes 64 KiB, 256 KiB and 5 bytes, each when it is told.
    const Ran started =
        disk({"run", "--stdin", "pipe", "-c",
              BGT_FIXTURE " spew 65536; read x; " BGT_FIXTURE
                          " spew 262144 && echo written >&2; read x; echo last; exit 42"});
    INFO(started);
    REQUIRE(started.out == "1\n");
    const std::string log = disk.path("/tasks/1/out.log");
    REQUIRE(eventually(test_timeout, [&] { return read_file(log).size() == 65536; }));
    disk.fill();
    REQUIRE(disk({"send", "1", "go"}).code == 0);
    // The writer is not held up: all of it, and its word, are dropped and counted.
    REQUIRE(eventually(test_timeout, [&] {
        return number_at(task_of(disk, "1"), "/log/dropped_bytes") >= 262144 + 8;
    }));
    const auto full = task_of(disk, "1");
    CHECK(text_at(full, "/lifecycle") == "running");
    CHECK(at(full, "/adopted") == false);

    SECTION("and its output is kept again once there is room")
    {
        disk.make_room();
        REQUIRE(disk({"send", "1", "go"}).code == 0);
        CHECK(disk({"wait", "1"}).code == 42);
        const std::string bytes = read_file(log);
        CHECK(bytes.starts_with("000000000000000 "));
        CHECK(bytes.ends_with("last\n"));
        const Ran logs = disk({"logs", "-n1", "1"});
        INFO(logs);
        CHECK(logs.out == "last\n");
    }
    SECTION("and its exit code is recorded and readable")
    {
        REQUIRE(disk({"send", "1", "go"}).code == 0);
        CHECK(disk({"wait", "1"}).code == 42);
        const auto task = task_of(disk, "1");
        CHECK(text_at(task, "/outcome/kind") == "exited");
        CHECK(number_at(task, "/outcome/code") == 42);
        CHECK(number_at(task, "/log/dropped_bytes") == 262144 + 8 + 5);
        CHECK(read_file(log).size() == 65536);
        CHECK(disk({"ps", "-a", "-q"}).out == "1\n");
        CHECK(disk({"rm", "1"}).code == 0);
    }
    SECTION("and is killed whole")
    {
        CHECK(disk({"kill", "1"}).code == 0);
        CHECK(text_at(task_of(disk, "1"), "/outcome/reason") == "killed");
    }
}

TEST_CASE("a new run on a full disk fails and leaves no trace")
{
    if (!can_mount()) return skip("needs root, unshare(1) and nsenter(1)");
    const Lab lab;
    const TinyDisk disk(lab, lab.root());
    if (!disk.mounted()) return skip("a file system can't be mounted here");
    REQUIRE(disk({"run", "--rm", "--wait", "--", "true"}).code == 0);
    disk.fill();
    for (int i = 0; i < 3; ++i) {
        const Ran ran = disk({"run", "--name", "web", "--", "sleep", "100"});
        INFO(ran);
        CHECK(ran.code == 125);
        CHECK(ran.out.empty());
        CHECK(ran.err.starts_with("bgt run: "));
        CHECK(ran.err.find("No space left on device") != std::string::npos);
        CHECK(std::count(ran.err.begin(), ran.err.end(), '\n') == 1);
    }
    CHECK(find_task_members(lab.folder()).empty());
    CHECK(std::filesystem::is_empty(disk.path("/tasks")));
    CHECK(std::filesystem::is_empty(disk.path("/active")));
    disk.make_room();
    CHECK(disk({"run", "--wait", "--name", "web", "--", "true"}).code == 0);
}

TEST_CASE("a task that is killed by its timeout on a full disk is told so")
{
    if (!can_mount()) return skip("needs root, unshare(1) and nsenter(1)");
    const Lab lab;
    const TinyDisk disk(lab, lab.root());
    if (!disk.mounted()) return skip("a file system can't be mounted here");
    REQUIRE(disk({"run", "--timeout", "1s", "--grace", "200ms", "--", BGT_FIXTURE, "ignore-term"})
                .out == "1\n");
    disk.fill();
    CHECK(disk({"wait", "1"}).code == 123);
    CHECK(text_at(task_of(disk, "1"), "/outcome/reason") == "timeout");
}
