#pragma once
/// The code of the rows of the table.
#include <bgt/api/operation.hpp>

namespace bgt::api {

Result<boost::json::object> call_run(const Call&);
Result<boost::json::object> call_read(const Call&);
Result<boost::json::object> call_wait(const Call&);
Result<boost::json::object> call_list(const Call&);
Result<boost::json::object> call_events(const Call&);
Result<boost::json::object> call_why(const Call&);
Result<boost::json::object> call_send(const Call&);
Result<boost::json::object> call_stop(const Call&);
Result<boost::json::object> call_restart(const Call&);
Result<boost::json::object> call_submit(const Call&);

} // namespace bgt::api
