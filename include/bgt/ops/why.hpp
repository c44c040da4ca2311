#pragma once
/// What a task does just now and why it makes no progress: its hang report.
#include <bgt/core/diagnosis.hpp>
#include <bgt/ops/select.hpp>

namespace bgt::ops {

struct WhyRequest {
    Selection selection;
    bool last = false; ///< the newest report that was written: none is made now
};

/// Of a running task a report is made now, which takes up to two seconds; of one whose supervisor does not answer, and of an
/// ended one, it is the newest that was written. Error of a task: there is no report.
Result<Each<core::Report>> why(store::Root&, const WhyRequest&, const Progress<core::Report>& = {}, Cancel = {});

} // namespace bgt::ops
