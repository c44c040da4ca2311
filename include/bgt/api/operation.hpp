#pragma once
/// What other programs can ask of bgt: one table. The tools of `bgt mcp` follow from it; so can the
/// routes of any other protocol. An operation is a row and its own code.
#include <bgt/api/arguments.hpp>
#include <bgt/api/caller.hpp>
#include <bgt/ops/answer.hpp>

namespace bgt::api {

/// What a caller must be allowed to do.
enum class Access : std::uint8_t {
    read,    ///< changes nothing
    control, ///< acts on tasks that are there
    run,     ///< starts commands
};

/// How long it goes on already, for somebody who waits.
struct Progress {
    double seconds = 0;
    double of = 0; ///< after so many it comes back at the latest
    std::string message;
};

/// One call of an operation.
struct Call {
    store::Root& root;
    const Caller& caller;
    const Arguments& arguments;
    ops::Cancel cancel = {};
    std::function<void(const Progress&)> progress = {}; ///< may be empty
};

struct Operation {
    std::string_view name;
    std::string_view title;
    std::string_view doc; ///< what it does and answers, for whoever decides whether to call it
    Access access = Access::read;
    bool destructive = false; ///< may end or replace something
    bool idempotent = false;  ///< a second call with the same arguments changes nothing
    std::span<const Field> request;
    std::span<const Field> answer; ///< what may be in the answer; the required are always there
    /// Returns its answer. It may wait for as long as its arguments say, and fork: the caller must
    /// be single-threaded. Error: what, where, and what to do next; cancelled().
    Result<boost::json::object> (*call)(const Call&) = nullptr;
};

/// In the order in which they are listed.
std::span<const Operation> operations();
/// Null: there is none of this name.
const Operation* find_operation(std::string_view name);

} // namespace bgt::api
