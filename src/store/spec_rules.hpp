#pragma once
#include <bgt/core/task.hpp>
#include <boost/json.hpp>

namespace bgt::store {

/// The "rules" of spec.json: what the core decides by.
boost::json::object encode_rules(const core::Spec&);
/// Throws fields::BadField.
void decode_rules(const boost::json::object&, core::Spec&);

} // namespace bgt::store
