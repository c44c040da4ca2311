#pragma once
#include <bgt/store/events.hpp>

namespace bgt::store::detail {

/// read_events() of another file of the same form. Reads at most the last `max_bytes`.
Result<EventsRead> read_event_file(int task_dir_fd, const char* name, std::size_t most,
                                   std::uint64_t max_bytes);
/// append_event() of a line with its newline.
Result<void> append_line(int fd, const char* name, std::string line);

} // namespace bgt::store::detail
