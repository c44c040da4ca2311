// The journal of waiting tasks: what is written is read, whatever happens to the end of the file.
#include "queue_sample.hpp"

#include "store/queue_format.hpp"

#include <bgt/store/queue_repair.hpp>
#include <bgt/store/queue_view.hpp>

#include <filesystem>
#include <fstream>
#include <sys/stat.h>

using namespace bgt;
using namespace bgt::store;
using namespace bgt::store::test;

TEST_CASE("records come back as they were written")
{
    core::WaitingTasks all = tasks(7, 3);
    all.queue = "build";
    all.priority = -4;
    all.slots = 2;
    all.needs = {{"gpu", 1}, {"mem", 1ull << 40}};
    all.after = {{3, core::DependsOn::any}, {4, core::DependsOn::ready}};
    all.hold_on_failure = true;
    all.key = "k";
    all.held = true;
    all.order = -5;
    all.expires = WallTime(std::chrono::seconds(99));
    const auto back = decode_record(encode_record(Submitted{all, 7}));
    REQUIRE(back);
    const auto& submitted = std::get<Submitted>(*back);
    CHECK(submitted.described_by == 7);
    CHECK(submitted.tasks.queue == "build");
    CHECK(submitted.tasks.priority == -4);
    CHECK(submitted.tasks.needs == all.needs);
    CHECK(submitted.tasks.after == all.after);
    CHECK(submitted.tasks.order == all.order);
    CHECK(submitted.tasks.expires == all.expires);
    const std::string bytes = encode_record(Submitted{all, 7});
    for (std::size_t size = 0; size < bytes.size(); ++size)
        CHECK_FALSE(decode_record(bytes.substr(0, size)));
    CHECK_FALSE(decode_record(bytes + "x"));
    CHECK_FALSE(decode_record("\x63"));
    CHECK_FALSE(description_key(bytes));
    Described described;
    described.key = -77;
    described.texts = {"a", "b"};
    CHECK(description_key(encode_record(described)) == -77);
}

TEST_CASE("a record with a name that nobody could have given is damaged, and a repair drops it")
{
    const TempFolder temp;
    Root root = open_root(temp / "root");
    QueueView view = opened(root);
    append(view, submission(3, 1));
    for (const char* name : {"a\x1b[2Jb", "a b", "-a"}) {
        core::WaitingTasks bad = tasks(5, 1);
        bad.queue = name;
        const auto of_queue = decode_record(encode_record(Submitted{bad, 5}));
        REQUIRE_FALSE(of_queue);
        CHECK(of_queue.error().sys_errno == damaged_file);
        bad.queue = "q";
        bad.needs = {{name, 1}};
        CHECK_FALSE(decode_record(encode_record(Submitted{bad, 5})));
        Scheduled schedule;
        schedule.name = name;
        schedule.tasks.queue = "q";
        CHECK_FALSE(decode_record(encode_record(schedule)));
        schedule.name = "nightly";
        CHECK(decode_record(encode_record(schedule)));
        schedule.tasks.queue = name;
        CHECK_FALSE(decode_record(encode_record(schedule)));
    }
    core::WaitingTasks bad = tasks(4, 1);
    bad.queue = "a\x1b[2Jb";
    CHECK_FALSE(view.append({Submitted{bad, 3}}, QueueFile::Durability::process));
    const auto done = repair_queues(root, {});
    if (!done) FAIL(done.error().message);
    CHECK(done->places == 1);
    CHECK(done->waiting == 1);
    CHECK(opened(root).is_waiting(TaskId{3}));
}

TEST_CASE("a journal that was cut anywhere holds the records before the cut, and goes on")
{
    TempFolder temp;
    Root root = open_root(temp / "root");
    std::vector<std::size_t> sizes;
    {
        QueueView view = opened(root);
        for (std::int64_t id = 1; id <= 4; ++id) {
            append(view, submission(id, 1));
            sizes.push_back(view.file().size());
        }
    }
    const std::string path = temp / "root/queue/journal";
    const auto whole = std::filesystem::file_size(path);
    std::string bytes(whole, '\0');
    std::ifstream(path, std::ios::binary).read(bytes.data(), static_cast<std::streamsize>(whole));
    for (std::size_t cut = sizes[0]; cut <= whole; ++cut) {
        std::ofstream(path, std::ios::binary | std::ios::trunc)
            .write(bytes.data(), static_cast<std::streamsize>(cut));
        QueueView view = opened(root);
        std::size_t expected = 0;
        while (expected < sizes.size() && sizes[expected] <= cut) ++expected;
        REQUIRE(view.state().waiting_count() == expected);
        append(view, submission(9, 2));
        REQUIRE(opened(root).state().waiting_count() == expected + 2);
    }
}

TEST_CASE("zeros behind the end, as a crash of the machine leaves them, are passed over")
{
    TempFolder temp;
    Root root = open_root(temp / "root");
    const std::uint64_t whole = [&] {
        QueueView view = opened(root);
        append(view, submission(1, 1));
        append(view, submission(2, 1));
        const std::uint64_t size = view.file().size();
        append(view, submission(3, 1)); // of which only the head got onto the disk
        return size;
    }();
    const std::string path = temp / "root/queue/journal";
    const std::uint64_t end = std::filesystem::file_size(path);
    std::filesystem::resize_file(path, whole - 3);
    std::filesystem::resize_file(path, end);
    QueueView view = opened(root);
    CHECK(view.state().waiting_count() == 1);
    append(view, submission(4, 1));
    CHECK(opened(root).state().waiting_count() == 2);
}

TEST_CASE("a damaged byte is an error of whoever reads or appends, and a repair keeps the rest")
{
    TempFolder temp;
    Root root = open_root(temp / "root");
    BootId boot{};
    boot[0] = 7;
    const std::string path = temp / "root/queue/journal";
    std::vector<std::uint64_t> sizes;
    {
        QueueView view = opened(root, boot);
        for (std::int64_t id = 1; id <= 7; id += 2) {
            append(view, submission(id, 2));
            sizes.push_back(view.file().size());
        }
        append(view, {Claimed{2}, Held{5, true}, Held{5, false}, Dropped{{7, 1}, {}, 0}});
    }
    const std::string bytes = get(path);
    BootId other{};
    // The last byte of the second submission: behind it stand whole records, so that no crash can
    // have cut it off.
    for (const BootId& now : {boot, other}) {
        put_byte(path, sizes[1] - 1, '\x7f');
        const auto view = QueueView::load(root, now);
        REQUIRE_FALSE(view);
        CHECK(view.error().sys_errno == damaged_file);
        CHECK(view.error().message.find(path + " is damaged: the record at byte ") == 0);
        CHECK(view.error().message.find("bgt queue repair") != std::string::npos);
        CHECK(is_queued(root, TaskId{1}, now)); // nobody can tell
        auto file = QueueFile::open(root, true, now);
        REQUIRE(file);
        CHECK_FALSE(file->check());
        CHECK_FALSE(file->append(submission(9, 1), QueueFile::Durability::process));
    }
    SECTION("a record in the middle")
    {
        const auto done = repair_queues(root, boot);
        REQUIRE(done);
        CHECK(done->places == 1);
        CHECK(done->lost_tasks == 0); // the description is there, that they wait is not
        CHECK(done->waiting == 5);
        CHECK(get(done->kept.at(0)).size() == bytes.size());
        const auto view = QueueView::load(root, boot);
        REQUIRE(view);
        CHECK_FALSE(view->is_waiting(TaskId{3}));
        CHECK(view->is_waiting(TaskId{5}));
        CHECK(view->is_waiting(TaskId{2})); // its start may be among what is lost
        CHECK(view->state().why_waiting(2)->held);
        CHECK(view->state().why_waiting(5)->held);
        CHECK(view->dropped_for(TaskId{7}));
        REQUIRE(view->describe(TaskId{6}));
        CHECK(QueueFile::open(root, true, boot)->check());
        CHECK(repair_queues(root, boot)->kept.empty()); // nothing is damaged any more
    }
    SECTION("any byte of the journal")
    {
        for (std::size_t at = 0; at < bytes.size(); ++at) {
            put(path, bytes);
            put_byte(path, at, static_cast<char>(bytes[at] ^ 0x10));
            const auto view = QueueView::load(root, boot);
            INFO(at);
            REQUIRE_FALSE(view);
            CHECK(view.error().sys_errno == damaged_file);
            CHECK(view.error().message.find(path + " is damaged: ") == 0);
            const auto done = repair_queues(root, boot);
            REQUIRE(done);
            CHECK(done->kept.size() == 1);
            CHECK(done->waiting >= 3);
            std::filesystem::remove(done->kept.at(0));
            REQUIRE(QueueView::load(root, boot));
        }
    }
}

TEST_CASE("a description that was damaged after it was read starts nothing else")
{
    TempFolder temp;
    Root root = open_root(temp / "root");
    QueueView view = opened(root);
    append(view, submission(1, 1));
    const std::string path = temp / "root/queue/journal";
    put_byte(path, get(path).find("echo"), 'E');
    const auto task = view.describe(TaskId{1});
    REQUIRE_FALSE(task);
    CHECK(task.error().sys_errno == damaged_file);
}

TEST_CASE("within a boot the end of the journal is not cut off")
{
    TempFolder temp;
    Root root = open_root(temp / "root");
    BootId boot{}, next{};
    boot[0] = 7;
    next[0] = 8;
    const std::string path = temp / "root/queue/journal";
    {
        QueueView view = opened(root, boot);
        append(view, submission(1, 1));
        append(view, submission(2, 1));
    }
    const std::string bytes = get(path);
    for (std::size_t cut = 60; cut < bytes.size(); ++cut) {
        put(path, bytes.substr(0, cut));
        const auto view = QueueView::load(root, boot);
        CHECK_FALSE(view);
        if (!view) CHECK(view.error().sys_errno == damaged_file);
        CHECK(QueueView::load(root, next)); // the machine was started anew since
    }
    // What a killed writer left behind what counts is written over.
    put(path, bytes + "left");
    QueueView view = opened(root, boot);
    append(view, submission(3, 1));
    CHECK(opened(root, boot).state().waiting_count() == 3);
}

TEST_CASE("the settings of the queues and the environment of a task say where they are damaged")
{
    TempFolder temp;
    Root root = open_root(temp / "root");
    QueueView view = opened(root);
    append(view, submission(1, 1));
    put(temp / "root/queue/settings", "{\"queues\": 7}");
    const auto settings = read_settings(view.file());
    REQUIRE_FALSE(settings);
    CHECK(settings.error().message.find((temp / "root/queue/settings") + " is damaged") == 0);
    CHECK(settings.error().message.find("bgt queue repair") != std::string::npos);
    CHECK_FALSE(QueueView::load(root, {}));
    const auto done = repair_queues(root, {});
    REQUIRE(done);
    CHECK(done->kept.size() == 1);
    CHECK(QueueView::load(root, {}));
    QueueContext submitted;
    submitted.env = {"A=1"};
    const auto name = keep_context(view.file(), submitted);
    REQUIRE(name);
    const std::string path = (temp / "root/queue/") + *name;
    const std::string whole = get(path);
    std::string other = whole;
    other[other.find("A=1") + 2] = '2'; // as good as any, and not what was submitted
    for (const std::string& text : {std::string("{"), std::string("7"), other}) {
        put(path, text);
        const auto context = read_context(view.file(), *name);
        REQUIRE_FALSE(context);
        CHECK(context.error().sys_errno == damaged_file);
        CHECK(context.error().message.find(path) == 0);
        CHECK(context.error().message.find("submit it again") != std::string::npos);
        REQUIRE(keep_context(view.file(), submitted)); // whoever submits the same gets it whole
        CHECK(get(path) == whole);
        CHECK(read_context(view.file(), *name)->env == submitted.env);
    }
    put(temp / "root/queue/.new-context-1", "of a submit that was killed");
    clear_contexts(view.file(), {*name});
    CHECK(std::filesystem::exists(path));
    CHECK_FALSE(std::filesystem::exists(temp / "root/queue/.new-context-1"));
    CHECK(read_context(view.file(), "context-1").error().sys_errno == damaged_file);
}

TEST_CASE("a compacted journal amounts to the same")
{
    TempFolder temp;
    Root root = open_root(temp / "root");
    QueueView view = opened(root);
    append(view, submission(1, 5));
    append(view, submission(6, 1));
    append(view, {Claimed{1}, Claimed{2}, Reported{1, core::TaskEventKind::ended_ok}, Held{4, true},
                  Moved{6, Moved::Where::first, 0}, Dropped{{5, 1}, core::Reason::cancelled, 0},
                  Prioritized{3, 7}});
    const auto records = view.compacted();
    REQUIRE(records);
    REQUIRE(view.file().replace(*records));
    const QueueView after = opened(root);
    CHECK(after.state().in_order(10) == view.state().in_order(10));
    CHECK(after.state().in_order(10) == std::vector<std::int64_t>{3, 6, 4});
    CHECK(after.state().running_ids() == std::vector<std::int64_t>{2});
    CHECK(after.dropped_for(TaskId{5}) == core::Reason::cancelled);
    const auto task = after.describe(TaskId{4});
    REQUIRE(task);
    CHECK(task->spec.command == std::vector<std::string>{"echo", "25"});
    CHECK(task->extra_env == std::vector<std::string>{"BGT_ARRAY_INDEX=25"});
    CHECK(after.state().why_waiting(4)->held);
}

TEST_CASE("the journal of another folder does not count")
{
    TempFolder temp;
    Root root = open_root(temp / "root");
    {
        QueueView view = opened(root);
        append(view, submission(1, 1));
    }
    std::filesystem::copy(temp / "root", temp / "copy", std::filesystem::copy_options::recursive);
    ::chmod((temp / "copy").c_str(), 0700);
    Root copy = open_root(temp / "copy");
    const auto file = QueueFile::open(copy, true);
    REQUIRE_FALSE(file);
    CHECK(file.error().message.find("copy") != std::string::npos);
    CHECK_FALSE(is_queued(copy, TaskId{1}, {}));
    CHECK(is_queued(root, TaskId{1}, {}));

    // A repair does not make it one of the copy, if what it says can be told.
    const std::string path = temp / "copy/queue/journal", bytes = get(path);
    for (std::size_t at = 0; at < detail::journal_head_size; ++at) {
        put(path, bytes);
        put_byte(path, at, static_cast<char>(bytes[at] ^ 0x15));
        const auto done = repair_queues(copy, {});
        INFO(at);
        REQUIRE_FALSE(done);
        CHECK(done.error().sys_errno == copied_journal);
    }
    // Where it can't, that is said, and all of it is held.
    put(path,
        std::string(detail::journal_head_size, '\0') + bytes.substr(detail::journal_head_size));
    const auto done = repair_queues(copy, {});
    REQUIRE(done);
    CHECK(done->is_of_unknown_root);
    CHECK(done->waiting == 1);
    CHECK(QueueView::load(copy, {})->state().why_waiting(1)->held);
}

TEST_CASE("a damaged head that still names this folder is this folder's")
{
    TempFolder temp;
    Root root = open_root(temp / "root");
    {
        QueueView view = opened(root);
        append(view, submission(1, 1));
    }
    const std::string path = temp / "root/queue/journal";
    put_byte(path, 0, 'x');
    put_byte(path, 9, '\x7f');
    const auto done = repair_queues(root, {});
    REQUIRE(done);
    CHECK_FALSE(done->is_of_unknown_root);
    CHECK(done->waiting == 1);
}
