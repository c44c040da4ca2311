#pragma once
/// The record `status`: what is true of a task now. Fixed size, allocated before the start and
/// overwritten in place, so that a full disk cannot keep an outcome from being recorded; two slots
/// written in turn, each with a generation and a checksum, so that a reader never sees half a
/// record and a torn write costs nothing.
#include <array>
#include <bgt/base/fd.hpp>
#include <bgt/base/process_key.hpp>
#include <bgt/base/time.hpp>
#include <bgt/core/task.hpp>
#include <bgt/store/task_id.hpp>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace bgt::store {

using bgt::BootId;
using bgt::ProcessKey;
using Secret = std::array<std::uint8_t, 16>; ///< random bytes; all zero: none

struct TallyRow {
    std::int32_t signal = 0;
    std::uint32_t found = 0;
    std::uint32_t ended = 0;
};

/// The record as a value. What does not fit its field is cut (texts at a UTF-8 boundary, lists at
/// their bound).
struct Status {
    core::Lifecycle lifecycle = core::Lifecycle::starting;
    core::Kind kind = core::Kind::job;
    bool adopted = false; ///< its supervisor is not the one that started it
    bool paused = false;
    bool ready = false;
    bool tree_lives = false;   ///< ended, and `--leftover keep` left processes
    bool stdin_closed = false; ///< `bgt send --eof` was said
    bool quiet = false;        ///< notice: no output for HangRules::quiet_after
    bool never_ready = false;  ///< one of its conditions of readiness can no longer be met
    bool stalled = false;      ///< notice: no progress for HangRules::stalled_after, or a hang rule
                               ///< fired that only reports
    bool crash_loop = false;   ///< notice: attempts follow each other fast (core::loop_attempts)
    bool copied =
        false; ///< lost: its folder is a copy, the task belonged to the folder it was copied from
    bool watch_paused = false; ///< `bgt pause --watch`: changes of its files are kept for later
    bool watch_polls = false;  ///< inotify can't tell of all its files: bgt looks once a second
    std::uint32_t attempt = 1;
    core::Outcome outcome; ///< kind none until ended; `reason` is valid from `stopping` on
    BootId boot{};
    ProcessKey main_process; ///< the main process; pid 0 before it started
    ProcessKey supervisor;
    WallTime created{};
    std::optional<WallTime> started;
    std::optional<WallTime> ended;
    std::optional<Instant> started_at; ///< of `boot`'s monotonic clock
    std::optional<Instant> ended_at;
    std::optional<Instant> kill_by; ///< stopping: when SIGKILL comes at the latest
    std::uint64_t dropped_bytes =
        0; ///< output that never reached the log (disk full), out and err together
    std::uint64_t freed_bytes = 0;       ///< head of out.log given back (`--log-max`)
    std::uint64_t freed_err_bytes = 0;   ///< head of err.log with --split
    std::vector<TallyRow> tally;         ///< what each step of the stop ladder ended; at most 9
    std::vector<std::int32_t> survivors; ///< pids that SIGKILL has not ended (state D); at most 16
    std::string name;                    ///< at most 64 bytes
    std::string command;            ///< for tables: the command line, quoted, at most 255 bytes
    std::string text;               ///< STATUS= of sd_notify, at most 127 bytes
    std::optional<double> progress; ///< 0..1
    core::Activity activity = core::Activity::unknown; ///< as of the supervisor's last look;
                                                       ///< unknown while nothing needs one
    std::string step;                     ///< what it is at ("linking"), at most 63 bytes
    std::uint32_t total_steps = 0;        ///< 0: not known
    std::optional<WallTime> next_attempt; ///< backing-off: when it is started again
    std::optional<WallTime> attempt_started;
    std::optional<WallTime> ready_at;
    Secret secret{}; ///< of which the marks of its processes are made (make_marks); an older bgt
                     ///< wrote none
    Duration cpu_used{}; ///< by all attempts, as of the last sample; for HangRules::cpu
};

inline constexpr std::size_t status_slot_size = 1024;
inline constexpr std::size_t status_file_size = 2 * status_slot_size;

/// One slot: little-endian, fixed offsets, "BGTS", schema, the oldest schema that can read it, size
/// of the fields in use, generation, CRC-32C at its end. A reader takes the fields it knows; fields
/// that a shorter (older) record lacks keep their defaults.
std::array<std::byte, status_slot_size> encode_status(const Status&, std::uint64_t generation);
/// Gives a slot its generation and its checksum.
void sign_slot(std::array<std::byte, status_slot_size>&, std::uint64_t generation) noexcept;

struct DecodedStatus {
    Status status;
    std::uint64_t generation = 0;
};
/// The newer of the two slots that is whole. Error (failed): neither is, with what is wrong (too
/// short, checksum, made by a newer schema).
Result<DecodedStatus> decode_status(std::span<const std::byte> file);

/// The record of a command that is about to be executed, encoded beforehand for the child of
/// vfork(2), which may neither allocate nor lock. Its methods are async-signal-safe and change
/// nothing but this value and the file.
class StartRecord {
public:
    /// Writes it, with this main process: the task runs. 0 or the errno.
    int write(std::int32_t pid, std::uint64_t start_ticks) noexcept;
    /// Takes that back: the command could not be executed, the task is `starting` again. 0 or the
    /// errno.
    int take_back() noexcept;

private:
    friend class StatusWriter;
    int write_next() noexcept;

    int fd_ = -1;                  ///< the writer's
    std::uint64_t generation_ = 0; ///< of the last record in the file
    std::array<std::byte, status_slot_size> slot_{};
};

/// The writer's side. One writer at a time: the holder of the task's lock.
class StatusWriter {
public:
    StatusWriter() = default;
    /// Creates `status` in the folder with both slots allocated (man 2 fallocate). Error: no space,
    /// exists.
    static Result<StatusWriter> create(int task_dir_fd, const Status& first);
    /// Opens an existing one to go on after its newest generation, which goes to `newest`, where
    /// that is given.
    static Result<StatusWriter> open(int task_dir_fd, Status* newest = nullptr);
    /// One pwrite of one slot. Readers see the old or the new record.
    Result<void> write(const Status&);

    /// To be written in this writer's place, while it writes nothing itself. The status says
    /// `running`, without pid.
    StartRecord prepare_start(const Status&) const;
    /// Goes on after what was written in its place.
    void go_on_after(const StartRecord& record) { generation_ = record.generation_; }

private:
    Fd fd_;
    std::uint64_t generation_ = 0;
};

/// | the task                                 | is_over | is_final |
/// | ---------------------------------------- | ------- | -------- |
/// | has not ended                            | no      | no       |
/// | has ended, and `--leftover keep` left processes | yes | no     |
/// | has ended, nothing of it lives           | yes     | yes      |
/// The outcome is known. What is final never changes again, and nobody supervises it.
inline bool is_over(const Status& status)
{
    return status.lifecycle == core::Lifecycle::ended;
}
/// Whether the command has been executed, in this attempt or one before.
inline bool was_started(const Status& status)
{
    return status.main_process.pid != 0 || status.attempt > 1;
}
inline bool is_final(const Status& status)
{
    return is_over(status) && !status.tree_lives;
}

/// Reads the status in the folder. Error: missing (not_found), damaged.
Result<Status> read_status(int task_dir_fd);
/// The same for tasks/<id> below the root's descriptor (Root::fd()): three system calls, so that a
/// listing of thousands need not open their folders.
Result<Status> read_status_at(int root_fd, TaskId id);
/// Of a record that is open for reading: also when its task has been removed meanwhile, and then
/// the last one it had.
Result<Status> read_open_status(int status_fd);

} // namespace bgt::store
