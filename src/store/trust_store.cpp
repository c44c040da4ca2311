#include <bgt/store/trust_store.hpp>

#include "files.hpp"

#include <bgt/base/descriptor.hpp>
#include <bgt/base/text.hpp>
#include <bgt/base/trusted_path.hpp>

#include <algorithm>
#include <array>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace bgt::store {

namespace {

constexpr std::string_view first_line = "bgt-trusted 1\n";
constexpr std::size_t max_entry = (1 << 20) + 8192; ///< a bgt.toml has at most 1 MiB, a path 4 KiB

/// The name of a file's entry: 64 bits of FNV-1a. Two paths may share it; then the newer takes the
/// place of the older, and nothing is trusted by mistake, as the entry holds the whole path.
std::string entry_name(std::string_view file)
{
    std::uint64_t hash = 14695981039346656037ull;
    for (const char c : file) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ull;
    std::string name(16, '0');
    for (auto at = name.rbegin(); at != name.rend(); ++at, hash >>= 4)
        *at = "0123456789abcdef"[hash & 15];
    return name;
}

std::string entry_text(const std::string& file, std::string_view text)
{
    std::string out(first_line);
    out.append(file).append(1, '\0').append(text);
    return out;
}

/// Empty `file` where it is none.
TrustedFile parse_entry(std::string path, std::string_view whole)
{
    TrustedFile out{std::move(path), {}, {}};
    const auto end = whole.find('\0');
    if (!whole.starts_with(first_line) || end == whole.npos) return out;
    const auto file = whole.substr(first_line.size(), end - first_line.size());
    if (!file.starts_with('/')) return out;
    out.file = file;
    out.text = whole.substr(end + 1);
    return out;
}

/// What is open is ours alone, or an error.
Result<void> check_private(int fd, const std::string& path, bool is_folder)
{
    struct stat info {};
    if (::fstat(fd, &info) != 0) return Error::system("can't look at " + path, errno);
    if (is_folder ? !S_ISDIR(info.st_mode) : !S_ISREG(info.st_mode))
        return Error::failed(path + " is not a " + (is_folder ? "folder" : "regular file") +
                             ": move it away");
    if (info.st_uid != ::geteuid())
        return Error::failed(path + " belongs to user " + std::to_string(info.st_uid) +
                             ", not to you (user " + std::to_string(::geteuid()) + ")");
    if ((info.st_mode & 077) != 0)
        return Error::failed(path + " is open to others: chmod " + (is_folder ? "700 " : "600 ") +
                             path);
    return {};
}

/// Nobody else may decide where the path leads: else trust is written to, and taken from, a place
/// of their choice.
Result<void> check_path(const std::string& path)
{
    const unsigned user = ::geteuid();
    const auto found = find_untrusted_part(path, user, LastPart::ignored);
    if (!found) return found.error();
    if (!*found) return {};
    const UntrustedPart& part = **found;
    const std::string refused =
        "the folder of trusted files " + printable(path) + " is not used: " + printable(part.path);
    if (part.is_writable) return Error::failed(refused + " is writable by others: chmod go-w it");
    return Error::failed(
        refused + " belongs to user " + std::to_string(part.owner) + ", not to you (user " +
        std::to_string(user) +
        "): " + (user == 0 ? "use sudo -H" : "set HOME or XDG_DATA_HOME to a folder of your own"));
}

/// Empty: it is not there.
Result<Fd> open_folder(const std::string& path)
{
    if (::access(path.c_str(), F_OK) != 0 && errno == ENOENT)
        return Fd(); // the usual case, for one system call
    if (auto trusted = check_path(path); !trusted) return trusted.error();
    Fd folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!folder && errno == ENOENT) return Fd();
    if (!folder) return Error::system("can't open " + path, errno);
    if (auto ours = check_private(folder.get(), path, true); !ours) return ours.error();
    return folder;
}

/// Empty: it is not there.
Result<std::string> read_entry(int folder, const std::string& name, const std::string& path)
{
    const Fd file(
        ::openat(folder, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
    if (!file && errno == ENOENT) return std::string();
    if (!file) return Error::system("can't open " + path, errno);
    if (auto ours = check_private(file.get(), path, false); !ours) return ours.error();
    struct stat info {};
    if (::fstat(file.get(), &info) != 0) return Error::system("can't read " + path, errno);
    std::string text(std::min(static_cast<std::size_t>(info.st_size), max_entry), '\0');
    const auto got = detail::read_at(file.get(), std::as_writable_bytes(std::span(text)), 0);
    if (got < 0) return Error::system("can't read " + path, errno);
    text.resize(static_cast<std::size_t>(got));
    return text;
}

/// mkdir -p with 0700, below a folder of ours: root with the HOME of somebody else must not make
/// folders there that their user can't write to.
Result<void> make_folders(const std::string& path)
{
    struct stat info {};
    if (::stat(path.c_str(), &info) == 0) return {};
    if (errno != ENOENT) return Error::system("can't make " + path, errno);
    const auto parent = path.substr(0, path.rfind('/'));
    if (parent.empty())
        return Error::failed("can't make " + path + ": it is not a folder of yours");
    if (auto made = make_folders(parent); !made) return made;
    if (::stat(parent.c_str(), &info) != 0) return Error::system("can't make " + path, errno);
    if (info.st_uid != ::geteuid())
        return Error::failed("can't make " + path + ": " + parent + " belongs to user " +
                             std::to_string(info.st_uid));
    if (::mkdir(path.c_str(), 0700) != 0) {
        if (errno == EEXIST) return {}; // somebody was faster
        return Error::system("can't make " + path, errno);
    }
    if (::chmod(path.c_str(), 0700) != 0)
        return Error::system("can't make " + path, errno); // whatever the umask
    return {};
}

/// Made by another name first, so that nobody ever reads half of it. 0 or the errno.
int write_entry(int folder, const std::string& name, const std::string& text)
{
    const std::string made_as = ".new-" + std::to_string(::getpid());
    (void)::unlinkat(folder, made_as.c_str(), 0); // of a process of that pid that was killed
    Fd file(::openat(folder, made_as.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                     0600));
    int err = file ? 0 : errno;
    if (!err && ::fchmod(file.get(), 0600) != 0) err = errno; // whatever the umask
    if (!err) err = write_all(file.get(), text);
    if (!err && ::fsync(file.get()) != 0) err = errno;
    if (!err && ::renameat(folder, made_as.c_str(), folder, name.c_str()) != 0) err = errno;
    if (err && file) (void)::unlinkat(folder, made_as.c_str(), 0);
    return err;
}

} // namespace

Result<std::string> locate_trust(std::string_view xdg_data_home, std::string_view home)
{
    if (xdg_data_home.starts_with('/')) return std::string(xdg_data_home) + "/bgt/trusted";
    if (home.starts_with('/')) return std::string(home) + "/.local/share/bgt/trusted";
    return Error::usage("can't tell where trusted files are kept: HOME is not set");
}

Result<config::Trust> TrustStore::check(const std::string& file, std::string_view text) const
{
    const auto folder = open_folder(folder_);
    if (!folder) return folder.error();
    if (!*folder) return config::Trust::none;
    const auto name = entry_name(file);
    const auto whole = read_entry(folder->get(), name, folder_ + "/" + name);
    if (!whole) return whole.error();
    if (*whole == entry_text(file, text)) return config::Trust::given;
    return parse_entry({}, *whole).file == file ? config::Trust::changed : config::Trust::none;
}

Result<void> TrustStore::add(const std::string& file, std::string_view text) const
{
    if (!file.starts_with('/') || file.find('\0') != file.npos)
        return Error::usage("only an absolute path can be trusted");
    if (auto trusted = check_path(folder_); !trusted) return trusted;
    if (auto made = make_folders(folder_); !made) return made;
    const auto folder = open_folder(folder_);
    if (!folder) return folder.error();
    const auto name = entry_name(file);
    if (const int err = write_entry(folder->get(), name, entry_text(file, text)))
        return Error::system("can't write " + folder_ + "/" + name, err);
    return {};
}

Result<bool> TrustStore::remove(const std::string& file) const
{
    const auto folder = open_folder(folder_);
    if (!folder) return folder.error();
    if (!*folder) return false;
    const auto name = entry_name(file), path = folder_ + "/" + name;
    const auto whole = read_entry(folder->get(), name, path);
    if (!whole) return whole.error();
    if (parse_entry({}, *whole).file != file) return false;
    if (::unlinkat(folder->get(), name.c_str(), 0) != 0 && errno != ENOENT)
        return Error::system("can't remove " + path, errno);
    return true;
}

Result<std::vector<TrustedFile>> TrustStore::list() const
{
    std::vector<TrustedFile> out;
    auto folder = open_folder(folder_);
    if (!folder) return folder.error();
    if (!*folder) return out;
    detail::Listing listing(std::move(*folder));
    if (!listing) return Error::system("can't read " + folder_, errno);
    while (const char* entry = listing.next()) {
        const std::string name(entry), path = folder_ + "/" + name;
        if (name.starts_with('.')) continue; // one that is being made
        const auto whole = read_entry(listing.fd(), name, path);
        auto parsed = parse_entry(path, whole ? std::string_view(*whole) : std::string_view());
        if (entry_name(parsed.file) != name) parsed.file.clear(); // it is never found by its path
        out.push_back(std::move(parsed));
    }
    std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.file < b.file; });
    return out;
}

} // namespace bgt::store
