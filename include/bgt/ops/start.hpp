#pragma once
/// Starts a command as a task.
#include <bgt/base/result.hpp>
#include <bgt/store/root.hpp>
#include <bgt/supervise/start.hpp>
#include <optional>

namespace bgt::ops {

using supervise::IfNameTaken;
using supervise::StartRequest;
using StartAnswer = supervise::StartResult;
/// See supervise/start.hpp. Hazard: forks; the caller must be single-threaded.
using supervise::start;

/// A living process as an owner of tasks; nullopt: there is none of this pid.
std::optional<ProcessKey> find_owner(std::int32_t pid);

/// To be called once, before the first start: where this program's arguments are, so that a
/// supervisor that is forked from it can hide them (os/title.hpp).
void prepare_to_start(int argc, char** argv);

} // namespace bgt::ops
