#pragma once
/// Stops the processes of tasks for a while, and lets them go on.
#include <bgt/ops/select.hpp>

namespace bgt::ops {

struct Paused {};
struct Resumed {};

/// Error of a task: it has ended or does not run, or its supervisor does not answer within 5 s.
Result<Each<Paused>> pause(store::Root&, const Selection&, const Progress<Paused>& = {});
/// `--watch`: changes of its files are kept until resume(). Error of a task besides: it watches
/// none.
Result<Each<Paused>> pause_watch(store::Root&, const Selection&, const Progress<Paused>& = {});
/// A task that is not paused goes on as it does.
Result<Each<Resumed>> resume(store::Root&, const Selection&, const Progress<Resumed>& = {});

/// One task, errors as above.
Result<void> pause_one(store::Root&, store::TaskId);
Result<void> resume_one(store::Root&, store::TaskId);

} // namespace bgt::ops
