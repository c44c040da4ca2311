#pragma once
/// A state root of its own for one test, and real tasks in it, without the command line.
#include <bgt/ops/list.hpp>
#include <bgt/ops/start.hpp>

#include "support/catch.hpp"
#include "support/eventually.hpp"

#include <functional>
#include <string>
#include <vector>

namespace bgt::test {

class OpsLab {
public:
    OpsLab();
    /// Kills every process that was started here, and removes the folder.
    ~OpsLab();
    OpsLab(const OpsLab&) = delete;
    OpsLab& operator=(const OpsLab&) = delete;

    store::Root& root() { return root_; }
    std::string folder() const { return folder_; }
    /// K=V of every command: PATH, and a mark by which it is found.
    std::vector<std::string> env() const;
    /// The request for the fixture program with these words.
    ops::StartRequest request(std::vector<std::string> words) const;
    /// Starts it; `edit` may change the request. Returns when the fixture has printed its first
    /// line, where it prints one.
    store::TaskId start(std::vector<std::string> words,
                        const std::function<void(ops::StartRequest&)>& edit = {});
    store::Status status(store::TaskId);
    std::string log(store::TaskId);
    bool logged(store::TaskId, const std::string& text);
    /// Until the task is over.
    bool ends(store::TaskId);

private:
    std::string folder_;
    store::Root root_;
};

/// These tasks, by their ids.
ops::Selection these(const std::vector<store::TaskId>&);

/// A pipe whose reading end is readable from the beginning: what cancels at once.
class Cancelled {
public:
    Cancelled();
    ops::Cancel cancel() const { return {reader_.get()}; }

private:
    Fd reader_, writer_;
};

} // namespace bgt::test
