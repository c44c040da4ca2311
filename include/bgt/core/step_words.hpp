#pragma once
/// The words for events and actions of a task, for debugging.
#include <bgt/core/step.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace bgt::core {

std::string_view word_of(const Event&);
std::string_view word_of(const Action&);
/// "save-status, signal-tree"; empty: none.
std::string words_of(const std::vector<Action>&);

} // namespace bgt::core
