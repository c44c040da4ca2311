#pragma once
/// Tasks made by hand, at a fixed moment.
#include <bgt/render/words.hpp>

#include <chrono>
#include <memory>

namespace sample {

using namespace std::chrono_literals;

inline constexpr bgt::WallTime created{std::chrono::seconds(1'767'225'600)}; // 2026-01-01T00:00:00Z
inline constexpr bgt::Instant boot_start{1000s};

/// So long after the creation of every sample.
inline bgt::render::Moment after(bgt::Duration d)
{
    return {created + d, boot_start + d};
}

inline bgt::ops::Snapshot running(std::int64_t id, std::string name, std::string command)
{
    bgt::ops::Snapshot task;
    task.id = {id};
    task.folder = "/root/tasks/" + std::to_string(id);
    auto& s = task.status;
    s.lifecycle = bgt::core::Lifecycle::running;
    s.name = std::move(name);
    s.command = std::move(command);
    s.created = created;
    s.started = created;
    s.started_at = boot_start;
    s.main_process = {4211, 77};
    s.supervisor = {4210, 76};
    task.processes = 3;
    task.cpu = 0.123;
    task.rss_bytes = 120ull << 20;
    return task;
}

inline bgt::ops::Snapshot ended(std::int64_t id, std::string command, bgt::core::Outcome outcome)
{
    auto task = running(id, "", std::move(command));
    task.status.lifecycle = bgt::core::Lifecycle::ended;
    task.status.outcome = outcome;
    task.status.ended = created + 12300ms;
    task.status.ended_at = boot_start + 12300ms;
    task.processes = 0;
    task.cpu.reset();
    task.rss_bytes.reset();
    return task;
}

/// A specification for the task, to be filled.
inline std::shared_ptr<bgt::store::TaskSpec> give_spec(bgt::ops::Snapshot& task)
{
    const auto spec = std::make_shared<bgt::store::TaskSpec>();
    task.spec = spec;
    return spec;
}

inline bgt::core::Outcome died_of(int signal)
{
    return {.kind = bgt::core::OutcomeKind::signaled, .signal = signal};
}

inline bgt::core::Outcome exited(int code)
{
    return {.kind = bgt::core::OutcomeKind::exited, .code = code};
}

} // namespace sample
