#pragma once
#include <bgt/ops/select.hpp>
#include <bgt/store/queue_view.hpp>
#include <optional>

namespace bgt::ops {

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
std::optional<store::ProjectTask> project_part_of(const store::Root&, store::TaskId);
/// The names that begin with that of the project, with their tasks, of any folder.
Result<std::vector<std::pair<std::string, store::TaskId>>> names_like(const store::Root&,
                                                                      const std::string& project);

/// Those whose folder is about to come, then those that wait, in the order in which they would
/// start; of these at most so many.
std::vector<store::TaskId> queued_ids(const store::QueueView&, std::size_t most_waiting);

} // namespace bgt::ops
