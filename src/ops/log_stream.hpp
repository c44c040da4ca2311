#pragma once
/// Passes a growing log on to a descriptor, byte by byte as it is written.
#include <bgt/base/fd.hpp>
#include <bgt/base/result.hpp>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace bgt::ops {

class LogStream {
public:
    LogStream() = default;
    /// Of `log` to `out_fd` (not owned), from the first byte on.
    LogStream(Fd log, int out_fd);

    explicit operator bool() const { return static_cast<bool>(log_); }
    int log_fd() const { return log_.get(); }
    /// Passes on what is there. `freed`: the head of the log that was given back (`--log-max`): it
    /// is skipped; returns how many bytes were skipped. While the reader is slow, `wake_fd` is
    /// watched too and `on_wake` called. Ends quietly for good when the reader has closed its end.
    /// Error: any other failure.
    Result<std::uint64_t> pump(std::uint64_t freed, int wake_fd,
                               const std::function<void()>& on_wake);

private:
    Result<bool> write_all(std::string_view bytes, int wake_fd,
                           const std::function<void()>& on_wake);

    Fd log_;
    int out_fd_ = -1;
    std::uint64_t offset_ = 0;
    std::size_t piece_ = 0; ///< how much one write takes without blocking once poll has said so
    std::string buffer_;
};

} // namespace bgt::ops
