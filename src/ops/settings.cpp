#include <bgt/ops/settings.hpp>

#include <bgt/os/trusted_file.hpp>

#include <cstdlib>
#include <string_view>
#include <unistd.h>
#include <utility>

namespace bgt::ops {
namespace {

std::string_view variable(const char* name)
{
    const char* value = std::getenv(name);
    return value == nullptr ? std::string_view() : value;
}

/// Inside a task BGT_GRACE tells its command how long that has; it is no wish for tasks that are
/// started in it.
const char* setting_of_environment(const char* name)
{
    if (std::string_view(name) == "BGT_GRACE" && std::getenv("BGT_TASK_ID") != nullptr)
        return nullptr;
    return std::getenv(name);
}

} // namespace

std::string user_settings_file()
{
    const auto xdg = variable("XDG_CONFIG_HOME");
    if (xdg.starts_with('/')) return std::string(xdg) + "/bgt/config.toml";
    const auto home = variable("HOME");
    return home.starts_with('/') ? std::string(home) + "/.config/bgt/config.toml" : std::string();
}

Result<config::Loaded> load_settings(const std::string& cwd, config::TrustCheck trust,
                                     config::Mistakes mistakes, const NamedFile& named)
{
    return config::load({setting_of_environment, cwd, user_settings_file(), ::getuid(),
                         os::read_trusted, std::move(trust), mistakes, named.path, named.by});
}

Result<config::Loaded> load_project_file(const std::string& file)
{
    return config::load(
        {nullptr, "", "", ::getuid(), os::read_trusted, {}, config::Mistakes::refuse, file, ""});
}

Result<config::File> read_own_file(const std::string& path)
{
    return os::read_trusted(path, ::getuid());
}

std::vector<std::string> setting_keys()
{
    std::vector<std::string> keys;
    // Of a configuration without files and without variables: the keys are the same everywhere.
    if (const auto loaded = config::load(
            {[](const char*) -> const char* { return nullptr; }, "", "", 0, os::read_trusted}))
        for (const auto& row : loaded->rows) keys.push_back(row.key);
    return keys;
}

} // namespace bgt::ops
