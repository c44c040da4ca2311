#pragma once
#include <bgt/os/clock.hpp>
#include <bgt/store/queue_view.hpp>

namespace bgt::ops {

/// The journal of what waits with its lock held, read to its end.
struct LockedJournal {
    store::QueueView view;
    Fd lock;
};

/// `create`: where it is missing, it is made.
inline Result<LockedJournal> open_locked(const store::Root& root, bool create = false)
{
    BGT_TRY_ASSIGN(store::QueueFile file, store::QueueFile::open(root, create, os::boot_id()));
    BGT_TRY_ASSIGN(Fd lock, file.lock());
    store::QueueView view(std::move(file));
    BGT_TRY(view.update_settings());
    BGT_TRY(view.update());
    return LockedJournal{std::move(view), std::move(lock)};
}

} // namespace bgt::ops
