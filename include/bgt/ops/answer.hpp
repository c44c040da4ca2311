#pragma once
/// What operations have in common: an answer per task, reports while they go on, and their
/// cancelling.
#include <bgt/store/root.hpp>
#include <functional>
#include <vector>

namespace bgt::ops {

/// What came of one task.
template <class T>
struct One {
    store::TaskId id;
    Result<T> result;
};

/// What came of all that were selected, in the order of the selection. An error of one does not
/// stop the others.
template <class T>
struct Each {
    std::vector<Error> missing; ///< one per word of the selection that names no task
    std::vector<One<T>> tasks;

    std::vector<store::TaskId> ids() const
    {
        std::vector<store::TaskId> out;
        for (const One<T>& task : tasks) out.push_back(task.id);
        return out;
    }
};

using OnMissing = std::function<void(const Error&)>;

/// Called while an operation goes on, as soon as each thing is known; all of it is in the answer
/// too. Any of them may be empty.
template <class T>
struct Progress {
    OnMissing missing;                            ///< a word of the selection names no task
    std::function<void(const One<T>&)> done = {}; ///< one task, with its error or its answer
};

/// How a long operation is given up: once `fd` is readable (or at its end of file), the operation
/// returns soon, with the error cancelled(). What it has asked of supervisors goes on.
struct Cancel {
    int fd = -1; ///< not owned; -1: it can't be cancelled

    /// Whether it is to be given up now.
    bool requested() const;
};

Error cancelled();
bool is_cancelled(const Error&);

} // namespace bgt::ops
