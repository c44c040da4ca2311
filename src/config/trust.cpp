#include <bgt/config/trust.hpp>

#include <bgt/base/text.hpp>
#include <fmt/format.h>

namespace bgt::config {

namespace {

std::string joined(const std::vector<std::string>& keys)
{
    std::string out;
    for (const auto& key : keys) out += (out.empty() ? "" : ", ") + key;
    return out;
}

} // namespace

Project::Project(std::string file, std::string text, TrustCheck check)
    : file_(std::move(file)), text_(std::move(text)), check_(std::move(check))
{}

std::string Project::folder() const
{
    const auto slash = file_.rfind('/');
    return slash == 0 || slash == file_.npos ? "/" : file_.substr(0, slash);
}

bool Project::is_trusted() const
{
    if (!answer_) answer_ = check_ ? check_(file_, text_) : Result<Trust>(Trust::none);
    return *answer_ && **answer_ == Trust::given;
}

std::string Project::why_not() const
{
    const bool trusted = is_trusted();
    const auto name = printable(file_);
    if (!*answer_)
        return fmt::format("{} is not trusted ({})", name, printable(answer_->error().message));
    if (**answer_ == Trust::changed) return name + " has changed since it was trusted";
    return name + (trusted ? " is trusted" : " is not trusted");
}

std::string ignored_line(const Project& project, const std::vector<std::string>& untrusted,
                         const std::vector<std::string>& own_only)
{
    std::string own;
    if (!own_only.empty()) {
        own = fmt::format("{} never appl{} in a bgt.toml, only in your own settings",
                          joined(own_only), own_only.size() == 1 ? "ies" : "y");
    }
    if (untrusted.empty()) return fmt::format("{} is read, but {}", printable(project.file()), own);
    const bool found = project.file().ends_with("/bgt.toml");
    return fmt::format("{}, so this is ignored: {} (read the file, then: bgt trust {}{}){}{}",
                       project.why_not(), joined(untrusted), found ? "" : "--config ",
                       shell_quote(printable(found ? project.folder() : project.file())),
                       own.empty() ? "" : "; ", own);
}

} // namespace bgt::config
