#pragma once
#include <boost/json/object.hpp>

namespace bgt::serve {

/// The description of all routes (OpenAPI 3.1): the operations as the table of `api` has them.
boost::json::object openapi();

} // namespace bgt::serve
