// The alerts that a root knows: the file, what a change of settings does to it, and who may look.
#include "support/catch.hpp"

#include <bgt/store/alert_book.hpp>
#include <bgt/store/open_file.hpp>
#include <bgt/store/queue_file.hpp>

#include <atomic>
#include <chrono>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

using namespace bgt;
using namespace bgt::store;
using namespace std::chrono_literals;

namespace {

struct Folder {
    Folder()
    {
        std::string name = "/tmp/bgt-alerts-XXXXXX";
        REQUIRE(::mkdtemp(name.data()));
        path = name;
    }
    ~Folder() { std::filesystem::remove_all(path); }
    Root root() const { return *Root::open(path + "/root", Root::IfMissing::create); }
    std::string file() const { return path + "/root/alerts"; }
    std::string path;
};

AlertDefinition definition(const std::string& when, const std::string& file, std::string run = {})
{
    AlertDefinition out;
    out.rule.when = *core::parse_alert_condition(when);
    out.run = std::move(run);
    out.file = file;
    out.folder = "/";
    return out;
}

const WallTime now = *parse_rfc3339("2026-11-29T12:00:00Z");

AlertBook full_book()
{
    AlertBook book;
    AlertDefinition rich = definition("p95 > 2x", "/a/bgt.toml", "echo \"x\" \xc3\xa4");
    rich.rule.over = 1h;
    rich.rule.min_runs = 7;
    rich.rule.match = "nightly*";
    update_definitions(book, {rich, definition("active > 3", "/a/bgt.toml")}, {"/a/bgt.toml"}, now);
    book.alerts[0].state = {core::AlertIs::firing, now + 1s};
    book.alerts[0].told =
        AlertTold{core::AlertChange::begins, now, "3x", {17, 99}, true, 4, "no", "out\n"};
    return book;
}

} // namespace

TEST_CASE("a book is read as it was written")
{
    const AlertBook book = full_book();
    const auto read = decode_alerts(encode_alerts(book));
    REQUIRE(read);
    CHECK(encode_alerts(*read) == encode_alerts(book));
    REQUIRE(read->alerts.size() == 2);
    CHECK(read->alerts[0].is == book.alerts[0].is);
    CHECK(read->alerts[0].state == book.alerts[0].state);
    CHECK(read->alerts[0].known_since == now);
    REQUIRE(read->alerts[0].told);
    CHECK(read->alerts[0].told->teller == ProcessKey{17, 99});
    CHECK(read->alerts[0].told->code == 4);
    CHECK_FALSE(read->alerts[1].told);
}

TEST_CASE("each damaged byte is noticed")
{
    const std::string whole = encode_alerts(full_book());
    for (std::size_t i = 0; i < whole.size(); ++i) {
        std::string damaged = whole;
        damaged[i] = static_cast<char>(damaged[i] ^ 1);
        CHECK_FALSE(decode_alerts(damaged));
    }
    for (std::size_t size = 0; size < whole.size(); ++size)
        CHECK_FALSE(decode_alerts(std::string_view(whole).substr(0, size)));
}

TEST_CASE("a change of settings keeps the state of the same question")
{
    AlertBook book = full_book();
    std::vector<AlertDefinition> same{book.alerts[0].is, book.alerts[1].is};
    CHECK_FALSE(update_definitions(book, same, {"/a/bgt.toml"}, now + 1h));
    same[0].run = "another";
    CHECK(update_definitions(book, same, {"/a/bgt.toml"}, now + 1h));
    CHECK(book.alerts[0].number == 1);
    CHECK(book.alerts[0].is.run == "another");
    CHECK(book.alerts[0].state.is == core::AlertIs::firing);
    CHECK(book.alerts[0].known_since == now);
    // Another question is another alert; what is not there any more is forgotten; numbers are not
    // used again; other files stay.
    CHECK(update_definitions(book, {definition("wait > 1m", "/b/bgt.toml")}, {"/b/bgt.toml"}, now));
    CHECK(update_definitions(book, {definition("p95 > 3x", "/a/bgt.toml")}, {"/a/bgt.toml"}, now));
    REQUIRE(book.alerts.size() == 2);
    CHECK(book.alerts[0].is.file == "/b/bgt.toml");
    CHECK(book.alerts[1].number == 4);
    CHECK(book.alerts[1].state.is == core::AlertIs::unknown);
    CHECK(update_definitions(book, {}, {"/a/bgt.toml", "/b/bgt.toml"}, now));
    CHECK(book.alerts.empty());
    CHECK_FALSE(update_definitions(book, {}, {"/a/bgt.toml", "/b/bgt.toml"}, now));
}

TEST_CASE("the same alert twice is two alerts")
{
    AlertBook book;
    const AlertDefinition one = definition("wait > 1m", "/a/bgt.toml");
    CHECK(update_definitions(book, {one, one}, {"/a/bgt.toml"}, now));
    CHECK(book.alerts.size() == 2);
    CHECK_FALSE(update_definitions(book, {one, one}, {"/a/bgt.toml"}, now));
}

TEST_CASE("the file is private, and damage is told")
{
    const Folder folder;
    const Root root = folder.root();
    CHECK(read_alerts(root)->alerts.empty());
    const mode_t before = ::umask(0);
    {
        const auto lock = AlertLock::take(root);
        REQUIRE(lock);
        REQUIRE(lock->write(root, full_book()));
    }
    ::umask(before);
    struct stat info {};
    REQUIRE(::stat(folder.file().c_str(), &info) == 0);
    CHECK((info.st_mode & 0777) == 0600);
    CHECK(read_alerts(root)->alerts.size() == 2);
    std::ofstream(folder.file(), std::ios::app) << "x";
    const auto damaged = read_alerts(root);
    REQUIRE_FALSE(damaged);
    CHECK(damaged.error().sys_errno == damaged_file);
    CHECK(damaged.error().message.find(folder.file() + " is damaged") == 0);
    std::filesystem::remove(folder.file());
    std::filesystem::create_symlink("/etc/passwd", folder.file());
    CHECK_FALSE(read_alerts(root));
}

TEST_CASE("one looks, one waits to look, and the rest need not")
{
    const Folder folder;
    const Root root = folder.root();
    auto looks = AlertLock::take_to_look(root);
    REQUIRE(looks);
    REQUIRE(*looks);
    std::atomic<bool> has_looked = false;
    std::thread waits([&] {
        const auto lock = AlertLock::take_to_look(root);
        has_looked = lock && *lock;
    });
    // From some time on, the other one waits.
    bool is_left_to_other = false;
    const auto deadline = std::chrono::steady_clock::now() + 4s;
    while (!is_left_to_other && std::chrono::steady_clock::now() < deadline) {
        const Fd room = open_lock_file(root.fd(), "alerts.next", O_RDWR | O_CREAT);
        struct flock whole {};
        whole.l_type = F_WRLCK;
        const bool is_free =
            ::fcntl(room.get(), F_OFD_GETLK, &whole) == 0 && whole.l_type == F_UNLCK;
        if (is_free) continue;
        const auto third = AlertLock::take_to_look(root);
        is_left_to_other = third && !*third;
    }
    CHECK(is_left_to_other);
    looks->reset();
    waits.join();
    CHECK(has_looked);
}
