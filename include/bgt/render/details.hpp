#pragma once
/// Everything about one task, for a person (`bgt show`).
#include <bgt/ops/inspect.hpp>
#include <bgt/render/words.hpp>
#include <cstddef>
#include <optional>
#include <string>

namespace bgt::render {

struct DetailsStyle {
    std::optional<std::size_t> width; ///< lines of processes and events are cut to it
    bool color = false;
};

/// Several lines. What is not known or was not asked for is left out; the environment is never
/// there. The task must have been looked at with spec, usage and ports.
std::string task_details(const ops::Inspected&, const Moment& now, const DetailsStyle&);

} // namespace bgt::render
