#pragma once
/// serve.json: where the HTTP server of a state root listens, and its tokens (`bgt serve`).
#include <bgt/base/fd.hpp>
#include <bgt/base/result.hpp>
#include <bgt/store/root.hpp>
#include <string>
#include <string_view>

namespace bgt::store {

inline constexpr const char* serve_file = "serve.json";

/// Held by the server of the root for as long as it lives. The file goes with it; one that a killed
/// server has left is replaced by the next.
class ServeFile {
public:
    /// Error: another server of this root lives (the message names the file); it can't be made.
    static Result<ServeFile> take(const Root&);
    ServeFile(ServeFile&&) = default;
    ServeFile& operator=(ServeFile&&) = default;
    ~ServeFile();

    /// Mode 0600, in one step.
    Result<void> write(std::string_view content) const;
    const std::string& path() const { return path_; }

private:
    ServeFile(Fd folder, Fd lock, std::string path)
        : folder_(std::move(folder)), lock_(std::move(lock)), path_(std::move(path))
    {}
    Fd folder_, lock_;
    std::string path_;
};

} // namespace bgt::store
