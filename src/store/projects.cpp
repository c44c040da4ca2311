#include <bgt/store/projects.hpp>

#include "files.hpp"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace bgt::store {
namespace {

constexpr const char* folder_name = "projects";
constexpr int max_of_a_name = 1000;

Error cannot_read(const Root& root)
{
    return detail::explain("can't read " + root.path() + "/projects", errno);
}

/// The folder that the name stands for; nullopt: it is free, or what stands there is damaged.
std::optional<std::string> target_of(int dir, const std::string& name)
{
    char target[PATH_MAX];
    const ssize_t n = ::readlinkat(dir, name.c_str(), target, sizeof target);
    if (n <= 0 || target[0] != '/') return std::nullopt;
    return std::string(target, static_cast<std::size_t>(n));
}

bool is_folder(const std::string& path)
{
    struct stat info = {};
    if (::stat(path.c_str(), &info) != 0) return errno != ENOENT && errno != ENOTDIR;
    return S_ISDIR(info.st_mode);
}

/// Only under the lock. 0 or the errno.
int put(int dir, const std::string& name, const std::string& folder)
{
    constexpr const char* fresh = ".new";
    if (::unlinkat(dir, fresh, 0) != 0 && errno != ENOENT) return errno; // a crash left it
    if (::symlinkat(folder.c_str(), dir, fresh) != 0) return errno;
    return ::renameat(dir, fresh, dir, name.c_str()) == 0 ? 0 : errno;
}

Result<Fd> open_projects(Root& root)
{
    if (::mkdirat(root.fd(), folder_name, 0700) != 0 && errno != EEXIST) return cannot_read(root);
    Fd dir = detail::open_below(root.fd(), folder_name, O_RDONLY | O_DIRECTORY);
    if (!dir) return cannot_read(root);
    return dir;
}

} // namespace

std::string name_in_project(std::string_view project, std::string_view task)
{
    return std::string(project) + project_separator + std::string(task);
}

std::string_view name_said_in(std::string_view project, std::string_view name)
{
    if (project.empty() || !name.starts_with(project)) return name;
    const std::string_view rest = name.substr(project.size());
    return rest.starts_with(project_separator) ? rest.substr(1) : name;
}

std::string natural_project_name(std::string_view folder)
{
    std::string name(folder.substr(folder.rfind('/') + 1));
    const auto is_letter = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    };
    for (char& c : name)
        if (!is_letter(c) && !(c >= '0' && c <= '9') && c != '.' && c != '-') c = '_';
    if (name.empty() || !is_letter(name.front())) name.insert(0, "_");
    return name.substr(0, max_project_size - 4); // "-999" has room
}

Result<std::string> claim_project(Root& root, const std::string& folder,
                                  const std::function<bool(TaskId)>& is_kept)
{
    BGT_TRY_ASSIGN(const Fd dir, open_projects(root));
    const Fd lock = open_lock_file(dir.get(), ".lock", O_RDWR | O_CREAT);
    if (!lock) return cannot_read(root);
    if (const int err = detail::lock_waiting(lock.get())) {
        errno = err;
        return cannot_read(root);
    }
    BGT_TRY_ASSIGN(const std::vector<Project> all, projects(root));
    const auto own = std::ranges::find(all, folder, &Project::folder);
    if (own != all.end()) return own->name;
    BGT_TRY_ASSIGN(const auto names, root.names());
    const std::string natural = natural_project_name(folder);
    for (int n = 1; n < max_of_a_name; ++n) {
        const std::string name = n == 1 ? natural : natural + "-" + std::to_string(n);
        const auto other = target_of(dir.get(), name);
        if (other && is_folder(*other)) continue;
        const std::string prefix = name_in_project(name, "");
        if (std::ranges::any_of(names, [&](const auto& one) {
                return one.first.starts_with(prefix) && is_kept(one.second);
            }))
            continue;
        if (const int err = put(dir.get(), name, folder))
            return detail::explain("can't write " + root.path() + "/projects/" + name, err);
        return name;
    }
    return Error::failed("there are too many projects of the name " + natural);
}

Result<std::vector<Project>> projects(const Root& root)
{
    std::vector<Project> all;
    if (!root.exists()) return all;
    detail::Listing listing(detail::open_below(root.fd(), folder_name, O_RDONLY | O_DIRECTORY));
    if (!listing && errno == ENOENT) return all;
    if (!listing) return cannot_read(root);
    while (const char* name = listing.next()) {
        if (!check_plain_name(name)) continue;
        if (auto folder = target_of(listing.fd(), name)) all.push_back({name, *std::move(folder)});
    }
    std::ranges::sort(all, {}, &Project::name);
    return all;
}

Result<std::optional<Project>> find_project(const Root& root, std::string_view folder)
{
    std::optional<Project> nearest;
    BGT_TRY_ASSIGN(std::vector<Project> all, projects(root));
    for (Project& project : all) {
        const std::string_view above = project.folder;
        const bool is_at_or_above =
            folder == above || above == "/" ||
            (folder.starts_with(above) && folder.substr(above.size()).starts_with('/'));
        if (is_at_or_above && (!nearest || above.size() > nearest->folder.size()))
            nearest = std::move(project);
    }
    return nearest;
}

} // namespace bgt::store
