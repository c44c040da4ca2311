#pragma once
#include <bgt/ops/submit.hpp>

namespace bgt::ops {

/// What it takes of its queue is told by its specification, too.
void put_how_into_spec(SubmitRequest&);

} // namespace bgt::ops
