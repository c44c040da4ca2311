#include <bgt/store/queue_records.hpp>

#include "byte_text.hpp"

#include <bgt/base/overload.hpp>

namespace bgt::store {
namespace {

using detail::ByteReader;
using detail::ByteWriter;

/// The first byte of a record. Append only.
enum class Type : std::uint8_t {
    described = 1,
    submitted = 2,
    claimed = 3,
    put_back = 4,
    told = 5,
    dropped = 6,
    closed = 7,
    held = 8,
    prioritized = 9,
    moved = 10,
};

constexpr std::uint64_t max_tasks = 1u << 24; ///< of one record

void put_range(ByteWriter& out, const core::TaskRange& range)
{
    out.whole(range.first);
    out.number(range.count);
}

core::TaskRange take_range(ByteReader& in)
{
    core::TaskRange range;
    range.first = in.whole();
    range.count = static_cast<std::uint32_t>(std::min(in.number(), max_tasks));
    return range;
}

void put_time(ByteWriter& out, const std::optional<WallTime>& time)
{
    out.whole(time ? time->time_since_epoch().count() : 0);
}

std::optional<WallTime> take_time(ByteReader& in)
{
    const std::int64_t count = in.whole();
    return count != 0 ? std::optional(WallTime(Duration(count))) : std::nullopt;
}

void put(ByteWriter& out, const core::WaitingTasks& tasks)
{
    put_range(out, {tasks.first, tasks.count});
    out.number((tasks.held ? 1u : 0u) | (tasks.hold_on_failure ? 2u : 0u) |
               (tasks.order ? 4u : 0u));
    out.text(tasks.queue == "default" ? std::string_view() : tasks.queue);
    out.whole(tasks.priority);
    out.number(tasks.slots);
    out.number(tasks.needs.size());
    for (const core::Amount& need : tasks.needs) {
        out.text(need.name);
        out.number(need.amount);
    }
    out.number(tasks.after.size());
    for (const core::Dependency& dependency : tasks.after) {
        out.whole(dependency.task);
        out.number(static_cast<std::uint64_t>(dependency.on));
    }
    out.text(tasks.key);
    out.number(tasks.max_running);
    out.whole(tasks.array);
    if (tasks.order) out.whole(*tasks.order);
    put_time(out, tasks.not_before);
    put_time(out, tasks.expires);
}

core::WaitingTasks take_tasks(ByteReader& in)
{
    core::WaitingTasks tasks;
    const core::TaskRange range = take_range(in);
    tasks.first = range.first;
    tasks.count = range.count;
    const std::uint64_t flags = in.number();
    tasks.held = (flags & 1) != 0;
    tasks.hold_on_failure = (flags & 2) != 0;
    if (const std::string queue = in.text(); !queue.empty()) tasks.queue = queue;
    tasks.priority = static_cast<std::int32_t>(in.whole());
    tasks.slots = static_cast<std::uint32_t>(in.number());
    tasks.needs.resize(in.count());
    for (core::Amount& need : tasks.needs) {
        need.name = in.text();
        need.amount = in.number();
    }
    tasks.after.resize(in.count());
    for (core::Dependency& dependency : tasks.after) {
        dependency.task = in.whole();
        dependency.on = static_cast<core::DependsOn>(std::min<std::uint64_t>(in.number(), 4));
    }
    tasks.key = in.text();
    tasks.max_running = static_cast<std::uint32_t>(in.number());
    tasks.array = in.whole();
    if ((flags & 4) != 0) tasks.order = in.whole();
    tasks.not_before = take_time(in);
    tasks.expires = take_time(in);
    return tasks;
}

void put(ByteWriter& out, const Described& described)
{
    out.whole(described.key);
    out.whole(described.like);
    out.text(described.spec);
    out.text(described.context);
    out.text(described.changes);
    out.whole(described.index_first);
    out.whole(described.index_step);
    out.whole(described.submitted_ns);
    out.number(described.texts.size());
    for (const std::string& text : described.texts) out.text(text);
}

Described take_described(ByteReader& in)
{
    Described described;
    described.key = in.whole();
    described.like = in.whole();
    described.spec = in.text();
    described.context = in.text();
    described.changes = in.text();
    described.index_first = in.whole();
    described.index_step = in.whole();
    described.submitted_ns = in.whole();
    described.texts.resize(in.count());
    for (std::string& text : described.texts) text = in.text();
    return described;
}

/// Type and fields of every kind.
std::string encode_fields(Type type, const auto& fields)
{
    ByteWriter out;
    out.number(static_cast<std::uint64_t>(type));
    fields(out);
    return out.take();
}

std::string encode_id(Type type, std::int64_t id)
{
    return encode_fields(type, [&](ByteWriter& out) { out.whole(id); });
}

template <class Enum, std::size_t Size>
Enum take_enum(ByteReader& in, bool& known, const std::array<Enum, Size>& all)
{
    const auto value = core::by_number(all, static_cast<std::int64_t>(in.number()));
    if (!value) known = false;
    return value.value_or(all[0]);
}

constexpr std::array events{core::TaskEventKind::started, core::TaskEventKind::ready,
                            core::TaskEventKind::ended_ok, core::TaskEventKind::ended_not_ok,
                            core::TaskEventKind::never_started};
constexpr std::array places{Moved::Where::first, Moved::Where::last, Moved::Where::before};

/// nullopt: no such type.
std::optional<QueueRecord> take_record(ByteReader& in, bool& known)
{
    switch (static_cast<Type>(in.number())) {
    case Type::described: return take_described(in);
    case Type::submitted: {
        core::WaitingTasks tasks = take_tasks(in);
        return Submitted{std::move(tasks), in.whole()};
    }
    case Type::claimed: return Claimed{in.whole()};
    case Type::put_back: return PutBack{in.whole()};
    case Type::told: {
        const std::int64_t id = in.whole();
        return Told{id, take_enum(in, known, events)};
    }
    case Type::dropped: {
        const core::TaskRange range = take_range(in);
        const core::Reason reason = take_enum(in, known, core::reasons);
        return Dropped{range, reason, in.whole()};
    }
    case Type::closed: return Closed{take_range(in)};
    case Type::held: {
        const std::int64_t id = in.whole();
        return Held{id, in.number() != 0};
    }
    case Type::prioritized: {
        const std::int64_t id = in.whole();
        return Prioritized{id, static_cast<std::int32_t>(in.whole())};
    }
    case Type::moved: {
        const std::int64_t id = in.whole();
        const Moved::Where where = take_enum(in, known, places);
        return Moved{id, where, in.whole()};
    }
    }
    return std::nullopt;
}

} // namespace

std::string encode_record(const QueueRecord& record)
{
    return std::visit(Overload{
                          [](const Described& r) {
                              return encode_fields(Type::described,
                                                   [&](ByteWriter& out) { put(out, r); });
                          },
                          [](const Submitted& r) {
                              return encode_fields(Type::submitted, [&](ByteWriter& out) {
                                  put(out, r.tasks);
                                  out.whole(r.described_by);
                              });
                          },
                          [](const Claimed& r) { return encode_id(Type::claimed, r.id); },
                          [](const PutBack& r) { return encode_id(Type::put_back, r.id); },
                          [](const Told& r) {
                              return encode_fields(Type::told, [&](ByteWriter& out) {
                                  out.whole(r.id);
                                  out.number(static_cast<std::uint64_t>(r.what));
                              });
                          },
                          [](const Dropped& r) {
                              return encode_fields(Type::dropped, [&](ByteWriter& out) {
                                  put_range(out, r.tasks);
                                  out.number(static_cast<std::uint64_t>(r.reason));
                                  out.whole(r.described_by);
                              });
                          },
                          [](const Closed& r) {
                              return encode_fields(
                                  Type::closed, [&](ByteWriter& out) { put_range(out, r.tasks); });
                          },
                          [](const Held& r) {
                              return encode_fields(Type::held, [&](ByteWriter& out) {
                                  out.whole(r.id);
                                  out.number(r.held ? 1 : 0);
                              });
                          },
                          [](const Prioritized& r) {
                              return encode_fields(Type::prioritized, [&](ByteWriter& out) {
                                  out.whole(r.id);
                                  out.whole(r.priority);
                              });
                          },
                          [](const Moved& r) {
                              return encode_fields(Type::moved, [&](ByteWriter& out) {
                                  out.whole(r.id);
                                  out.number(static_cast<std::uint64_t>(r.where));
                                  out.whole(r.other);
                              });
                          },
                      },
                      record);
}

Result<QueueRecord> decode_record(std::string_view bytes)
{
    ByteReader in(bytes);
    bool known = true;
    std::optional<QueueRecord> record = take_record(in, known);
    if (!record || !known || (in.good() && !in.at_end()))
        return Error::failed("the queue's journal holds a record that this bgt does not know: a "
                             "newer bgt wrote it, use that one");
    if (!in.good()) return Error::failed("the queue's journal holds a damaged record");
    return *std::move(record);
}

std::optional<std::int64_t> description_key(std::string_view bytes)
{
    ByteReader in(bytes);
    if (static_cast<Type>(in.number()) != Type::described) return std::nullopt;
    const std::int64_t key = in.whole();
    return in.good() ? std::optional(key) : std::nullopt;
}

} // namespace bgt::store
