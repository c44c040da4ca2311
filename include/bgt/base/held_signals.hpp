#pragma once
#include <bgt/base/fd.hpp>
#include <csignal>
#include <initializer_list>

namespace bgt {

sigset_t signal_set(std::initializer_list<int> signals);
/// A descriptor (close-on-exec, non-blocking) from which these signals are read while they are
/// blocked (man 2 signalfd). Not set where it can't be made (errno).
Fd signal_descriptor(const sigset_t&);
/// Takes one signal off such a descriptor; 0: none has come.
int take_signal(int descriptor);

/// Holds signals back from its making on, so that they can be read one by one instead. A signal
/// that the caller has ignored (nohup) stays ignored. At its end the mask of before comes back: a
/// signal that was not read comes then.
class HeldSignals {
public:
    /// Where no descriptor can be made nothing is held back, and fd() is -1.
    explicit HeldSignals(std::initializer_list<int> signals);
    ~HeldSignals();
    HeldSignals(const HeldSignals&) = delete;
    HeldSignals& operator=(const HeldSignals&) = delete;

    /// Becomes readable when one has come.
    int fd() const { return fd_ ? fd_.get() : -1; }
    /// Takes one; 0: none has come.
    int take() const { return fd_ ? take_signal(fd_.get()) : 0; }

private:
    sigset_t before_{};
    Fd fd_;
};

} // namespace bgt
