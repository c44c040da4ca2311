#include <bgt/ops/pause.hpp>

#include <bgt/supervise/control.hpp>

namespace bgt::ops {

Result<Each<Paused>> pause(store::Root& root, const Selection& selection,
                           const Progress<Paused>& progress)
{
    return for_each(root, selection, Scope::living, progress,
                    [&](store::TaskId id) -> Result<Paused> {
                        const Result<void> asked = supervise::request_pause(root, id);
                        return asked ? Result<Paused>(Paused{}) : asked.error();
                    });
}

Result<Each<Paused>> pause_watch(store::Root& root, const Selection& selection,
                                 const Progress<Paused>& progress)
{
    return for_each(root, selection, Scope::living, progress,
                    [&](store::TaskId id) -> Result<Paused> {
                        const Result<void> asked = supervise::request_watch_pause(root, id);
                        return asked ? Result<Paused>(Paused{}) : asked.error();
                    });
}

Result<Each<Resumed>> resume(store::Root& root, const Selection& selection,
                             const Progress<Resumed>& progress)
{
    return for_each(root, selection, Scope::living, progress,
                    [&](store::TaskId id) -> Result<Resumed> {
                        const Result<void> asked = supervise::request_resume(root, id);
                        return asked ? Result<Resumed>(Resumed{}) : asked.error();
                    });
}

Result<void> pause_one(store::Root& root, store::TaskId id)
{
    return supervise::request_pause(root, id);
}

Result<void> resume_one(store::Root& root, store::TaskId id)
{
    return supervise::request_resume(root, id);
}

} // namespace bgt::ops
