#include <bgt/store/environment.hpp>

#include "files.hpp"

#include <bgt/base/descriptor.hpp>
#include <bgt/store/task_dir.hpp>

#include <algorithm>
#include <cerrno>
#include <fcntl.h>

namespace bgt::store {
namespace {

constexpr std::size_t max_bytes = 64u << 20; ///< far above what execve(2) takes

} // namespace

Result<void> write_environment(int task_dir_fd, const std::vector<std::string>& env)
{
    std::string text;
    for (const std::string& entry : env) text.append(entry).push_back('\0');
    const Fd fd = open_file(task_dir_fd, file::environment, O_WRONLY | O_CREAT | O_EXCL);
    if (!fd) return detail::explain("can't create the file for the environment", errno);
    if (const int err = write_all(fd.get(), text))
        return detail::explain("can't write the environment", err);
    return {};
}

Result<std::optional<std::vector<std::string>>> read_environment(int task_dir_fd)
{
    using Kept = std::optional<std::vector<std::string>>;
    const auto text = detail::read_file(task_dir_fd, file::environment, max_bytes,
                                        "can't read the kept environment");
    if (!text) return text.error().sys_errno == ENOENT ? Result<Kept>(Kept{}) : text.error();
    Kept env(std::in_place);
    for (std::string_view rest = *text; !rest.empty();) {
        const std::string_view entry = rest.substr(0, rest.find('\0'));
        rest.remove_prefix(std::min(rest.size(), entry.size() + 1));
        if (!entry.empty()) env->emplace_back(entry);
    }
    return env;
}

void drop_queue_variables(std::vector<std::string>& env)
{
    std::erase_if(env, [](const std::string& entry) {
        return entry.starts_with(queue_prefix) || entry.starts_with(slot_prefix) ||
               entry.starts_with(resource_prefix);
    });
}

void drop_array_variables(std::vector<std::string>& env)
{
    std::erase_if(env, [](const std::string& entry) {
        return entry.starts_with("BGT_ARRAY_INDEX=") || entry.starts_with("BGT_ITEM=");
    });
}

} // namespace bgt::store
