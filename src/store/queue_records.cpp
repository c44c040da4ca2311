#include <bgt/store/queue_records.hpp>

#include "queue_record_fields.hpp"

#include <bgt/base/overload.hpp>
#include <bgt/store/queue_settings.hpp>
#include <bgt/store/schedule_book.hpp>

#include <algorithm>

namespace bgt::store {
namespace {

using detail::ByteReader;
using detail::ByteWriter;
using detail::take_enum;

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
    scheduled = 11,
    unscheduled = 12,
    schedule_paused = 13,
    schedule_occurred = 14,
    clock_set_back = 15,
    schedule_kept = 16,
    published = 17,
};

using detail::put;
using detail::put_range;
using detail::take_range;
using detail::take_tasks;

void put_described(ByteWriter& out, const Described& described)
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

/// They are printed, and only names that were checked are ever written.
bool has_good_names(const core::WaitingTasks& tasks)
{
    return check_queue_name(tasks.queue) && std::ranges::all_of(tasks.needs, [](const auto& need) {
               return check_queue_name(need.name).operator bool();
           });
}

bool has_good_names(const QueueRecord& record)
{
    if (const auto* submitted = std::get_if<Submitted>(&record))
        return has_good_names(submitted->tasks);
    if (const auto* scheduled = std::get_if<Scheduled>(&record))
        return check_schedule_name(scheduled->name) && has_good_names(scheduled->tasks);
    return true;
}

/// Type and fields of every kind.
std::string encode_fields(Type type, const auto& fields)
{
    ByteWriter out;
    out.number(static_cast<std::uint64_t>(type));
    fields(out);
    return out.take();
}

std::string encode_put(Type type, const auto& record)
{
    return encode_fields(type, [&](ByteWriter& out) { detail::put(out, record); });
}

std::string encode_id(Type type, std::int64_t id)
{
    return encode_fields(type, [&](ByteWriter& out) { out.whole(id); });
}

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
    case Type::published: return Published{in.whole()};
    case Type::told: {
        const std::int64_t id = in.whole();
        return Reported{id, take_enum(in, known, detail::task_events)};
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
    case Type::scheduled: return detail::take_scheduled(in, known);
    case Type::unscheduled: return Unscheduled{in.whole()};
    case Type::schedule_paused: return detail::take_schedule_paused(in);
    case Type::schedule_occurred: return detail::take_schedule_occurred(in, known);
    case Type::clock_set_back: return ClockSetBack{detail::take_wall_time(in)};
    case Type::schedule_kept: return detail::take_schedule_kept(in, known);
    }
    return std::nullopt;
}

} // namespace

std::string encode_record(const QueueRecord& record)
{
    return std::visit(
        Overload{
            [](const Described& r) {
                return encode_fields(Type::described,
                                     [&](ByteWriter& out) { put_described(out, r); });
            },
            [](const Submitted& r) {
                return encode_fields(Type::submitted, [&](ByteWriter& out) {
                    put(out, r.tasks);
                    out.whole(r.described_by);
                });
            },
            [](const Claimed& r) { return encode_id(Type::claimed, r.id); },
            [](const PutBack& r) { return encode_id(Type::put_back, r.id); },
            [](const Published& r) { return encode_id(Type::published, r.id); },
            [](const Reported& r) {
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
                return encode_fields(Type::closed,
                                     [&](ByteWriter& out) { put_range(out, r.tasks); });
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
            [](const Unscheduled& r) { return encode_id(Type::unscheduled, r.id); },
            [](const Scheduled& r) { return encode_put(Type::scheduled, r); },
            [](const SchedulePaused& r) { return encode_put(Type::schedule_paused, r); },
            [](const ScheduleOccurred& r) { return encode_put(Type::schedule_occurred, r); },
            [](const ClockSetBack& r) { return encode_put(Type::clock_set_back, r); },
            [](const ScheduleKept& r) { return encode_put(Type::schedule_kept, r); },
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
    if (!in.good() || !has_good_names(*record))
        return Error{ErrorKind::failed,
                     "the queue's journal holds a damaged record: bgt queue repair keeps the rest",
                     damaged_file};
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
