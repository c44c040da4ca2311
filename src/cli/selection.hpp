#pragma once
/// The words and options by which a verb is told its tasks, the same in every verb.
#include <bgt/cli/parser.hpp>
#include <bgt/ops/select.hpp>

namespace bgt::cli {

/// Declares the words, --all, --name and --tag; the parser fills in `target`.
/// `word` is what shells offer for the words.
void declare_selection(Parser&, ops::Selection& target, Value word = Value::task);

} // namespace bgt::cli
