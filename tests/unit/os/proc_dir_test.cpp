// A folder made like /proc: kernels with and without `children` files.
#include "support/catch.hpp"

#include <bgt/os/proc_dir.hpp>
#include <bgt/os/tree.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

using namespace bgt;
namespace fs = std::filesystem;

namespace {

class FakeProc {
public:
    FakeProc()
    {
        std::string name = (fs::temp_directory_path() / "bgt-proc-XXXXXX").string();
        REQUIRE(::mkdtemp(name.data()) != nullptr);
        path_ = name;
    }
    ~FakeProc() { fs::remove_all(path_); }
    FakeProc(const FakeProc&) = delete;
    FakeProc& operator=(const FakeProc&) = delete;

    void process(int pid, int parent, char state = 'S')
    {
        const auto folder = path_ / std::to_string(pid);
        fs::create_directories(folder / "task" / std::to_string(pid));
        std::ofstream(folder / "stat") << pid << " (x) " << state << " " << parent
                                       << " 1 1 0 0 0 0 0 0 0 1 1 0 0 20 0 1 0 " << pid << " 0 1\n";
    }
    void children(int pid, int thread, const char* text)
    {
        const auto folder = path_ / std::to_string(pid) / "task" / std::to_string(thread);
        fs::create_directories(folder);
        std::ofstream(folder / "children") << text;
    }
    os::ProcDir dir() const { return os::ProcDir(path_.c_str()); }

private:
    fs::path path_;
};

std::vector<std::int32_t> pids(const std::vector<os::ProcStat>& tree)
{
    std::vector<std::int32_t> found;
    for (const auto& stat : tree) found.push_back(stat.key.pid);
    return found;
}

} // namespace

TEST_CASE("descendants by the children files of every thread")
{
    FakeProc proc;
    proc.process(10, 1);
    proc.children(10, 10, "11 ");
    proc.children(10, 15, "12 13 99 ");
    proc.process(11, 10);
    proc.children(11, 11, "14 ");
    proc.process(12, 10, 'Z');
    proc.children(12, 12, "11 ");
    proc.process(13, 10);
    proc.children(13, 13, "");
    proc.process(14, 11);
    proc.children(14, 14, "10 "); // a ring, as reused pids can make one
    CHECK(pids(os::descendants_of(proc.dir(), 10)) == std::vector<std::int32_t>{11, 13, 14});
}

TEST_CASE("descendants where the kernel has no children files")
{
    FakeProc proc;
    proc.process(10, 1);
    proc.process(11, 10);
    proc.process(12, 11);
    proc.process(13, 10, 'Z');
    proc.process(14, 1);
    auto found = pids(os::descendants_of(proc.dir(), 10));
    CHECK(found == std::vector<std::int32_t>{11, 12});
    CHECK(os::descendants_of(proc.dir(), 77).empty());
}

TEST_CASE("only folders that are numbers are processes")
{
    FakeProc proc;
    proc.process(10, 1);
    const auto dir = proc.dir();
    CHECK(dir.pids() == std::vector<std::int32_t>{10});
    CHECK(dir.pids() == std::vector<std::int32_t>{10}); // a second look begins anew
    CHECK(dir.stat(10)->key == ProcessKey{10, 10});
    CHECK_FALSE(dir.stat(11));
    CHECK(dir.read(10, "stat", 5) == "10 (x");
    CHECK(dir.read(10, "missing", 5).empty());
    CHECK_FALSE(dir.owner(11));
    CHECK(os::ProcDir("/nonexistent").pids().empty());
}
