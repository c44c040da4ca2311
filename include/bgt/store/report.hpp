#pragma once
/// Hang reports in the task's folder: reports/<n>.json, numbered from 1, the newest 20 kept.
#include <bgt/core/diagnosis.hpp>
#include <bgt/store/task_dir.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace bgt::store {

inline constexpr std::size_t max_reports = 20;

/// {"schema":1,"verdict":...,"sentence":...,"evidence":{...}}: every field always there, null where
/// not known, durations in seconds, without a newline at its end.
std::string encode_report(const core::Report&);
/// Unknown fields are passed over, missing ones keep their defaults, lists are cut at the bounds of
/// core/evidence.hpp and texts made printable: what is read back is as safe to show as what was
/// gathered. Error (failed): not JSON, not an object, a field of the wrong type, written by a newer
/// schema that can't be read.
Result<core::Report> decode_report(std::string_view json);

/// Writes the next report (0600; the folder reports 0700 where it is not there yet) under a
/// temporary name, then gives it its number in one step, and removes the oldest beyond
/// `max_reports`. Its number. Error: no space, no access. Hazard: one writer at a time, the task's
/// supervisor; a reader never sees half a report.
Result<std::uint64_t> write_report(const TaskDir&, const core::Report&);
/// The numbers of the reports there are, ascending. A task without any: empty.
Result<std::vector<std::uint64_t>> list_reports(const TaskDir&);
/// Error: not_found, damaged.
Result<core::Report> read_report(const TaskDir&, std::uint64_t number);
/// The newest that can be read; damaged ones are passed over. Error (not_found): there is none;
/// (failed): all are damaged.
Result<core::Report> newest_report(const TaskDir&);

} // namespace bgt::store
