#include "due_alerts.hpp"

#include <bgt/os/clock.hpp>
#include <bgt/supervise/alerts.hpp>

#include <fcntl.h>
#include <sys/stat.h>

namespace bgt::dispatch {
namespace {

/// Between two looks, as each reads what it asks for.
constexpr auto pause = std::chrono::seconds(1);

} // namespace

/// nullopt: there are no alerts. The file is replaced, and never changed.
std::optional<DueAlerts::Version> DueAlerts::version_of(const store::Root& root)
{
    struct stat info {};
    if (::fstatat(root.fd(), store::alerts_file, &info, AT_SYMLINK_NOFOLLOW) != 0)
        return std::nullopt;
    return Version(info.st_ino, info.st_mtim.tv_sec * 1'000'000'000 + info.st_mtim.tv_nsec);
}

void DueAlerts::update(const store::Root& root, const store::QueueView& view)
{
    const auto version = version_of(root);
    again_.reset();
    if (!version) {
        seen_.reset();
        next_.reset();
        return;
    }
    const bool is_new = version != seen_;
    const bool is_time = next_ && *next_ <= os::wall_now();
    if (!is_new && !is_time && !follows_queue_) return;
    const Instant now = os::now();
    if (last_ && now < *last_ + pause) return wait_until(*last_ + pause);
    last_ = now;
    using What = supervise::AlertOccasion::What;
    // Their hooks are reaped with all other children.
    const auto round =
        supervise::look_at_alerts(root, {.what = is_new || is_time ? What::clock : What::queue,
                                         .queue = &view,
                                         .wants_findings = true});
    if (!round) return wait_until(now + pause);
    seen_ = version_of(root); // with what was just written
    follows_queue_ = round->follows_queue;
    next_ = round->next;
}

/// All is looked at then.
void DueAlerts::wait_until(Instant at)
{
    again_ = at;
    seen_.reset();
    next_.reset();
}

} // namespace bgt::dispatch
