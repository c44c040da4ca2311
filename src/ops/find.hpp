#pragma once
#include <bgt/ops/select.hpp>
#include <bgt/store/queue_view.hpp>
#include <optional>

namespace bgt::ops {

/// What waits in the queues, read when it is needed first.
class Waiting {
public:
    /// `known`: where the caller has read it; else null.
    explicit Waiting(const store::Root& root, const store::QueueView* known = nullptr)
        : root_(root), known_(known)
    {}
    /// nullptr: nothing waits, or nobody knows what does.
    const store::QueueView* view();
    /// Why nobody knows what waits; in a copy of a root nothing does.
    const std::optional<Error>& problem();
    bool has(store::TaskId);

private:
    const store::Root& root_;
    const store::QueueView* known_;
    std::optional<store::QueueView> view_;
    std::optional<Error> problem_;
    bool is_read_ = false;
};

struct Found {
    Selected selected;
    std::optional<Error> unread; ///< why it is not known what waits, where that was asked for
};

/// What is selected, and what is not there. Error: as of select(), but for what is missing or
/// unread. `known`: what waits, where the caller has read it.
Result<Found> find_all(store::Root&, const Selection&, Scope,
                       const store::QueueView* known = nullptr);

/// What the task says about the project that it was started for. nullopt: it is of none, or it
/// can't be read.
std::optional<store::ProjectTask> project_part_of(const store::Root&, store::TaskId, Waiting&);
/// The names that begin with that of the project, with their tasks, of any folder.
Result<std::vector<std::pair<std::string, store::TaskId>>> names_like(const store::Root&,
                                                                      const std::string& project);

/// Those whose folder is about to come, then those that wait, in the order in which they would
/// start; of these at most so many.
std::vector<store::TaskId> queued_ids(const store::QueueView&, std::size_t max_waiting);
/// `default`, and those that have settings or tasks; in their order, each once.
std::vector<std::string> queue_names(const store::QueueView&);

} // namespace bgt::ops
