#pragma once
#include <bgt/supervise/collaborators.hpp>
#include <bgt/supervise/protocol.hpp>
#include <bgt/supervise/recorder.hpp>
#include <bgt/supervise/tree.hpp>

namespace bgt::supervise {

/// What only the supervisor itself can do for a request.
class RequestTarget {
public:
    virtual ~RequestTarget() = default;
    virtual void close_stdin() = 0;
    /// Takes output and time for so long.
    virtual void pass(Duration) = 0;
};

/// Answers what the verbs ask a supervisor for.
class Requests {
public:
    Requests(bool adopted, Tree& tree, Recorder& recorder, HangReporter& reports, EventSink& sink, RequestTarget& target)
        : adopted_(adopted), tree_(tree), recorder_(recorder), reports_(reports), sink_(sink), target_(target)
    {
    }
    Answer answer(const Request&);

private:
    Answer restart(const Request&);
    Answer report();
    Answer signal(const Request&);

    bool adopted_;
    Tree& tree_;
    Recorder& recorder_;
    HangReporter& reports_;
    EventSink& sink_;
    RequestTarget& target_;
};

} // namespace bgt::supervise
