#pragma once
/// A task's folder as a test writes it: out.log and out.idx, without a task.
#include <bgt/store/log_index.hpp>
#include <bgt/store/task_dir.hpp>

#include "support/catch.hpp"

#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <string>

namespace bgt::test {

class TaskFolder {
public:
    TaskFolder()
    {
        char path[] = "/tmp/bgt-unit-logs-XXXXXX";
        REQUIRE(mkdtemp(path) != nullptr);
        path_ = path;
        dir_ = store::TaskDir(store::TaskId{7}, path_,
                              Fd(open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)));
        REQUIRE(dir_.fd() >= 0);
    }
    ~TaskFolder() { std::filesystem::remove_all(path_); }
    TaskFolder(const TaskFolder&) = delete;
    TaskFolder& operator=(const TaskFolder&) = delete;

    const store::TaskDir& dir() const { return dir_; }
    std::string path(const char* name) const { return path_ + "/" + name; }
    void write(const char* name, std::string_view bytes) const
    {
        std::ofstream(path(name), std::ios::binary | std::ios::app)
            .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    }
    void note(WallTime at, store::IndexEntry::Type type, std::uint64_t value) const
    {
        const auto entry = store::encode_index_entry({at, type, value});
        write(store::file::out_index,
              std::string_view(reinterpret_cast<const char*>(entry.data()), entry.size()));
    }
    /// Gives back the first `bytes` of out.log; false where the file system can't.
    bool free_head(std::uint64_t bytes) const
    {
        const Fd fd(open(path(store::file::out_log).c_str(), O_RDWR | O_CLOEXEC));
        return fallocate(fd.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
                         static_cast<off_t>(bytes)) == 0;
    }

private:
    std::string path_;
    store::TaskDir dir_;
};

inline WallTime second(int n)
{
    return WallTime(std::chrono::seconds(1'700'000'000 + n));
}

} // namespace bgt::test
