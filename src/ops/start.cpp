#include <bgt/ops/start.hpp>

#include <bgt/dispatch/dispatcher.hpp>
#include <bgt/os/proc.hpp>
#include <bgt/os/title.hpp>

namespace bgt::ops {

std::optional<ProcessKey> find_owner(std::int32_t pid)
{
    return os::key_of(pid);
}

void prepare_to_start(int argc, char** argv)
{
    os::remember_arguments(argc, argv);
    // Who dispatches may have been killed, and those who would take its place.
    supervise::on_every_end(
        [](const store::Root& root) { static_cast<void>(dispatch::ensure_dispatcher(root)); });
}

} // namespace bgt::ops
