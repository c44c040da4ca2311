#include <bgt/ops/events.hpp>

#include <bgt/base/text.hpp>
#include <bgt/ops/moment.hpp>
#include <bgt/os/clock.hpp>
#include <bgt/os/local_time.hpp>
#include <bgt/store/projects.hpp>

#include <algorithm>
#include <unistd.h>

namespace bgt::ops {
namespace {

/// Of a follower that runs for months: then they are asked again.
constexpr std::size_t max_remembered = 10'000;
/// Until the root is looked at once more after a change in it.
constexpr auto after_change = std::chrono::seconds(1);

Result<void> check_type(const std::string& word)
{
    if (core::find_event_type(word) != nullptr) return {};
    std::vector<std::string> all;
    for (const core::EventType& type : core::event_types()) all.emplace_back(type.word);
    const auto near = near_matches(word, all);
    std::string hint = near.empty() ? "" : "; did you mean " + near.front() + "?";
    if (near.empty())
        for (const std::string& one : all) hint += (hint.empty() ? ": it is one of " : ", ") + one;
    return Error::usage("--type: there is no event " + shell_quote(fit(printable(word), 40)) +
                        hint);
}

} // namespace

std::string event_time(WallTime at, bool utc)
{
    return utc ? format_rfc3339(at) : os::format_local(at);
}

Result<EventFeed> EventFeed::open(store::Root& root, const EventsRequest& request)
{
    EventFeed feed(root, request);
    BGT_TRY(feed.begin());
    return feed;
}

Result<void> EventFeed::begin()
{
    for (const std::string& type : request_.types) BGT_TRY(check_type(type));
    filter_.types = request_.types;
    filter_.level = request_.level;
    filter_.patterns = request_.selection.names;
    BGT_TRY(add_words());
    if (request_.since.empty()) return {};
    if (const auto cursor = store::parse_event_cursor(request_.since)) {
        if (root_.exists()) return reader_.seek(*cursor);
        return {};
    }
    const Result<WallTime> since = parse_moment(request_.since, os::wall_now());
    if (!since)
        return Error::usage("--since: " + since.error().message +
                            ", or the cursor of an event as --json prints it");
    filter_.since = *since;
    if (!root_.exists()) return {};
    return reader_.seek(*since);
}

/// A word is looked up now, but a name stands for every task that has it, earlier or later.
Result<void> EventFeed::add_words()
{
    const Selection& selection = request_.selection;
    for (const std::string& word : selection.words) {
        Selection one = selection;
        one.words = {word};
        one.names.clear();
        one.tags.clear();
        one.queues.clear();
        const auto found = select(root_, one, Scope::any);
        Word& known = words_.emplace_back();
        if (!found) known.missing = found.error();
        if (const auto id = store::parse_task_id(word)) {
            known.id = *id;
        } else if (word == "-") {
            if (!found) return found.error();
            known.id = found->front();
            known.missing.reset();
        } else {
            if (!store::check_name(word)) return known.missing.value_or(Error::usage(word));
            known.name = word;
            BGT_TRY_ASSIGN(const auto project, store::find_project(root_, selection.folder));
            const std::string inner =
                project ? store::name_in_project(project->name, word) : std::string();
            if (!inner.empty() && store::check_name(inner)) {
                BGT_TRY_ASSIGN(const auto id_inside, root_.find_name(inner));
                if (id_inside) known.name = inner;
            }
        }
        if (known.id.value > 0) filter_.ids.push_back(known.id);
        else filter_.names.push_back(known.name);
    }
    return {};
}

bool EventFeed::fits_spec(store::TaskId id)
{
    const auto known = fits_.find(id);
    if (known != fits_.end()) return known->second;
    Selection one;
    one.words = {to_string(id)};
    one.tags = request_.selection.tags;
    one.queues = request_.selection.queues;
    const bool fits = static_cast<bool>(select(root_, one, Scope::any));
    if (fits_.size() >= max_remembered) fits_.clear();
    fits_.emplace(id, fits);
    return fits;
}

bool EventFeed::is_wanted(const store::RootEvent& event)
{
    if (!filter_.matches(event)) return false;
    const Selection& selection = request_.selection;
    if (event.type == "gap") return true;
    if (!selection.tags.empty() || !selection.queues.empty())
        if (event.task.value <= 0 || !fits_spec(event.task)) return false;
    for (Word& word : words_)
        if ((!word.name.empty() && word.name == event.name) ||
            (word.id.value > 0 && store::is_about(event, word.id)))
            word.missing.reset();
    return true;
}

Result<std::vector<EventRecord>> EventFeed::take(std::size_t most)
{
    std::vector<EventRecord> records;
    while (root_.exists() && records.size() < most) {
        BGT_TRY_ASSIGN(auto item, reader_.next());
        if (!item) break;
        if (!is_wanted(item->event)) continue;
        records.push_back({std::move(item->event), store::to_string(item->after)});
    }
    return records;
}

std::vector<Error> EventFeed::unmatched() const
{
    std::vector<Error> errors;
    for (const Word& word : words_)
        if (word.missing) errors.push_back(*word.missing);
    return errors;
}

/// True: something is watched that was not before, and may have changed meanwhile.
bool EventFeed::watch_all()
{
    const auto add = [](std::optional<int>& token, const Result<int>& added) {
        if (added) token = *added;
        return static_cast<bool>(added);
    };
    const std::string folder = root_.path() + "/" + store::events_folder;
    bool is_new = false;
    if (!root_token_) is_new = add(root_token_, watch_->add_folder(root_.path()));
    if (!folder_token_) is_new = add(folder_token_, watch_->add_folder(folder)) || is_new;
    if (reader_.segment() == watched_segment_) return is_new;
    if (segment_token_) watch_->remove(*segment_token_);
    segment_token_.reset();
    watched_segment_ = reader_.segment();
    const std::string segment = folder + "/" + std::to_string(watched_segment_);
    return add(segment_token_, watch_->add_file(segment)) || is_new;
}

Result<void> EventFeed::wait(Cancel cancel, std::optional<Instant> deadline)
{
    if (!watch_) {
        BGT_TRY_ASSIGN(watch_, os::Watch::create());
        if (cancel.fd >= 0) watch_->add_fd(cancel.fd);
    }
    if (watch_all()) return {};
    std::optional<Instant> until = look_again_;
    if (deadline && (!until || *deadline < *until)) until = deadline;
    BGT_TRY_ASSIGN(const os::Watch::Wake wake, watch_->wait(until));
    if (std::ranges::find(wake.fds, cancel.fd) != wake.fds.end()) return cancelled();
    const bool root_changed =
        root_token_ && std::ranges::find(wake.tokens, *root_token_) != wake.tokens.end();
    const bool is_due = look_again_ && os::now() >= *look_again_;
    if (!root_changed && !is_due) return {};
    // The root may be about to be removed, which nobody tells: this process holds it open.
    look_again_ = root_changed ? std::optional(os::now() + after_change) : std::nullopt;
    if (::access(root_.path().c_str(), F_OK) != 0)
        return Error::failed("the state root " + root_.path() + " was removed");
    // The folder of the stream may have been removed, and made anew.
    if (folder_token_) watch_->remove(*folder_token_);
    folder_token_.reset();
    watched_segment_ = 0;
    return {};
}

} // namespace bgt::ops
