#pragma once
/// A task as it is now, for those that show it or decide on it.
#include <bgt/supervise/recover.hpp>
#include <bgt/supervise/snapshot.hpp>

namespace bgt::ops {

using supervise::Snapshot;
using supervise::SnapshotFields;

/// See supervise/snapshot.hpp.
using supervise::exit_code;
using supervise::recover_and_inspect;
using supervise::recover_and_inspect_all;
/// Its end is on record; processes of it may have been kept (`--leftover keep`).
using store::is_over;
/// Nothing of it runs any more: ended, and no leftover was kept.
using store::is_final;

/// SIGKILL was sent and has not ended all of it.
bool has_survivors(const store::Status&);
/// "7 web", or "7" for a task without a name.
std::string label(store::TaskId, const store::Status&);
/// "its supervisor (pid 71) is stopped and answers nobody: ..."
std::string stopped_words(const Snapshot&);
/// "no progress for 5s": the limit that ended a task; empty where the reason is none.
std::string limit_in_words(core::Reason, const core::Policy&);

} // namespace bgt::ops
