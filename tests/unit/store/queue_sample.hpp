#pragma once
/// Journals of waiting tasks, written in a few lines.
#include "support/catch.hpp"
#include "temp_folder.hpp"

#include <bgt/store/queue_view.hpp>

#include <fstream>

namespace bgt::store::test {

inline core::WaitingTasks tasks(std::int64_t first, std::uint32_t count)
{
    core::WaitingTasks out;
    out.first = first;
    out.count = count;
    return out;
}

/// A submission of `count` tasks, as ops::submit writes it.
inline std::vector<QueueRecord> submission(std::int64_t first, std::uint32_t count)
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

inline QueueView opened(const Root& root, const BootId& boot = {})
{
    auto file = QueueFile::open(root, true, boot);
    if (!file) FAIL(file.error().message);
    QueueView view(*std::move(file));
    if (auto read = view.update(); !read) FAIL(read.error().message);
    return view;
}

inline void put_byte(const std::string& path, std::uint64_t at, char byte)
{
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(at));
    file.put(byte);
}

inline void append(QueueView& view, const std::vector<QueueRecord>& records)
{
    if (auto done = view.append(records, QueueFile::Durability::process); !done)
        FAIL(done.error().message);
}

} // namespace bgt::store::test
