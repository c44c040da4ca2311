#pragma once
/// Dependencies as a tree, for graphviz, as JSON.
#include <bgt/ops/graph.hpp>
#include <string>

namespace bgt::render {

/// One line a task; below it, indented, what waits for it: "|- ok: 8 test (queued)".
std::string graph_text(const ops::GraphAnswer&);
/// For dot(1).
std::string graph_dot(const ops::GraphAnswer&);
/// {"schema":1,"tasks":[...],"edges":[...]} and a newline.
std::string graph_json(const ops::GraphAnswer&);

} // namespace bgt::render
