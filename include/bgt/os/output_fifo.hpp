#pragma once
/// The side of a command's output that is read: a FIFO.
#include <bgt/base/fd.hpp>
#include <bgt/base/result.hpp>
#include <bgt/base/time.hpp>
#include <cstddef>
#include <cstdint>
#include <string>

namespace bgt::os {

/// A FIFO that never breaks: this side holds it open for reading and writing, and the command's
/// side inherits a descriptor for reading beside those for writing (SpawnRequest::held_fifos). It
/// also knows how much the command writes, and gives one of high throughput a large pipe.
class OutputFifo {
public:
    /// What the kernel gives to each pipe.
    static constexpr std::size_t idle_capacity = 64u << 10;
    /// The size of the FIFO of a command of high throughput, and of its stage. Measured: 1 MiB is
    /// hardly faster and a user's pipe pages are few (man 7 pipe, pipe-user-pages-soft); with 256
    /// KiB the two sides wait for each other now and then.
    static constexpr std::size_t high_throughput_capacity = 512u << 10;

    OutputFifo() = default;
    /// A FIFO that is open for reading and writing, non-blocking.
    explicit OutputFifo(Fd);

    /// A descriptor for the command's side: write-only, so that a program that reads its stdout or
    /// stderr takes nothing out of the log; blocking.
    Result<Fd> writer() const;
    /// Becomes readable when there is output; non-blocking. Never at end-of-file.
    int fd() const { return fd_.get(); }
    /// By which this process and a child of it can open the FIFO again.
    const std::string& path() const { return path_; }

    /// Before chunks are taken out at that time.
    void begin_burst(WallTime now);
    /// So many bytes were taken out at once. True: the command turned out to be one of high
    /// throughput, and the pipe has grown.
    bool taken(std::uint64_t chunk);
    bool is_large() const { return capacity_ > idle_capacity; }
    /// Whether the command has written little, by its standards, since this was asked last.
    bool has_become_idle();
    /// Makes the pipe small again.
    void shrink();

private:
    std::string path_; ///< by which it is opened again
    Fd fd_;
    std::size_t capacity_ = idle_capacity;
    unsigned full_chunks_ = 0;
    WallTime burst_began_{};
    std::uint64_t burst_ = 0;  ///< bytes since then
    std::uint64_t recent_ = 0; ///< bytes since has_become_idle() was asked last
};

} // namespace bgt::os
