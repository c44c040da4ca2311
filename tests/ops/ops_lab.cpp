#include "ops_lab.hpp"

#include "support/process.hpp"

#include <bgt/ops/queues.hpp>
#include <bgt/ops/shutdown.hpp>
#include <bgt/ops/snapshot.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <unistd.h>

namespace bgt::test {
namespace {

std::string new_folder()
{
    char path[] = "/tmp/bgt-ops-XXXXXX";
    REQUIRE(mkdtemp(path) != nullptr);
    return path;
}

store::Root new_root(const std::string& folder)
{
    auto root = store::Root::open(folder + "/root", store::Root::IfMissing::create);
    REQUIRE(root);
    return *std::move(root);
}

/// Those that sleep without a word.
bool is_silent(const std::string& mode)
{
    return mode == "exit" || mode == "signal" || mode == "env";
}

} // namespace

OpsLab::OpsLab() : folder_(new_folder()), root_(new_root(folder_)) {}

OpsLab::~OpsLab()
{
    if (ops::has_queue(root_)) { // then nothing is started any more
        ops::ShutdownRequest all;
        all.timeout = milliseconds(100);
        static_cast<void>(ops::shutdown(root_, all));
    }
    kill_marked(folder_);
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
}

std::vector<std::string> OpsLab::env() const
{
    return {"PATH=/usr/bin:/bin", "BGT_OPS_TEST=" + folder_};
}

ops::StartRequest OpsLab::request(std::vector<std::string> words) const
{
    ops::StartRequest request;
    request.spec.command = {BGT_FIXTURE};
    request.spec.command.insert(request.spec.command.end(), words.begin(), words.end());
    request.spec.cwd = folder_;
    request.env = env();
    return request;
}

store::TaskId OpsLab::start(std::vector<std::string> words,
                            const std::function<void(ops::StartRequest&)>& edit)
{
    const bool silent = is_silent(words.front());
    ops::StartRequest wanted = request(std::move(words));
    if (edit) edit(wanted);
    const auto started = ops::start(root_, std::move(wanted), ops::IfNameTaken::fail);
    if (!started) FAIL(started.error().message);
    if (!silent) REQUIRE(logged(started->id, "\n"));
    return started->id;
}

store::Status OpsLab::status(store::TaskId id)
{
    const auto seen = ops::recover_and_inspect(root_, id, {});
    if (!seen) FAIL(seen.error().message);
    return seen->status;
}

std::string OpsLab::log(store::TaskId id)
{
    std::ostringstream text;
    text << std::ifstream(root_.path() + "/tasks/" + to_string(id) + "/out.log").rdbuf();
    return text.str();
}

bool OpsLab::logged(store::TaskId id, const std::string& text)
{
    return eventually(test_timeout, [&] { return log(id).find(text) != std::string::npos; });
}

bool OpsLab::ends(store::TaskId id)
{
    return eventually(test_timeout, [&] { return ops::is_over(status(id)); });
}

ops::Selection these(const std::vector<store::TaskId>& ids)
{
    ops::Selection selection;
    for (const store::TaskId id : ids) selection.words.push_back(to_string(id));
    return selection;
}

Cancelled::Cancelled()
{
    int ends[2];
    REQUIRE(pipe(ends) == 0);
    reader_ = Fd(ends[0]);
    writer_ = Fd(ends[1]);
    REQUIRE(write(writer_.get(), "x", 1) == 1);
}

} // namespace bgt::test
