#pragma once
#include <unistd.h>
#include <utility>

namespace bgt {

/// The one owner of a file descriptor; closes it at its end (man 2 close). -1 is "none".
class Fd {
public:
    Fd() = default;
    explicit Fd(int raw) : raw_(raw) {}
    Fd(Fd&& other) noexcept : raw_(other.release()) {}
    Fd& operator=(Fd&& other) noexcept
    {
        if (this != &other) reset(other.release());
        return *this;
    }
    Fd(const Fd&) = delete;
    Fd& operator=(const Fd&) = delete;
    ~Fd() { reset(); }

    int get() const { return raw_; }
    explicit operator bool() const { return raw_ >= 0; }
    /// Gives the descriptor up without closing it.
    int release() { return std::exchange(raw_, -1); }
    void reset(int raw = -1)
    {
        if (raw_ >= 0) ::close(raw_);
        raw_ = raw;
    }

private:
    int raw_ = -1;
};

} // namespace bgt
