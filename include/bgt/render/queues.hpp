#pragma once
/// Queues as a table, as a page, as JSON.
#include <bgt/ops/queues.hpp>
#include <optional>
#include <string>

namespace bgt::render {

/// Columns QUEUE SLOTS RUNNING WAITING HELD STATE, one line per queue; then what all share, where
/// that is set.
std::string queues_table(const ops::QueuesAnswer&, std::optional<std::size_t> width = {});
/// Settings, who works in which slot, and why the next one does not start.
std::string queue_details(const ops::QueueInfo&);
/// {"schema":1,"queues":[...],"total":{...}} and a newline.
std::string queues_json(const ops::QueuesAnswer&);

} // namespace bgt::render
