#include "check_artifacts.hpp"

#include <bgt/os/background.hpp>
#include <bgt/os/clock.hpp>
#include <bgt/os/wait.hpp>
#include <bgt/store/results.hpp>
#include <bgt/supervise/recorder.hpp>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <sys/stat.h>

namespace bgt::supervise {
namespace {

constexpr auto check_timeout = std::chrono::seconds(2);

void look_at(store::Artifact& artifact)
{
    struct stat info {};
    if (::stat(artifact.path.c_str(), &info) == 0)
        artifact.bytes = S_ISREG(info.st_mode) ? static_cast<std::uint64_t>(info.st_size) : 0;
    else artifact.problem = errno == ENOENT ? "it is not there" : std::strerror(errno);
}

int check_all(int folder, std::vector<store::Artifact>& artifacts)
{
    auto writer = store::ResultsWriter::open(folder);
    if (!writer) return 1;
    for (store::Artifact& artifact : artifacts) {
        if (artifact.is_checked()) continue;
        look_at(artifact);
        static_cast<void>(writer->checked(os::wall_now(), artifact));
    }
    return 0;
}

} // namespace

void check_artifacts(const store::TaskDir& task, Recorder& recorder)
{
    auto named = store::read_results(task.fd());
    if (!named || named->artifacts.empty()) return;
    const Result<pid_t> child =
        os::fork_helper({task.fd()}, false, [&] { return check_all(task.fd(), named->artifacts); });
    if (!child) return recorder.event("artifacts-unchecked", {{"why", child.error().message}});
    const Instant deadline = os::now() + check_timeout;
    while (!os::has_ended(*child)) {
        if (os::now() >= deadline) {
            os::kill_child(*child);
            return recorder.event("artifacts-unchecked",
                                  {{"why", std::string("their file system did not answer")}});
        }
        os::pause_for(std::chrono::milliseconds(1));
    }
    const auto checked = store::read_results(task.fd());
    if (!checked) return;
    for (const store::Artifact& artifact : checked->artifacts)
        if (!artifact.problem.empty())
            recorder.event("artifact-missing",
                           {{"path", artifact.path}, {"why", artifact.problem}});
}

} // namespace bgt::supervise
