// The journal of waiting tasks: what is written is read, whatever happens to the end of the file.
#include "support/catch.hpp"
#include "temp_folder.hpp"

#include <bgt/store/queue_view.hpp>

#include <filesystem>
#include <fstream>
#include <sys/stat.h>

using namespace bgt;
using namespace bgt::store;
using namespace bgt::store::test;

namespace {

core::WaitingTasks tasks(std::int64_t first, std::uint32_t count)
{
    core::WaitingTasks out;
    out.first = first;
    out.count = count;
    return out;
}

/// A submission of `count` tasks, as ops::submit writes it.
std::vector<QueueRecord> submission(std::int64_t first, std::uint32_t count)
{
    TaskSpec spec;
    spec.id = TaskId{first};
    spec.command = {"echo", "{}"};
    spec.cwd = "/";
    Described described;
    described.key = first;
    described.spec = encode_spec(spec);
    described.context = "context-0";
    described.index_first = 10;
    described.index_step = 5;
    return {described, Submitted{tasks(first, count), first}};
}

QueueView opened(const Root& root)
{
    auto file = QueueFile::open(root, true);
    if (!file) FAIL(file.error().message);
    QueueView view(*std::move(file));
    if (auto read = view.update(); !read) FAIL(read.error().message);
    return view;
}

void append(QueueView& view, const std::vector<QueueRecord>& records)
{
    if (auto done = view.append(records, QueueFile::Durability::process); !done)
        FAIL(done.error().message);
}

} // namespace

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

TEST_CASE("a damaged byte costs what comes after it, and nothing before")
{
    TempFolder temp;
    Root root = open_root(temp / "root");
    std::uint64_t first = 0;
    {
        QueueView view = opened(root);
        append(view, submission(1, 1));
        first = view.file().size();
        append(view, submission(2, 1));
    }
    std::fstream file(temp / "root/queue/journal", std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(first) + 12);
    file.put('\x7f');
    file.close();
    CHECK(opened(root).state().waiting_count() == 1);
}

TEST_CASE("a compacted journal amounts to the same")
{
    TempFolder temp;
    Root root = open_root(temp / "root");
    QueueView view = opened(root);
    append(view, submission(1, 5));
    append(view, submission(6, 1));
    append(view, {Claimed{1}, Claimed{2}, Told{1, core::TaskEventKind::ended_ok}, Held{4, true},
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
    CHECK_FALSE(is_queued(copy, TaskId{1}));
    CHECK(is_queued(root, TaskId{1}));
}
