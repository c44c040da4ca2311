#pragma once
#include <bgt/core/step.hpp>

namespace bgt::core {

/// When `--timeout` passes, counted from the start of the first attempt.
std::optional<Instant> timeout_at(const Policy&, Instant started);
/// When an attempt has lasted so long that attempts are no crash loop any more; nullopt: they are
/// none.
std::optional<Instant> loop_over_at(const State&);
/// When those that the main process left behind are ended.
std::optional<Instant> leftover_at(const Policy&, const MainExited&);

} // namespace bgt::core
