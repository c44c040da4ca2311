#pragma once
#include <bgt/store/events.hpp>

namespace bgt::store::detail {

/// read_events() of another file of the same form.
Result<EventsRead> read_event_file(int task_dir_fd, const char* name, std::size_t most);

} // namespace bgt::store::detail
