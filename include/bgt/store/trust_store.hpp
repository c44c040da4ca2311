#pragma once
/// The files that the user has trusted (`bgt trust`), each with the content that it had then. They
/// are kept in the user's own folder and not in the state root, as a bgt.toml may name another
/// root.
#include <bgt/base/result.hpp>
#include <bgt/config/trust.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace bgt::store {

/// $XDG_DATA_HOME/bgt/trusted or ~/.local/share/bgt/trusted. Error (usage): neither variable is an
/// absolute path.
Result<std::string> locate_trust(std::string_view xdg_data_home, std::string_view home);

struct TrustedFile {
    std::string entry; ///< path of what is kept
    std::string file;  ///< absolute path of the trusted file; empty: the entry is damaged
    std::string text;  ///< its content when it was trusted
};

/// One file an entry: path and whole content, so a comparison of bytes decides and no hash can be
/// met by another text. An entry is written whole or not at all; a damaged one trusts nothing and
/// harms no other. The folder and its entries must belong to the user and be closed to others; else
/// all functions fail.
class TrustStore {
public:
    explicit TrustStore(std::string folder) : folder_(std::move(folder)) {}

    /// Whether exactly this file with exactly this content is trusted. A few system calls.
    Result<config::Trust> check(const std::string& file, std::string_view text) const;
    /// In place of another content of that file. Makes the folder, below one that belongs to the
    /// user. Error (usage): the path is not absolute or holds a NUL.
    Result<void> add(const std::string& file, std::string_view text) const;
    /// False: it was not there.
    Result<bool> remove(const std::string& file) const;
    /// By path, the damaged ones first.
    Result<std::vector<TrustedFile>> list() const;

private:
    std::string folder_;
};

} // namespace bgt::store
