#pragma once
/// Which folder a project's name stands for: projects/NAME in the root, a symbolic link that is
/// read and never followed ("shop -> /home/ann/shop"). The names of a project's tasks are
/// PROJECT:NAME, so two folders must not have the same.
#include <bgt/base/result.hpp>
#include <bgt/store/root.hpp>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bgt::store {

struct Project {
    std::string name;
    std::string folder; ///< absolute
};

/// The longest name of a project: it leaves room for those of its tasks.
inline constexpr std::size_t max_project_size = 30;

/// "shop:web"
std::string name_in_project(std::string_view project, std::string_view task);
/// The name as it is said inside this project ("web" of "shop:web"); any other as it is. An empty
/// project is none.
std::string_view name_said_in(std::string_view project, std::string_view name);
/// The name that a folder has by itself: its last part, of the characters that a name can have.
std::string natural_project_name(std::string_view folder);
/// The name of the project in this very folder (absolute), which gets one where it has none: the
/// natural one, with "-2", "-3" and so on where another folder has that. A folder that is gone
/// gives its name up as soon as no task with a name of that project is kept for it.
Result<std::string> claim_project(Root&, const std::string& folder,
                                  const std::function<bool(TaskId)>& is_kept);
/// All that there are, by name.
Result<std::vector<Project>> projects(const Root&);
/// The project in this folder (absolute), or in the nearest one above it that has one.
Result<std::optional<Project>> find_project(const Root&, std::string_view folder);

} // namespace bgt::store
