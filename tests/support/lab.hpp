#pragma once
/// A state root of its own for one test, and the real `bgt` to use it with.
#include "support/command.hpp"
#include "support/process.hpp"

#include <boost/json.hpp>
#include <filesystem>
#include <string>
#include <vector>

namespace bgt::test {

using Words = std::vector<std::string>;

/// Everything lies in one new folder: state root, home, working folder. At the end of the object's
/// life every process that carries the folder's name in its environment or holds a file of it open
/// is killed, and the folder is removed.
class Lab {
public:
    Lab();
    ~Lab();
    Lab(const Lab&) = delete;
    Lab& operator=(const Lab&) = delete;

    std::string folder() const { return folder_; }
    std::string root() const { return folder_ + "/root"; }
    std::string work() const { return folder_ + "/work"; }
    std::string task_folder(const std::string& id) const { return root() + "/tasks/" + id; }
    /// K=V for every later command, in place of an earlier one of that name.
    void set_env(const std::string& assignment);
    const std::vector<std::string>& env() const { return env_; }

    /// `bgt WORDS...`, to be started or changed; in work(), with an environment that has nothing of
    /// the caller's but PATH.
    Invocation bgt(const Words&) const;
    /// Any other program in the same surroundings.
    Invocation program(const Words&) const;
    Ran operator()(const Words& words, milliseconds deadline = test_timeout) const
    {
        return run(bgt(words), deadline);
    }

    /// `bgt run WORDS...`, which must succeed and print an id alone.
    std::string start(const Words&) const;
    /// The same with the fixture program as the command: `options` come before it.
    std::string start_fixture(const Words& options, const Words& mode) const;
    /// The JSON answer of `bgt WORDS... --json`, which must end with 0.
    boost::json::value ask(const Words&) const;
    /// The task as `bgt show --json` has it.
    boost::json::object show(const std::string& task) const;
    /// `bgt wait`, its exit code.
    int wait(const std::string& task) const;
    /// The bytes in its log.
    std::string log(const std::string& task) const;
    /// Waits until the log holds `text`.
    bool logged(const std::string& task, const std::string& text) const;
    /// The numbers after the word "pids" that a fixture prints.
    std::vector<pid_t> pids_said(const std::string& task) const;
    /// Ids in tasks/, and what else lies in the root: for "leaves no trace".
    Words listing() const;

private:
    std::string folder_;
    std::vector<std::string> env_;
};

/// A member below a JSON value, by pointer ("/outcome/code"); null where there is none.
const boost::json::value& at(const boost::json::value&, const std::string& pointer);
const boost::json::value& at(const boost::json::object&, const std::string& pointer);
std::string text_at(const boost::json::object&, const std::string& pointer);
std::int64_t number_at(const boost::json::object&, const std::string& pointer);

std::string read_file(const std::string& path);
void write_file(const std::string& path, const std::string& text);
/// Whether none of them lives any more.
bool all_gone(const std::vector<pid_t>&);
/// A TCP port of 127.0.0.1 that nobody listens on just now.
std::uint16_t free_port();
bool port_is_open(std::uint16_t port);

} // namespace bgt::test
