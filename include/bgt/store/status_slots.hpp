#pragma once

namespace bgt::store {

/// Whether one of the two records in `status` was written and is not whole: perhaps the newer one.
bool has_damaged_slot(int task_dir_fd);

} // namespace bgt::store
