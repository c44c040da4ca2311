#include <bgt/store/queue_repair.hpp>

#include "files.hpp"
#include "queue_format.hpp"

#include <bgt/store/queue_settings.hpp>
#include <bgt/store/queue_view.hpp>

#include <algorithm>
#include <array>
#include <fcntl.h>
#include <iterator>
#include <map>
#include <set>
#include <unistd.h>

namespace bgt::store {
namespace {

using detail::journal_frame_size;
using detail::journal_head_size;

constexpr const char* journal_name = "journal";
constexpr const char* settings_name = "settings";
constexpr std::size_t max_journal_size = 1u << 30;
/// Bytes that are looked at to find the next whole record: a made-up journal costs no more.
constexpr std::uint64_t max_search = 1u << 30;

struct Readable {
    std::vector<QueueRecord> records;
    std::size_t places = 0;
    std::uint64_t lost_bytes = 0;
    bool is_of_unknown_root = false;
};

/// Where the next whole record begins behind what is damaged at `at`; the end: there is none.
std::size_t next_record(std::string_view bytes, std::size_t at, std::uint64_t& searched)
{
    // Most often the frame is whole and its record is not.
    if (const auto size = detail::framed_size(bytes.substr(at))) {
        const std::size_t next = at + journal_frame_size + *size;
        if (next == bytes.size() || (next < bytes.size() && detail::framed(bytes.substr(next))))
            return next;
    }
    for (++at; at < bytes.size(); ++at) {
        const auto size = detail::framed_size(bytes.substr(at));
        if (!size || *size > bytes.size() - at - journal_frame_size) continue;
        searched += *size;
        if (searched > max_search) return bytes.size();
        if (detail::framed(bytes.substr(at))) return at;
    }
    return at;
}

/// `end` is what counts by the head: a killed writer may have left more behind that. 0: the head
/// itself is damaged.
Result<Readable> read_all(std::string_view bytes, std::uint64_t end)
{
    std::uint64_t searched = 0;
    Readable out, counted;
    bool is_end_known = false;
    for (std::size_t at = journal_head_size; at < bytes.size();) {
        if (at == end) {
            counted = out;
            is_end_known = true;
        }
        if (const auto record = detail::framed(bytes.substr(at))) {
            Result<QueueRecord> decoded = decode_record(*record);
            if (!decoded && decoded.error().sys_errno != damaged_file) return decoded.error();
            at += journal_frame_size + record->size();
            if (decoded) {
                out.records.push_back(*std::move(decoded));
            } else {
                ++out.places;
                out.lost_bytes += journal_frame_size + record->size();
            }
            continue;
        }
        const std::size_t next = next_record(bytes, at, searched);
        ++out.places;
        out.lost_bytes += next - at;
        at = next;
    }
    if (is_end_known) return counted;
    if (end > bytes.size()) { // it was cut off
        ++out.places;
        out.lost_bytes += end - bytes.size();
    }
    return out;
}

Result<Readable> read_journal(const QueueFile& file, const std::string& path)
{
    BGT_TRY_ASSIGN(const std::string bytes,
                   detail::read_file(file.folder(), journal_name, max_journal_size,
                                     "can't read " + path + "/" + journal_name));
    std::array<char, journal_head_size> first{};
    std::copy_n(bytes.begin(), std::min(bytes.size(), first.size()), first.begin());
    const detail::JournalHead head = detail::decode_head(first);
    const bool is_whole = bytes.size() >= first.size() && head.is_journal && head.is_whole;
    std::optional<detail::JournalHead> said;
    if (is_whole) said = head;
    else if (bytes.size() >= first.size()) said = detail::mend_head(first);
    const detail::FolderIdentity own = detail::identity_of(file.folder());
    if (said && !said->is_known)
        return Error::failed(path + "/" + journal_name +
                             " was written by a newer bgt: use that one");
    if (said && said->folder != own) return copied_error(path + "/" + journal_name);
    BGT_TRY_ASSIGN(Readable out, read_all(bytes, said ? said->end : 0));
    if (!is_whole) {
        ++out.places;
        out.lost_bytes += std::min(bytes.size(), first.size());
        out.is_of_unknown_root = !said && head.folder != own;
    }
    return out;
}

/// Keys of the descriptions that are there as a whole.
std::set<std::int64_t> described_keys(const std::vector<QueueRecord>& records)
{
    std::set<std::int64_t> keys;
    for (const QueueRecord& record : records) {
        const auto* described = std::get_if<Described>(&record);
        if (described && (described->like == 0 || keys.contains(described->like)))
            keys.insert(described->key);
    }
    return keys;
}

/// What is kept of the records of a damaged journal.
class Kept {
public:
    Kept(const Root& root, Repair& done) : root_fd_(root.fd()), done_(done)
    {
        if (auto folders = root.all_ids())
            for (const TaskId id : *folders) folders_.insert(id.value);
    }

    /// Nobody knows who was cancelled, held or started in what is lost.
    std::vector<QueueRecord> with_all_held(std::vector<QueueRecord> records)
    {
        note_submitted(records);
        for (QueueRecord& record : records) take(record);
        hold_claimed();
        std::ranges::move(pauses_, std::back_inserter(out_));
        return std::move(out_);
    }

private:
    bool is_submitted(std::int64_t id) const
    {
        const auto after = submitted_.upper_bound(id);
        return after != submitted_.begin() && id < std::prev(after)->second;
    }
    /// Nothing is known of it: neither what it was, nor how it ended.
    bool is_lost(std::int64_t id) const
    {
        return !is_submitted(id) && !folders_.contains(id) && !told_.contains(id);
    }

    void note_submitted(const std::vector<QueueRecord>& records)
    {
        keys_ = described_keys(records);
        for (const QueueRecord& record : records) {
            if (const auto* one = std::get_if<Submitted>(&record);
                one && keys_.contains(one->described_by))
                submitted_[one->tasks.first] = one->tasks.first + one->tasks.count;
            if (const auto* told = std::get_if<Reported>(&record); told && core::is_end(told->what))
                told_.insert(told->id);
        }
    }

    void take(QueueRecord& record)
    {
        if (const auto* held = std::get_if<Held>(&record); held && !held->held) return;
        if (auto* submitted = std::get_if<Submitted>(&record)) return take_submitted(*submitted);
        if (auto* kept = std::get_if<ScheduleKept>(&record)) kept->state.paused = true;
        if (const auto* paused = std::get_if<SchedulePaused>(&record); paused && !paused->paused)
            return;
        if (const auto* scheduled = std::get_if<Scheduled>(&record);
            scheduled && !pause(*scheduled))
            return;
        if (const auto* told = std::get_if<Reported>(&record); told && core::is_end(told->what)) {
            // Its claim may be lost: it does not wait any more all the same.
            if (is_submitted(told->id)) out_.emplace_back(Claimed{told->id});
            claimed_.erase(told->id);
        }
        if (const auto* claimed = std::get_if<Claimed>(&record)) claimed_[claimed->id] = false;
        if (const auto* published = std::get_if<Published>(&record)) claimed_[published->id] = true;
        if (const auto* back = std::get_if<PutBack>(&record)) claimed_.erase(back->id);
        out_.push_back(std::move(record));
    }

    /// Nobody knows what it has fired. False: nor what it was to run.
    bool pause(const Scheduled& schedule)
    {
        const bool is_described = keys_.contains(schedule.described_by);
        if (is_described) pauses_.emplace_back(SchedulePaused{schedule.id, true, {}});
        else ++done_.lost_tasks;
        return is_described;
    }

    void take_submitted(Submitted& submitted)
    {
        core::WaitingTasks& tasks = submitted.tasks;
        if (!keys_.contains(submitted.described_by)) {
            done_.lost_tasks += tasks.count;
            return;
        }
        tasks.held = true;
        if (std::ranges::any_of(tasks.after, [&](const core::Dependency& dependency) {
                return is_lost(dependency.task);
            })) {
            tasks.hold_on_failure = true;
            for (std::uint32_t at = 0; at < tasks.count; ++at)
                done_.without_dependency.push_back(TaskId{tasks.first + at});
        }
        const std::int64_t end = tasks.first + tasks.count;
        for (auto id = folders_.lower_bound(tasks.first); id != folders_.end() && *id < end; ++id)
            claimed_[*id] = true;
        out_.emplace_back(std::move(submitted));
    }

    /// Whoever dispatches would start it again, without being asked.
    bool is_never_started(std::int64_t id) const
    {
        const Result<Status> status = read_status_at(root_fd_, TaskId{id});
        return status && !is_over(*status) && !was_started(*status);
    }

    /// Where the journal said that its folder has its place, its start is behind it, unless the
    /// record says that there was none; where it did not, that may be lost.
    void hold_claimed()
    {
        for (const auto& [id, is_published] : claimed_) {
            out_.emplace_back(Claimed{id});
            if ((is_published || folders_.contains(id)) && !is_never_started(id)) {
                out_.emplace_back(Published{id});
            } else {
                out_.emplace_back(PutBack{id});
                out_.emplace_back(Held{id, true});
            }
        }
    }

    int root_fd_;
    Repair& done_;
    std::set<std::int64_t> folders_, keys_, told_;
    std::map<std::int64_t, std::int64_t> submitted_; ///< first id -> behind the last
    std::map<std::int64_t, bool> claimed_;           ///< whether they are published, too
    std::vector<QueueRecord> out_, pauses_;
};

/// A second name for the file: NAME.damaged, or with a number behind it. Its path.
Result<std::string> keep_aside(const QueueFile& file, const std::string& path, const char* name)
{
    constexpr int max_kept = 1000;
    std::string free_name = std::string(name) + ".damaged";
    for (int number = 2; number < max_kept; ++number) {
        if (::linkat(file.folder(), name, file.folder(), free_name.c_str(), 0) == 0)
            return path + "/" + free_name;
        if (errno != EEXIST) break;
        free_name = std::string(name) + ".damaged-" + std::to_string(number);
    }
    return detail::explain("can't keep the damaged " + path + "/" + name, errno);
}

Result<void> repair_journal(const Root& root, const BootId& boot, const std::string& path,
                            QueueFile& file, Repair& done)
{
    BGT_TRY_ASSIGN(Readable readable, read_journal(file, path));
    BGT_TRY_ASSIGN(std::string kept, keep_aside(file, path, journal_name));
    done.kept.push_back(std::move(kept));
    done.places = readable.places;
    done.lost_bytes = readable.lost_bytes;
    done.is_of_unknown_root = readable.is_of_unknown_root;
    BGT_TRY(file.replace(Kept(root, done).with_all_held(std::move(readable.records))));
    BGT_TRY_ASSIGN(QueueFile whole, QueueFile::open(root, false, boot));
    QueueView view(std::move(whole));
    BGT_TRY(view.update());
    done.waiting = view.state().waiting_count();
    done.schedules = view.schedules().all().size();
    return {};
}

/// Whether each record is whole, and says something that can be.
Result<void> check_records(QueueFile& journal)
{
    BGT_TRY(journal.check());
    return journal.read_new([](std::string_view bytes, RecordPlace) -> Result<void> {
        const Result<QueueRecord> record = decode_record(bytes);
        return record ? Result<void>() : record.error();
    });
}

} // namespace

Result<Repair> repair_queues(const Root& root, const BootId& boot)
{
    Repair done;
    const std::string path = root.path() + "/queue";
    BGT_TRY_ASSIGN(QueueFile file, QueueFile::open_folder(root, false, boot));
    if (file.folder() < 0) return done;
    BGT_TRY_ASSIGN(const Fd lock, file.lock());
    Result<QueueFile> journal = QueueFile::open(root, false, boot);
    const Result<void> whole = journal ? check_records(*journal) : Result<void>(journal.error());
    if (!whole && whole.error().sys_errno != damaged_file) return whole.error();
    if (!whole) BGT_TRY(repair_journal(root, boot, path, file, done));
    if (const auto settings = read_settings(file);
        !settings && settings.error().sys_errno == damaged_file) {
        BGT_TRY_ASSIGN(std::string kept, keep_aside(file, path, settings_name));
        done.kept.push_back(std::move(kept));
        if (::unlinkat(file.folder(), settings_name, 0) != 0)
            return detail::explain("can't remove " + path + "/" + settings_name, errno);
    }
    return done;
}

} // namespace bgt::store
