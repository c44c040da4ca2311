#pragma once
/// What changes in folders, as inotify tells it (man 7 inotify), and a look at what is in them. No
/// symbolic link is followed but one that leads to the path of a folder.
#include <bgt/base/fd.hpp>
#include <bgt/base/result.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace bgt::os {

class FolderEvents {
public:
    /// Without an instance it tells of nothing.
    FolderEvents() = default;
    /// Error (errno EMFILE): the user's instances, or the descriptors, are all in use.
    static Result<FolderEvents> create();
    int fd() const { return fd_.get(); }

    /// Watches the entries of the folder: files that were written and closed, and what appears,
    /// goes or is renamed. Returns its number, the same for the same folder by another path. Error
    /// (errno): ENOSPC, the user's watches are all in use.
    Result<int> add(const std::string& folder, bool follow_link);
    void remove(int number);

    struct Event {
        int folder = -1;
        std::string name; ///< empty: the folder itself
        bool is_folder = false;
        bool appeared = false;
        bool unwatched = false; ///< nothing more comes of this folder: it is gone
    };
    struct Batch {
        std::vector<Event> events;
        bool overflow = false; ///< some are missing
    };
    /// What is there, at most some thousand events; without waiting.
    Batch take();

private:
    Fd fd_;
};

/// What tells one version of a file from another without reading it.
struct FileMark {
    std::uint64_t size = 0, device = 0, inode = 0;
    std::int64_t modified_ns = 0, changed_ns = 0;
    bool is_link = false;
    bool operator==(const FileMark&) const = default;
};
/// Of a file or a symbolic link; nullopt: there is none, or it is of another kind.
std::optional<FileMark> mark_file(const std::string& path);
/// The bytes of such a file, or where the link leads to. nullopt: it can't be read, is no file, or
/// is larger than `max_size`.
std::optional<std::string> read_content(const std::string& path, std::uint64_t max_size);

struct FolderEntry {
    std::string name;
    bool is_folder = false;
};
/// Folders, files and links. Error (errno): it can't be read.
Result<std::vector<FolderEntry>> list_folder(const std::string& path, bool follow_link);
bool is_folder(const std::string& path);
/// There is something of this name, whatever it is.
bool is_there(const std::string& path);

} // namespace bgt::os
