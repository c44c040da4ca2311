#pragma once
#include "protocol.hpp"
#include <bgt/supervise/collaborators.hpp>
#include <bgt/supervise/recorder.hpp>
#include <bgt/supervise/tree.hpp>

namespace bgt::supervise {

/// Why a supervisor that took over can't start the command again. `bgt restart` then stops the task
/// and starts another one like it.
inline constexpr std::string_view no_environment =
    "its supervisor took over from one that was killed, and does not know its environment";

/// What only the supervisor itself can do for a request.
class RequestTarget {
public:
    virtual ~RequestTarget() = default;
    virtual void close_stdin() = 0;
    /// It was ready, and is no longer.
    virtual void watch_readiness_again() = 0;
    /// `--watch`: changes are kept from now on. Why not; empty: done.
    virtual std::string pause_watch() = 0;
    /// The task goes on, and what has changed meanwhile counts.
    virtual void resume_watch() = 0;
    /// Takes output and time for so long.
    virtual void pass(Duration) = 0;
};

/// Answers what the verbs ask a supervisor for.
class Requests {
public:
    Requests(bool can_start, Tree& tree, Recorder& recorder, HangReporter& reports, EventSink& sink,
             RequestTarget& target)
        : can_start_(can_start),
          tree_(tree),
          recorder_(recorder),
          reports_(reports),
          sink_(sink),
          target_(target)
    {}
    Answer answer(const Request&);

private:
    Answer restart(const Request&);
    Answer report();
    Answer signal(const Request&);

    bool can_start_; ///< the command's environment is known
    Tree& tree_;
    Recorder& recorder_;
    HangReporter& reports_;
    EventSink& sink_;
    RequestTarget& target_;
};

} // namespace bgt::supervise
