#pragma once
#include <bgt/core/task.hpp>
#include <boost/json.hpp>

namespace bgt::store {

/// The "rules" of spec.json: what the core decides by.
boost::json::object encode_policy(const core::Policy&);
/// Throws fields::BadField.
void decode_policy(const boost::json::object&, core::Policy&);

} // namespace bgt::store
