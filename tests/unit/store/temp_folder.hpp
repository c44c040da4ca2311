#pragma once
/// A folder of one test, gone at its end, and shorthands for the files in it.
#include "support/catch.hpp"

#include <bgt/store/root.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace bgt::store::test {

class TempFolder {
public:
    TempFolder()
    {
        std::string pattern =
            (std::filesystem::temp_directory_path() / "bgt-store-XXXXXX").string();
        REQUIRE(::mkdtemp(pattern.data()) != nullptr);
        path_ = pattern;
    }
    ~TempFolder()
    {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    TempFolder(const TempFolder&) = delete;
    TempFolder& operator=(const TempFolder&) = delete;

    std::string operator/(const std::string& name) const { return path_ + "/" + name; }

private:
    std::string path_;
};

inline void put(const std::string& path, const std::string& text)
{
    std::ofstream(path, std::ios::binary) << text;
}

inline std::string get(const std::string& path)
{
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

inline bool exists(const std::string& path)
{
    return std::filesystem::symlink_status(path).type() != std::filesystem::file_type::not_found;
}

/// The value, or the test ends with the error's message.
template <class T>
T must(Result<T> result)
{
    if (!result) FAIL(result.error().message);
    return std::move(*result);
}
inline void must(const Result<void>& result)
{
    if (!result) FAIL(result.error().message);
}

inline Root open_root(const std::string& path)
{
    return must(Root::open(path, Root::IfMissing::create));
}

/// A task with a status, as `bgt run` leaves it; unlocked.
inline TaskId add_task(Root& root, core::Lifecycle lifecycle, WallTime created = {},
                       const std::string& name = {})
{
    const TaskId id = must(root.allocate_id());
    const TaskDir task = must(root.create_task(id));
    Status status;
    status.lifecycle = lifecycle;
    status.created = created;
    status.name = name;
    if (lifecycle == core::Lifecycle::ended) status.ended = created;
    else must(root.mark_active(id));
    must(StatusWriter::create(task.fd(), status));
    if (!name.empty()) must(root.claim_name(name, id, [](TaskId) { return false; }));
    return id;
}

} // namespace bgt::store::test
