#pragma once
/// Whether, and when, the command is started again.
#include <bgt/core/step.hpp>

namespace bgt::core {

enum class NextAttempt : std::uint8_t {
    none,
    now, ///< `bgt restart`
    retry,
    restart,
    given_up ///< a restart was due, but there were too many
};

/// What follows an attempt with this outcome. `asked`: `bgt restart` ended it.
NextAttempt next_attempt(const RestartPolicy&, OnHang, const Attempts&, const Outcome&, bool asked,
                         Instant now);
/// Notes the end of an attempt that another one follows; `asked`: a person wanted that, so the one
/// that follows begins anew. True: it makes a crash loop of them.
bool note_end(Attempts&, bool asked, Instant now);
/// Counts the attempt that will follow, and says how long to wait for it. `lived`: how long the one
/// before ran.
Duration begin_backoff(const RestartPolicy&, Attempts&, NextAttempt, Duration lived, Instant now);

} // namespace bgt::core
