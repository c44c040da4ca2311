#pragma once
/// Whether somebody else could lead a path elsewhere: who may rename one of its folders, or owns a
/// symbolic link in it, can put another file in the place of the one that is meant.
#include <bgt/base/result.hpp>
#include <optional>
#include <string>

namespace bgt {

/// A folder or symbolic link in a path that somebody else than the user or root can change.
struct UntrustedPart {
    std::string path;
    unsigned owner = 0;
    bool is_writable = false; ///< it belongs to the user or root, and others may write it; else it
                              ///< belongs to `owner`
};

enum class LastPart : unsigned char {
    ignored, ///< whoever opens it without following a symbolic link checks it
    /// Of a file: if it is a symbolic link, it and the path to its target are checked; the target
    /// itself is not. Its folder may not even be a sticky one that others can write: they could
    /// move a file of the user there.
    followed,
};

/// The first such part of `path` (absolute) and of the targets of its symbolic links. nullopt:
/// `user` and root alone decide where it leads, or a part is missing (the caller creates it or
/// fails). The target itself is not checked. Others may
/// write a folder if its group may, unless that is root's or the private group of `user`
/// (writers.hpp). Costs one lstat for each part. Error: the system's,
/// ELOOP for more than 40 links.
Result<std::optional<UntrustedPart>> find_untrusted_part(const std::string& path, unsigned user,
                                                         LastPart);

} // namespace bgt
