#include "temp_folder.hpp"

#include "store/crc32c.hpp"

#include <bgt/store/status.hpp>
#include <bgt/store/status_slots.hpp>

#include <algorithm>
#include <cstring>
#include <fcntl.h>
#include <random>
#include <sys/stat.h>
#include <unistd.h>

using namespace bgt;
using namespace bgt::store;
using namespace bgt::store::test;
using namespace std::chrono_literals;

namespace {

/// Bit by bit, so that it shares nothing with the code under test.
std::uint32_t slow_crc32c(const std::byte* data, std::size_t size)
{
    std::uint32_t crc = ~0u;
    for (std::size_t i = 0; i < size; ++i) {
        crc ^= static_cast<std::uint32_t>(data[i]);
        for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1u) ? 0x82F63B78u : 0u);
    }
    return ~crc;
}

using Slot = std::array<std::byte, status_slot_size>;
using File = std::array<std::byte, status_file_size>;

void sign(Slot& slot)
{
    const std::uint32_t crc = slow_crc32c(slot.data(), status_slot_size - 4);
    std::memcpy(slot.data() + status_slot_size - 4, &crc, 4);
}

File join(const Slot& even, const Slot& odd)
{
    File file{};
    std::copy(even.begin(), even.end(), file.begin());
    std::copy(odd.begin(), odd.end(), file.begin() + status_slot_size);
    return file;
}

Status full_status()
{
    Status s;
    s.lifecycle = core::Lifecycle::stopping;
    s.kind = core::Kind::service;
    s.adopted = s.ready = s.stdin_closed = true;
    s.attempt = 3;
    s.outcome = {core::OutcomeKind::signaled, -1, 9, core::Reason::owner_gone, 77};
    s.boot[0] = 1;
    s.boot[15] = 255;
    s.main_process = {4211, 123456789012};
    s.supervisor = {4210, 5};
    s.created = WallTime(1700000000123456789ns);
    s.started = WallTime(1700000000223456789ns);
    s.ended = WallTime(0ns);
    s.started_at = Instant(5s);
    s.ended_at = Instant(0ns);
    s.dropped_bytes = ~0ull;
    s.cpu_used = 90s;
    s.freed_bytes = 1;
    s.freed_err_bytes = 2;
    s.tally = {{15, 5, 4}, {9, 1, 1}};
    s.survivors = {1, 2, 3};
    s.name = "web";
    s.command = "npm run 'd\xc3\xa9v'";
    s.text = "serving";
    s.progress = 0.25;
    s.quiet = s.stalled = s.never_ready = true;
    s.activity = core::Activity::waiting_input;
    s.step = "linking";
    s.total_steps = 5;
    s.next_attempt = WallTime(1700000000323456789ns);
    s.attempt_started = WallTime(1700000000423456789ns);
    s.ready_at = WallTime(1700000000523456789ns);
    return s;
}

void check_same(const Status& a, const Status& b)
{
    CHECK(a.lifecycle == b.lifecycle);
    CHECK(a.kind == b.kind);
    CHECK(a.cpu_used == b.cpu_used);
    CHECK(std::tuple(a.adopted, a.paused, a.ready, a.tree_lives, a.stdin_closed) ==
          std::tuple(b.adopted, b.paused, b.ready, b.tree_lives, b.stdin_closed));
    CHECK(a.attempt == b.attempt);
    CHECK(a.outcome == b.outcome);
    CHECK(a.boot == b.boot);
    CHECK(a.main_process == b.main_process);
    CHECK(a.supervisor == b.supervisor);
    CHECK(std::tuple(a.created, a.started, a.ended) == std::tuple(b.created, b.started, b.ended));
    CHECK(std::tuple(a.started_at, a.ended_at, a.kill_by) ==
          std::tuple(b.started_at, b.ended_at, b.kill_by));
    CHECK(std::tuple(a.dropped_bytes, a.freed_bytes, a.freed_err_bytes) ==
          std::tuple(b.dropped_bytes, b.freed_bytes, b.freed_err_bytes));
    REQUIRE(a.tally.size() == b.tally.size());
    for (std::size_t i = 0; i < a.tally.size(); ++i)
        CHECK(std::tuple(a.tally[i].signal, a.tally[i].found, a.tally[i].ended) ==
              std::tuple(b.tally[i].signal, b.tally[i].found, b.tally[i].ended));
    CHECK(a.survivors == b.survivors);
    CHECK(std::tuple(a.name, a.command, a.text) == std::tuple(b.name, b.command, b.text));
    CHECK(a.progress == b.progress);
    CHECK(std::tuple(a.quiet, a.stalled, a.never_ready, a.activity, a.step, a.total_steps) ==
          std::tuple(b.quiet, b.stalled, b.never_ready, b.activity, b.step, b.total_steps));
    CHECK(std::tuple(a.next_attempt, a.attempt_started, a.ready_at) ==
          std::tuple(b.next_attempt, b.attempt_started, b.ready_at));
}

} // namespace

TEST_CASE("a status comes back as it was written")
{
    for (const Status& status : {Status{}, full_status()}) {
        const auto decoded = must(decode_status(join(Slot{}, encode_status(status, 41))));
        CHECK(decoded.generation == 41);
        check_same(decoded.status, status);
    }
}

TEST_CASE("the checksum is CRC-32C")
{
    const auto check = reinterpret_cast<const std::byte*>("123456789");
    CHECK(slow_crc32c(check, 9) == 0xE3069283u); // the check value of the CRC catalogue
    Slot slot = encode_status(full_status(), 1);
    const Slot before = slot;
    sign(slot);
    CHECK(slot == before);
    // With the processor's instruction and without, of every length of the rest.
    std::mt19937 random(7);
    std::vector<std::byte> bytes(100);
    for (std::byte& b : bytes) b = static_cast<std::byte>(random());
    for (std::size_t size = 0; size <= bytes.size(); ++size) {
        const std::uint32_t expected = slow_crc32c(bytes.data(), size);
        CHECK(detail::crc32c(std::span(bytes).first(size)) == expected);
        CHECK(detail::crc32c_by_tables(std::span(bytes).first(size)) == expected);
    }
}

TEST_CASE("what does not fit its field is cut")
{
    Status status;
    status.name = std::string(100, 'n');
    status.command = std::string(254, 'c') + "\xc3\xa9"; // the last letter would be split
    status.text = std::string(125, 't') + "\xe2\x82\xac";
    status.tally.resize(20);
    status.survivors.resize(100, 7);
    const Status back = must(decode_status(join(Slot{}, encode_status(status, 1)))).status;
    CHECK(back.name == std::string(64, 'n'));
    CHECK(back.command == std::string(254, 'c'));
    CHECK(back.text == std::string(125, 't'));
    CHECK(back.tally.size() == 9);
    CHECK(back.survivors == std::vector<std::int32_t>(16, 7));
}

TEST_CASE("a record with a name that no task can have is damaged")
{
    for (const char* name : {"$(touch x)", "a b", "-x", "1", "a\x1b[m", "\u202e", "x\ny", "\xff"}) {
        INFO(name);
        Status status;
        status.name = name;
        const auto back = decode_status(join(Slot{}, encode_status(status, 1)));
        REQUIRE_FALSE(back);
        CHECK(back.error().message.find("damaged") != std::string::npos);
    }
}

TEST_CASE("the newer slot counts, the other one when it is damaged")
{
    Status old_status;
    old_status.name = "old";
    Status new_status;
    new_status.name = "new";
    File file = join(encode_status(new_status, 8), encode_status(old_status, 7));
    CHECK(must(decode_status(file)).status.name == "new");
    std::mt19937 random(1);
    for (int round = 0; round < 2000; ++round) { // any damage to one slot leaves the other
        File damaged = file;
        const bool hit_new = round % 2 == 0;
        const std::size_t at = random() % status_slot_size + (hit_new ? 0 : status_slot_size);
        damaged[at] ^= static_cast<std::byte>(1 + random() % 255);
        const auto decoded = decode_status(damaged);
        REQUIRE(decoded);
        REQUIRE(decoded->status.name == (hit_new ? "old" : "new"));
    }
}

TEST_CASE("no damage makes the reader crash or believe")
{
    std::mt19937 random(2);
    const File file = join(encode_status(full_status(), 2), encode_status(Status{}, 1));
    for (int round = 0; round < 100000; ++round) {
        File damaged = file;
        for (auto hits = 1 + random() % 8; hits > 0; --hits) {
            damaged[random() % status_slot_size] = static_cast<std::byte>(random());
            damaged[status_slot_size + random() % status_slot_size] =
                static_cast<std::byte>(random());
        }
        const std::size_t size = random() % 4 == 0 ? random() % status_file_size : status_file_size;
        const auto decoded = decode_status(std::span(damaged).first(size));
        if (decoded) REQUIRE((decoded->generation == 1 || decoded->generation == 2));
    }
    const Slot good = encode_status(full_status(), 3);
    for (int round = 0; round < 5000;
         ++round) { // rightly signed nonsense: any answer, but no crash
        Slot slot = good;
        for (int hits = 0; hits < 6; ++hits)
            slot[8 + random() % 700] = static_cast<std::byte>(random());
        sign(slot);
        const auto decoded = decode_status(slot);
        if (decoded) {
            REQUIRE(decoded->status.name.size() <= 64);
            REQUIRE(decoded->status.tally.size() <= 9);
            REQUIRE(core::by_number(core::lifecycles, static_cast<int>(decoded->status.lifecycle)));
        }
    }
}

TEST_CASE("damaged, cut and empty files have an error that says so")
{
    const Slot slot = encode_status(Status{}, 1);
    CHECK(decode_status({}).error().message.find("too short") != std::string::npos);
    CHECK(decode_status(std::span(slot).first(1023)).error().message.find("too short") !=
          std::string::npos);
    CHECK(decode_status(File{}).error().message.find("damaged") != std::string::npos);
    CHECK(decode_status(slot)); // the other slot was cut off
    CHECK(decode_status(slot)->generation == 1);
}

TEST_CASE("records of other versions")
{
    Slot slot = encode_status(full_status(), 5);
    const auto set16 = [&](std::size_t at, std::uint16_t v) {
        std::memcpy(slot.data() + at, &v, 2);
    };
    SECTION("a newer bgt that only appended is read")
    {
        set16(4, 99);
        const std::uint32_t size = 1000;
        std::memcpy(slot.data() + 8, &size, 4);
        sign(slot);
        check_same(must(decode_status(slot)).status, full_status());
    }
    SECTION("one that changed the meaning is refused, and named")
    {
        set16(4, 99);
        set16(6, 99);
        sign(slot);
        const auto decoded = decode_status(join(slot, encode_status(Status{}, 4)));
        REQUIRE_FALSE(decoded);
        CHECK(decoded.error().message.find("newer bgt") != std::string::npos);
    }
    SECTION("fields that an older bgt did not write keep their defaults")
    {
        const std::uint32_t size = 24 + 4 + 4; // up to and with the flags
        std::memcpy(slot.data() + 8, &size, 4);
        sign(slot);
        const Status status = must(decode_status(slot)).status;
        CHECK(status.lifecycle == core::Lifecycle::stopping);
        CHECK(status.adopted);
        CHECK(status.attempt == 1);
        CHECK(status.name.empty());
        CHECK_FALSE(status.started);
        CHECK_FALSE(status.progress);
        CHECK(status.tally.empty());
    }
    SECTION("an unknown enumerator is not guessed at")
    {
        slot[24] = std::byte{200};
        sign(slot);
        const auto decoded = decode_status(slot);
        REQUIRE_FALSE(decoded);
        CHECK(decoded.error().message.find("a value that this bgt does not know") !=
              std::string::npos);
    }
    SECTION("an enumerator that a newer bgt added is told as that")
    {
        set16(4, 99);
        slot[27] = std::byte{99}; // the reason
        sign(slot);
        const auto decoded = decode_status(slot);
        REQUIRE_FALSE(decoded);
        CHECK(decoded.error().message.find("newer bgt") != std::string::npos);
    }
}

TEST_CASE("the writer overwrites in place, in turn")
{
    TempFolder temp;
    Root root = open_root(temp / "root");
    const TaskDir task = must(root.create_task(TaskId{1}));
    CHECK(read_status(task.fd()).error().kind == ErrorKind::not_found);
    Status status = full_status();
    StatusWriter writer = must(StatusWriter::create(task.fd(), status));
    CHECK_FALSE(StatusWriter::create(task.fd(), status));
    for (std::uint32_t i = 10; i < 20; ++i) {
        status.attempt = i;
        must(writer.write(status));
        CHECK(must(read_status(task.fd())).attempt == i);
        CHECK(get(task.path() + "/status").size() == status_file_size);
    }
    Status newest;
    StatusWriter second = must(StatusWriter::open(task.fd(), &newest));
    check_same(newest, status);
    status.attempt = 99;
    must(second.write(status));
    check_same(must(read_status_at(root.fd(), TaskId{1})), status);
    CHECK(read_status_at(root.fd(), TaskId{2}).error().kind == ErrorKind::not_found);

    put(task.path() + "/status", "rubbish");
    CHECK(read_status(task.fd()).error().kind == ErrorKind::failed);
    CHECK_FALSE(StatusWriter::open(task.fd()));
}

TEST_CASE("a status that is no file is an error, and does not block")
{
    TempFolder temp;
    Root root = open_root(temp / "root");
    const TaskDir task = must(root.create_task(TaskId{1}));
    REQUIRE(::mkfifoat(task.fd(), "status", 0600) == 0);
    CHECK_FALSE(read_status(task.fd()));
    REQUIRE(::unlinkat(task.fd(), "status", 0) == 0);
    put(temp / "elsewhere", "x");
    REQUIRE(::symlinkat((temp / "elsewhere").c_str(), task.fd(), "status") == 0);
    CHECK_FALSE(read_status(task.fd()));
    CHECK_FALSE(StatusWriter::create(task.fd(), Status{}));
    CHECK(get(temp / "elsewhere") == "x");
}

TEST_CASE("a start that another process records")
{
    TempFolder temp;
    const Fd folder(::open((temp / ".").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    Status status = full_status();
    status.lifecycle = core::Lifecycle::starting;
    status.main_process = {};
    auto writer = StatusWriter::create(folder.get(), status);
    REQUIRE(writer);
    status.lifecycle = core::Lifecycle::running;
    status.step = "up";
    StartRecord record = writer->prepare_start(status);
    CHECK(read_status(folder.get())->lifecycle ==
          core::Lifecycle::starting); // prepared is not written
    REQUIRE(record.write(4711, 123456789012) == 0);
    auto read = read_status(folder.get());
    REQUIRE(read);
    CHECK(read->lifecycle == core::Lifecycle::running);
    CHECK(read->main_process == ProcessKey{4711, 123456789012});
    CHECK(read->step == "up");
    CHECK(read->supervisor == status.supervisor);

    SECTION("and takes back")
    {
        REQUIRE(record.take_back() == 0);
        read = read_status(folder.get());
        REQUIRE(read);
        CHECK(read->lifecycle == core::Lifecycle::starting);
        CHECK(read->main_process == ProcessKey{});
    }
    writer->go_on_after(record);
    status.step = "later";
    REQUIRE(writer->write(status));
    CHECK(read_status(folder.get())->step == "later");
}

TEST_CASE("between two attempts a task was called queued, and what waits still is")
{
    Status status;
    status.lifecycle = core::Lifecycle::queued;
    CHECK(decode_status(encode_status(status, 1))->status.lifecycle == core::Lifecycle::queued);
    status.supervisor = {4210, 5};
    CHECK(decode_status(encode_status(status, 1))->status.lifecycle ==
          core::Lifecycle::backing_off);
}

TEST_CASE("a damaged record is noticed where another one is whole")
{
    TempFolder temp;
    Root root = open_root(temp / "root");
    const TaskDir task = must(root.create_task(TaskId{1}));
    Status status;
    StatusWriter writer = must(StatusWriter::create(task.fd(), status));
    CHECK_FALSE(has_damaged_slot(task.fd())); // one was never written
    status.lifecycle = core::Lifecycle::running;
    REQUIRE(writer.write(status));
    CHECK_FALSE(has_damaged_slot(task.fd()));
    const std::string path = task.path() + "/status";
    std::string bytes = get(path);
    for (const std::size_t at : {std::size_t{100}, status_slot_size + 100}) {
        std::string damaged = bytes;
        damaged[at] = static_cast<char>(damaged[at] ^ 1);
        put(path, damaged);
        CHECK(has_damaged_slot(task.fd()));
        REQUIRE(read_status(task.fd()));
    }
}
