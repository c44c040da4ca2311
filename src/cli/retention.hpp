#pragma once
#include <bgt/config/settings.hpp>
#include <bgt/store/retention.hpp>

namespace bgt::cli {

/// What is kept of tasks that have ended, and which events are recorded, as the settings say.
inline store::Retention retention_of(const config::Settings& settings)
{
    store::Retention keep;
    keep.keep_ended = settings.keep_ended;
    keep.keep_age = settings.keep_age;
    keep.history_max = settings.history_max;
    keep.log_level = settings.log_level;
    return keep;
}

} // namespace bgt::cli
