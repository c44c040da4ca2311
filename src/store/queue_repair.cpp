#include <bgt/store/queue_repair.hpp>

#include "files.hpp"
#include "queue_format.hpp"

#include <bgt/store/queue_settings.hpp>
#include <bgt/store/queue_view.hpp>

#include <algorithm>
#include <array>
#include <fcntl.h>
#include <set>
#include <unistd.h>

namespace bgt::store {
namespace {

using detail::journal_frame_size;
using detail::journal_head_size;

constexpr const char* journal_name = "journal";
constexpr const char* settings_name = "settings";
constexpr std::size_t largest_journal = 1u << 30;
/// Bytes that are looked at to find the next whole record: a made-up journal costs no more.
constexpr std::uint64_t max_search = 1u << 30;

struct Readable {
    std::vector<QueueRecord> records;
    std::size_t places = 0;
    std::uint64_t lost_bytes = 0;
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

/// `end` is what counts by the head: a killed writer may have left more behind that, unless the
/// head itself is damaged, and no record ends there.
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
    return is_end_known ? counted : out;
}

Result<Readable> read_journal(const QueueFile& file, const std::string& path)
{
    BGT_TRY_ASSIGN(const std::string bytes,
                   detail::read_file(file.folder(), journal_name, largest_journal,
                                     "can't read " + path + "/" + journal_name));
    std::array<char, journal_head_size> head{};
    std::copy_n(bytes.begin(), std::min(bytes.size(), head.size()), head.begin());
    BGT_TRY_ASSIGN(Readable out, read_all(bytes, detail::decode_head(head).end));
    if (bytes.size() < head.size() || !detail::decode_head(head).is_journal) ++out.places;
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

/// Nobody knows who was cancelled, held or started in what is lost, and what has fired.
std::vector<QueueRecord> with_all_held(std::vector<QueueRecord> records, const Root& root,
                                       std::size_t& lost_tasks)
{
    const std::set<std::int64_t> keys = described_keys(records);
    const Result<std::vector<TaskId>> folders = root.all_ids();
    std::vector<QueueRecord> out;
    std::vector<QueueRecord> claims;
    for (QueueRecord& record : records) {
        if (const auto* held = std::get_if<Held>(&record); held && !held->held) continue;
        if (const auto* paused = std::get_if<SchedulePaused>(&record); paused && !paused->paused)
            continue;
        if (auto* kept = std::get_if<ScheduleKept>(&record)) kept->state.paused = true;
        if (const auto* scheduled = std::get_if<Scheduled>(&record)) {
            if (!keys.contains(scheduled->described_by)) {
                ++lost_tasks;
                continue;
            }
            claims.emplace_back(SchedulePaused{scheduled->id, true, {}});
        }
        auto* submitted = std::get_if<Submitted>(&record);
        if (submitted && !keys.contains(submitted->described_by)) {
            lost_tasks += submitted->tasks.count;
            continue;
        }
        if (submitted) {
            submitted->tasks.held = true;
            const std::int64_t end = submitted->tasks.first + submitted->tasks.count;
            if (folders)
                for (auto id = std::ranges::lower_bound(*folders, TaskId{submitted->tasks.first});
                     id != folders->end() && id->value < end; ++id)
                    claims.emplace_back(Claimed{id->value});
        }
        out.push_back(std::move(record));
    }
    out.insert(out.end(), claims.begin(), claims.end());
    return out;
}

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
    BGT_TRY(file.replace(with_all_held(std::move(readable.records), root, done.lost_tasks)));
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
