#pragma once
#include <bgt/api/field.hpp>
#include <boost/json/object.hpp>

namespace bgt::api {

/// The fields as JSON Schema (2020-12): an object that takes nothing else. For answers `open` lets
/// later versions add fields.
enum class Closed : bool { no, yes };
boost::json::object schema_of(std::span<const Field>, Closed);

} // namespace bgt::api
