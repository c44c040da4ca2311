#include <bgt/os/output_stage.hpp>

#include <bgt/base/descriptor.hpp>
#include <bgt/os/background.hpp>

#include <cerrno>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

namespace bgt::os {
Result<OutputStage> OutputStage::start(std::size_t capacity, std::vector<int> keep,
                                       const Save& save)
{
    Result<Pipe> pipe = make_pipe("a pipe for output", O_NONBLOCK);
    if (!pipe) return pipe.error();
    if (fcntl(pipe->writer.get(), F_SETPIPE_SZ, static_cast<int>(capacity)) < 0)
        return Error::system("growing the pipe for output", errno);
    Result<Pipe> life = make_pipe("a pipe for output");
    if (!life) return life.error();
    const int stage = pipe->reader.get(), end = life->reader.get();
    keep.push_back(stage);
    keep.push_back(end);
    const Result<pid_t> keeper = fork_helper(keep, true, [&] {
        block_signals();
        await_end_of_file(end);
        save(stage);
        return 0;
    });
    if (!keeper) return keeper.error();
    OutputStage made;
    made.reader_ = std::move(pipe->reader);
    made.writer_ = std::move(pipe->writer);
    made.life_ = std::move(life->writer);
    made.keeper_ = *keeper;
    return made;
}

OutputStage::OutputStage(OutputStage&& other) noexcept
    : reader_(std::move(other.reader_)),
      writer_(std::move(other.writer_)),
      life_(std::move(other.life_)),
      keeper_(std::exchange(other.keeper_, 0))
{}

OutputStage::~OutputStage()
{
    if (keeper_ <= 0) return;
    writer_.reset(); // it reads up to the end of file
    life_.reset();
    retry_on_eintr([&] { return waitpid(keeper_, nullptr, 0); });
}

std::int64_t OutputStage::fill(int pipe, std::size_t max)
{
    return retry_on_eintr(
        [&] { return splice(pipe, nullptr, writer_.get(), nullptr, max, SPLICE_F_NONBLOCK); });
}

} // namespace bgt::os
