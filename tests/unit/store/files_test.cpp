// The way of opening files that is taken on kernels without openat2, and the locks.
#include "temp_folder.hpp"

#include "store/files.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <thread>
#include <unistd.h>

using namespace bgt;
using namespace bgt::store;
using namespace bgt::store::test;
using namespace std::chrono_literals;

TEST_CASE("opening step by step answers as openat2 does")
{
    TempFolder temp;
    std::filesystem::create_directories(temp / "a/b");
    put(temp / "a/b/file", "x");
    std::filesystem::create_symlink("file", temp / "a/b/link");
    std::filesystem::create_symlink("b", temp / "a/linked");
    const Fd dir(::open((temp / ".").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    REQUIRE(dir);
    const auto answer = [](const Fd& fd) { return fd ? 0 : errno; };
    for (const char* path :
         {"a/b/file", "a/b/link", "a/linked/file", "a/b/file/x", "a/none/x", "none", "a/b"}) {
        INFO(path);
        const int direct = answer(detail::open_below(dir.get(), path, O_RDONLY));
        const int stepwise = answer(detail::open_stepwise(dir.get(), path, O_RDONLY, 0));
        CHECK(direct == stepwise);
    }
    const Fd made = detail::open_stepwise(dir.get(), "a/b/made", O_WRONLY | O_CREAT, 0600);
    REQUIRE(made);
    CHECK((::fcntl(made.get(), F_GETFD) & FD_CLOEXEC) != 0);
    CHECK(exists(temp / "a/b/made"));
}

TEST_CASE("a lock that another holds is waited for, and not for ever")
{
    TempFolder temp;
    put(temp / "lock", "");
    const auto open = [&] { return Fd(::open((temp / "lock").c_str(), O_RDWR | O_CLOEXEC)); };
    Fd holder = open();
    const Fd other = open();
    REQUIRE(detail::lock_waiting(holder.get()) == 0);

    REQUIRE(detail::lock_waiting(other.get(), 5ms) == detail::lock_timed_out);
    const Error error = detail::explain("can't lock " + (temp / "lock"), detail::lock_timed_out);
    CHECK(error.kind == ErrorKind::failed);
    CHECK(error.message.starts_with("can't lock " + (temp / "lock") + ": some bgt process"));

    std::thread releases([&] {
        std::this_thread::sleep_for(20ms);
        holder.reset();
    });
    CHECK(detail::lock_waiting(other.get(), 20s) == 0);
    releases.join();
    CHECK(detail::lock_waiting(-1) == EBADF);
}

TEST_CASE("only a regular file of one's own is opened as a file, and nothing is waited for")
{
    TempFolder temp;
    const auto put_in_place = [&](const char* name, const char* kind) {
        const std::string path = temp / name;
        const std::string_view what = kind;
        if (what == "fifo") REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
        if (what == "folder") REQUIRE(::mkdir(path.c_str(), 0700) == 0);
        if (what == "link") std::filesystem::create_symlink("real", path);
        if (what == "socket") {
            const Fd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
            sockaddr_un address{};
            address.sun_family = AF_UNIX;
            REQUIRE(path.size() < sizeof address.sun_path);
            path.copy(address.sun_path, path.size());
            REQUIRE(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address),
                           sizeof address) == 0);
        }
    };
    put(temp / "real", "x");
    const Fd dir(::open((temp / ".").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    for (const char* kind : {"fifo", "folder", "socket", "link"}) {
        put_in_place(kind, kind);
        for (const int flags :
             {O_RDONLY, O_WRONLY, O_RDWR, O_RDWR | O_CREAT, O_WRONLY | O_APPEND | O_CREAT}) {
            INFO(kind << " " << flags);
            errno = 0;
            CHECK_FALSE(open_file(dir.get(), kind, flags));
            CHECK(errno == (kind == std::string_view("link") ? ELOOP : wrong_kind));
        }
    }
    CHECK(detail::explain("can't open x", wrong_kind).message.find("move it away") !=
          std::string::npos);
    CHECK(open_file(dir.get(), "real", O_RDWR));
    CHECK(open_fifo(dir.get(), "fifo", O_RDWR));
    CHECK_FALSE(open_fifo(dir.get(), "real", O_RDWR));
    CHECK(errno == wrong_kind);
    const auto text = detail::read_file(dir.get(), "fifo", 100, "can't read fifo");
    REQUIRE_FALSE(text);
    CHECK(text.error().sys_errno == wrong_kind);
    if (::geteuid() != 0) return; // the rest needs somebody else
    REQUIRE(::chown((temp / "real").c_str(), 12345, 12345) == 0);
    CHECK_FALSE(open_file(dir.get(), "real", O_RDONLY));
    CHECK(errno == wrong_owner);
    if (::mknod((temp / "device").c_str(), S_IFCHR | 0600, makedev(1, 3)) != 0) return;
    CHECK_FALSE(open_file(dir.get(), "device", O_RDWR));
}

TEST_CASE("a file with a second name is read and locked, not written")
{
    TempFolder temp;
    put(temp / "outside", "precious");
    const Fd dir(::open((temp / ".").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    REQUIRE(::link((temp / "outside").c_str(), (temp / "file").c_str()) == 0);
    for (const int flags : {O_WRONLY, O_RDWR, O_RDWR | O_CREAT, O_WRONLY | O_APPEND | O_CREAT,
                            O_RDWR | O_CREAT | O_TRUNC}) {
        errno = 0;
        CHECK_FALSE(open_file(dir.get(), "file", flags));
        CHECK(errno == wrong_links);
    }
    CHECK(get(temp / "outside") == "precious");
    CHECK(open_file(dir.get(), "file", O_RDONLY));
    CHECK(open_lock_file(dir.get(), "file", O_RDWR | O_CREAT));
    CHECK(detail::explain("can't open x", wrong_links).message.find("another name") !=
          std::string::npos);
    REQUIRE(::unlink((temp / "outside").c_str()) == 0);
    CHECK(open_file(dir.get(), "file", O_RDWR));
    CHECK(get(temp / "file") == "precious");
    CHECK(open_file(dir.get(), "file", O_WRONLY | O_TRUNC));
    CHECK(get(temp / "file").empty());
}

TEST_CASE("what bgt writes in a root never has a second name outside")
{
    TempFolder temp;
    Root root = open_root(temp / "root");
    const TaskId id = add_task(root, core::Lifecycle::running);
    const TaskDir task = must(root.open_task(id));
    const auto link_in_place = [&](const std::string& name) {
        put(temp / "outside", "precious");
        std::filesystem::remove(temp / ("root/" + name));
        REQUIRE(::link((temp / "outside").c_str(), (temp / ("root/" + name)).c_str()) == 0);
    };
    link_in_place("next-id");
    CHECK_FALSE(root.allocate_id());
    CHECK(get(temp / "outside") == "precious");
    for (const char* name : {file::events, file::out_log, file::out_index, file::status}) {
        link_in_place("tasks/" + to_string(id) + "/" + name);
        const auto opened = task.open(name, O_RDWR | O_CREAT | O_APPEND);
        REQUIRE_FALSE(opened);
        CHECK(opened.error().sys_errno == wrong_links);
        CHECK(get(temp / "outside") == "precious");
    }
}

TEST_CASE("a file of any size is read up to a bound")
{
    TempFolder temp;
    put(temp / "huge", "");
    REQUIRE(::truncate((temp / "huge").c_str(), off_t{1} << 40) == 0);
    const Fd dir(::open((temp / ".").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    const auto text = detail::read_file(dir.get(), "huge", 1 << 20, "can't read huge");
    REQUIRE_FALSE(text);
    CHECK(text.error().sys_errno == EFBIG);
}
