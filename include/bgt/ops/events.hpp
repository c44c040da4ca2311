#pragma once
/// `bgt events`: what happens in a state root, as one stream.
#include <bgt/ops/select.hpp>
#include <bgt/os/watch.hpp>
#include <bgt/store/event_filter.hpp>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace bgt::ops {

struct EventsRequest {
    Selection selection;            ///< empty: all. A name also selects tasks that get it later
    std::vector<std::string> types; ///< empty: all
    core::EventLevel level = core::EventLevel::info;
    std::string since; ///< a cursor, or a time as parse_moment() reads it; empty: all that is kept
};

struct EventRecord {
    store::RootEvent event;
    std::string cursor; ///< behind it
};

/// In the local time zone, or in UTC.
std::string event_time(WallTime, bool utc);

class EventFeed {
public:
    /// The root stays open for as long as this lives. Error (usage): no such type, no cursor of
    /// this stream, no time, what names no task; (not_found): `-`, and there is no task.
    static Result<EventFeed> open(store::Root&, const EventsRequest&);
    /// The next ones that are there and wanted, at most so many; empty: there are no more now.
    Result<std::vector<EventRecord>> take(std::size_t most);
    /// Behind all that was looked at, wanted or not.
    std::string cursor() { return store::to_string(reader_.cursor()); }
    /// Until there may be more, or that date has come. Without polling, where inotify has room.
    /// Error: cancelled(); the root was removed.
    Result<void> wait(Cancel, std::optional<Instant> deadline = std::nullopt);
    /// For each word of the selection that names no task, and about which no event was taken.
    std::vector<Error> unmatched() const;

private:
    EventFeed(store::Root& root, const EventsRequest& request)
        : root_(root), request_(request), reader_(root.fd())
    {}
    Result<void> begin();
    Result<void> add_words();
    bool is_wanted(const store::RootEvent&);
    bool fits_spec(store::TaskId);
    bool watch_all();

    struct Word {
        store::TaskId id;
        std::string name;
        std::optional<Error> missing; ///< nullopt: it names a task, or an event did
    };
    store::Root& root_;
    EventsRequest request_;
    store::EventReader reader_;
    store::EventFilter filter_;
    std::vector<Word> words_;
    std::map<store::TaskId, bool> fits_; ///< the tags and the queues
    std::optional<os::Watch> watch_;
    std::optional<int> root_token_, folder_token_, segment_token_;
    std::uint64_t watched_segment_ = 0;
    std::optional<Instant> look_again_;
};

} // namespace bgt::ops
