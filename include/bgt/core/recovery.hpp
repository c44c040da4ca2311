#pragma once
/// Whether the record of a task is the truth, and what makes it true where it is not.
#include <bgt/core/task.hpp>

namespace bgt::core {

/// Who holds the task's lock, which a supervisor holds for its life.
enum class LockState : std::uint8_t {
    held,
    free,
    unknown, ///< it can't be asked
};

/// What a look at the processes of this machine found of the task's tree.
enum class TreeState : std::uint8_t {
    not_looked,
    lives,
    none,
    unknown, ///< it can't be looked at
};

struct TaskFacts {
    Lifecycle lifecycle = Lifecycle::starting; ///< as recorded, like the next three
    bool tree_lives = false;                   ///< ended, and `--leftover keep` left processes
    bool was_started = false;    ///< the command was executed once, in this attempt or one before
    bool start_is_exact = false; ///< `running` is recorded before the command is executed (an older
                                 ///< bgt did it afterwards)
    LockState lock = LockState::unknown;
    bool rebooted = false; ///< since the record was begun
    TreeState tree = TreeState::not_looked;
};

enum class Recovery : std::uint8_t {
    none,               ///< the record is the truth
    look,               ///< nobody supervises the task: whether its tree lives must be looked at
    adopt,              ///< its tree lives: a new supervisor has to take over
    record_end,         ///< nothing of it lives: it has ended, and is lost where nobody saw how
    record_not_started, ///< its command was never executed, and nobody is about to
    unknown,            ///< nobody can tell now
};

Recovery recovery_for(const TaskFacts&);

} // namespace bgt::core
