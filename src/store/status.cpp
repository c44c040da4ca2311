// The record itself; reading and writing the file is status_file.cpp.
#include <bgt/store/status.hpp>

#include "crc32c.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <type_traits>

namespace bgt::store {
namespace {

// Offsets of the head of a slot. They and the place of the checksum hold for every schema there
// will ever be.
constexpr std::string_view magic = "BGTS";
constexpr std::size_t at_schema = 4;      // u16: the schema it was written by
constexpr std::size_t at_readable = 6;    // u16: the oldest schema whose reader understands it
constexpr std::size_t at_size = 8;        // u32: bytes in use, head included
constexpr std::size_t at_generation = 16; // u64
constexpr std::size_t at_fields = 24;
constexpr std::size_t at_checksum = status_slot_size - 4;
// Of the fields, those that StartRecord fills in (each_field below lays them there; a test holds it
// to that).
constexpr std::size_t at_lifecycle = 24;  // u8
constexpr std::size_t at_main_pid = 64;   // i32
constexpr std::size_t at_main_start = 72; // u64
/// One more with each field or enumerator that is added. 2: Reason::cpu_limit, cpu_used. 3: the
/// reasons of tasks that waited and were not started.
constexpr std::uint16_t schema = 3;
constexpr std::uint16_t readable_since =
    1; ///< the oldest schema whose reader understands what is written now

constexpr std::size_t max_tally = 9;
constexpr std::size_t max_survivors = 16;
constexpr std::int64_t no_time = std::numeric_limits<std::int64_t>::min();
/// 146 years before and after 1970, or the boot: whatever a record says, the difference of two
/// times can be told.
constexpr std::int64_t farthest_time = std::int64_t{1} << 62;

template <class T>
void store_le(std::byte* to, T value) // this machine is little-endian: crc32c.hpp asserts it
{
    std::memcpy(to, &value, sizeof value);
}

template <class T>
T load_le(const std::byte* from)
{
    T value{};
    std::memcpy(&value, from, sizeof value);
    return value;
}

/// At most `most` bytes of the text, none of its UTF-8 sequences split.
std::string_view cut(std::string_view text, std::size_t most)
{
    if (text.size() <= most) return text;
    std::size_t end = most;
    while (end > 0 && most - end < 3 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80)
        --end;
    return text.substr(0, end);
}

/// Lays the fields down one after the other.
class Writer {
public:
    explicit Writer(std::byte* slot) : slot_(slot) {}
    std::size_t used() const { return at_; }

    template <class T>
    void number(T value)
    {
        store_le(slot_ + at_, value);
        at_ += sizeof value;
    }
    template <class E, class List>
    void enumerator(E value, const List&)
    {
        number(static_cast<std::uint8_t>(value));
    }
    template <class... Flags>
    void flags(const Flags&... set)
    {
        std::uint32_t bits = 0;
        std::uint32_t bit = 1;
        ((bits |= set ? bit : 0u, bit <<= 1), ...);
        number(bits);
    }
    template <class Time>
    void time(const Time& t)
    {
        number<std::int64_t>(t.time_since_epoch().count());
    }
    template <class Time>
    void time(const std::optional<Time>& t)
    {
        number<std::int64_t>(t ? t->time_since_epoch().count() : no_time);
    }
    void duration(Duration value) { number<std::int64_t>(value.count()); }
    void fraction(const std::optional<double>& value)
    {
        number(value.value_or(std::numeric_limits<double>::quiet_NaN()));
    }
    void text(const std::string& whole, std::size_t most)
    {
        const std::string_view kept = cut(whole, most);
        number(static_cast<std::uint8_t>(kept.size()));
        std::memcpy(slot_ + at_, kept.data(), kept.size());
        at_ += most;
    }
    template <class T, class Each>
    void list(const std::vector<T>& items, std::size_t most, std::size_t item_size, Each each)
    {
        const std::size_t count = std::min(items.size(), most);
        number(static_cast<std::uint8_t>(count));
        const std::size_t end = at_ + most * item_size;
        for (std::size_t i = 0; i < count; ++i) each(*this, items[i]);
        at_ = end;
    }

private:
    std::byte* slot_;
    std::size_t at_ = at_fields;
};

/// Takes the fields up in the same order; those beyond the end of what was written keep their
/// defaults.
class Reader {
public:
    Reader(const std::byte* slot, std::size_t size) : slot_(slot), size_(size) {}
    bool unknown_value() const { return unknown_value_; }

    template <class T>
    void number(T& value)
    {
        if (const std::byte* from = take(sizeof value)) value = load_le<T>(from);
    }
    template <class E, class List>
    void enumerator(E& value, const List& known)
    {
        std::uint8_t raw = static_cast<std::uint8_t>(value);
        number(raw);
        if (const auto found = core::by_number(known, raw)) value = *found;
        else unknown_value_ = true;
    }
    template <class... Flags>
    void flags(Flags&... set)
    {
        const std::byte* from = take(sizeof(std::uint32_t));
        if (!from) return;
        const auto bits = load_le<std::uint32_t>(from);
        std::uint32_t bit = 1;
        ((set = (bits & bit) != 0, bit <<= 1), ...);
    }
    template <class Time>
    void time(Time& t)
    {
        std::int64_t raw = t.time_since_epoch().count();
        number(raw);
        t = Time(Duration(std::clamp(raw, -farthest_time, farthest_time - 1)));
    }
    template <class Time>
    void time(std::optional<Time>& t)
    {
        std::int64_t raw = no_time;
        number(raw);
        if (raw != no_time) t = Time(Duration(std::clamp(raw, -farthest_time, farthest_time - 1)));
    }
    void duration(Duration& value)
    {
        std::int64_t raw = value.count();
        number(raw);
        value = Duration(std::clamp<std::int64_t>(raw, 0, farthest_time - 1));
    }
    void fraction(std::optional<double>& value)
    {
        double raw = std::numeric_limits<double>::quiet_NaN();
        number(raw);
        if (raw >= 0 && raw <= 1) value = raw; // NaN: not known
    }
    void text(std::string& value, std::size_t most)
    {
        const std::byte* from = take(1 + most);
        if (!from) return;
        const std::size_t size = std::min<std::size_t>(load_le<std::uint8_t>(from), most);
        value.assign(reinterpret_cast<const char*>(from + 1), size);
    }
    template <class T, class Each>
    void list(std::vector<T>& items, std::size_t most, std::size_t item_size, Each each)
    {
        const std::byte* from = take(1 + most * item_size);
        if (!from) return;
        Reader inside(from + 1, most * item_size);
        inside.at_ = 0;
        items.resize(std::min<std::size_t>(load_le<std::uint8_t>(from), most));
        for (T& item : items) each(inside, item);
    }

private:
    const std::byte* take(std::size_t size)
    {
        if (at_ > size_ || size > size_ - at_) {
            at_ = size_; // a later, smaller field must not be read from this one's bytes
            return nullptr;
        }
        at_ += size;
        return slot_ + at_ - size;
    }

    const std::byte* slot_;
    std::size_t size_;
    std::size_t at_ = at_fields;
    bool unknown_value_ = false;
};

/// The order and the widths of the fields: only ever append (a flag to the flags, a field at the
/// end).
template <class Io, class S>
void each_field(Io& io, S& s)
{
    io.enumerator(s.lifecycle, core::lifecycles);
    io.enumerator(s.kind, core::kinds);
    io.enumerator(s.outcome.kind, core::outcome_kinds);
    io.enumerator(s.outcome.reason, core::reasons);
    io.flags(s.adopted, s.paused, s.ready, s.tree_lives, s.stdin_closed, s.quiet, s.stalled,
             s.never_ready, s.copied, s.crash_loop, s.watch_paused, s.watch_polls);
    io.number(s.attempt);
    io.number(s.outcome.code);
    io.number(s.outcome.signal);
    io.number(s.outcome.leftover_killed);
    io.number(s.boot);
    io.number(s.main_process.pid);
    io.number(s.supervisor.pid);
    io.number(s.main_process.start_ticks);
    io.number(s.supervisor.start_ticks);
    io.time(s.created);
    io.time(s.started);
    io.time(s.ended);
    io.time(s.started_at);
    io.time(s.ended_at);
    io.time(s.kill_by);
    io.number(s.dropped_bytes);
    io.number(s.freed_bytes);
    io.number(s.freed_err_bytes);
    io.fraction(s.progress);
    io.list(s.tally, max_tally, 12, [](auto& row_io, auto& row) {
        row_io.number(row.signal);
        row_io.number(row.found);
        row_io.number(row.ended);
    });
    io.list(s.survivors, max_survivors, 4, [](auto& pid_io, auto& pid) { pid_io.number(pid); });
    io.text(s.name, 64);
    io.text(s.command, 255);
    io.text(s.text, 127);
    io.enumerator(s.activity, core::activities);
    io.text(s.step, 63);
    io.number(s.total_steps);
    io.time(s.next_attempt);
    io.time(s.attempt_started);
    io.time(s.ready_at);
    io.number(s.secret);
    io.duration(s.cpu_used);
}
static_assert(sizeof(int) == 4 && sizeof(BootId) == 16 && sizeof(Secret) == 16 &&
              sizeof(TallyRow) == 12);

bool is_whole(std::span<const std::byte> slot)
{
    return std::memcmp(slot.data(), magic.data(), magic.size()) == 0 &&
           load_le<std::uint32_t>(slot.data() + at_checksum) ==
               detail::crc32c(slot.first(at_checksum));
}

Result<DecodedStatus> decode_slot(std::span<const std::byte> slot)
{
    const auto written_by = load_le<std::uint16_t>(slot.data() + at_schema);
    const auto readable_by = load_le<std::uint16_t>(slot.data() + at_readable);
    const std::size_t size = load_le<std::uint32_t>(slot.data() + at_size);
    if (readable_by > schema)
        return Error::failed("the status record was written by a newer bgt (schema " +
                             std::to_string(written_by) + ", this one reads " +
                             std::to_string(schema) + "): use that bgt");
    if (size < at_fields || size > at_checksum)
        return Error::failed("the status record is damaged (impossible size)");
    DecodedStatus decoded;
    decoded.generation = load_le<std::uint64_t>(slot.data() + at_generation);
    Reader reader(slot.data(), size);
    each_field(reader, decoded.status);
    const std::string& name = decoded.status.name;
    if (!name.empty() && !check_name(name))
        return Error::failed("the status record is damaged (its name is not valid)");
    if (reader.unknown_value())
        return Error::failed("the status record holds a value that this bgt does not know: a newer "
                             "bgt wrote it, use that one");
    Status& status = decoded.status;
    // An older bgt called it so between two attempts. What waits for its start has no supervisor.
    if (status.lifecycle == core::Lifecycle::queued && status.supervisor.pid != 0)
        status.lifecycle = core::Lifecycle::backing_off;
    return decoded;
}

} // namespace

std::array<std::byte, status_slot_size> encode_status(const Status& status,
                                                      std::uint64_t generation)
{
    std::array<std::byte, status_slot_size> slot{};
    Writer writer(slot.data());
    each_field(writer, status);
    std::memcpy(slot.data(), magic.data(), magic.size());
    store_le(slot.data() + at_schema, schema);
    store_le(slot.data() + at_readable, readable_since);
    store_le(slot.data() + at_size, static_cast<std::uint32_t>(writer.used()));
    sign_slot(slot, generation);
    return slot;
}

void sign_slot(std::array<std::byte, status_slot_size>& slot, std::uint64_t generation) noexcept
{
    store_le(slot.data() + at_generation, generation);
    store_le(slot.data() + at_checksum, detail::crc32c(std::span(slot).first(at_checksum)));
}

int StartRecord::write(std::int32_t pid, std::uint64_t start_ticks) noexcept
{
    store_le(slot_.data() + at_main_pid, pid);
    store_le(slot_.data() + at_main_start, start_ticks);
    return write_next();
}

int StartRecord::take_back() noexcept
{
    store_le(slot_.data() + at_lifecycle, static_cast<std::uint8_t>(core::Lifecycle::starting));
    return write(0, 0);
}

Result<DecodedStatus> decode_status(std::span<const std::byte> file)
{
    if (file.size() < status_slot_size)
        return Error::failed("the status record is damaged (" + std::to_string(file.size()) +
                             " bytes, too short)");
    auto newer = file.first(status_slot_size);
    if (file.size() < status_file_size) {
        if (!is_whole(newer))
            return Error::failed(
                "the status record is damaged (too short, and its checksum is wrong)");
        return decode_slot(newer);
    }
    auto older = file.subspan(status_slot_size, status_slot_size);
    const auto generation = [](std::span<const std::byte> slot) {
        return load_le<std::uint64_t>(slot.data() + at_generation);
    };
    if (generation(older) > generation(newer)) std::swap(newer, older);
    if (is_whole(newer)) return decode_slot(newer); // nearly always: one checksum, not two
    if (is_whole(older)) return decode_slot(older);
    return Error::failed("the status record is damaged (checksums of both slots are wrong)");
}

} // namespace bgt::store
