#include <bgt/core/recovery.hpp>

namespace bgt::core {
namespace {

/// Of a task that nobody supervises and that is not done with.
Recovery by_tree(const TaskFacts& facts)
{
    if (facts.rebooted) return Recovery::record_end;
    switch (facts.tree) {
    case TreeState::not_looked: return Recovery::look;
    case TreeState::lives: return Recovery::adopt;
    case TreeState::none: return Recovery::record_end;
    case TreeState::unknown: return Recovery::unknown;
    }
    return Recovery::unknown;
}

} // namespace

Recovery recovery_for(const TaskFacts& facts)
{
    if (facts.lock != LockState::free) return Recovery::none;
    switch (facts.lifecycle) {
    case Lifecycle::queued: return Recovery::none; // it needs nobody until it is launched
    case Lifecycle::ended: return facts.tree_lives ? by_tree(facts) : Recovery::none;
    case Lifecycle::starting:
        // Who executes the command holds the lock until it is executed, and records that before.
        if (!facts.was_started && facts.start_is_exact) return Recovery::record_not_started;
        return by_tree(facts);
    case Lifecycle::running:
    case Lifecycle::stopping:
    case Lifecycle::backing_off: return by_tree(facts);
    }
    return Recovery::unknown;
}

} // namespace bgt::core
