// What `--watch` reads: globs of the command line and of bgt.toml, --on-change, and the .gitignore
// of any folder.
#include "fuzz.hpp"

#include <bgt/base/text.hpp>
#include <bgt/core/watch.hpp>

using namespace bgt;
using fuzz::is_message;

namespace {

constexpr const char* folder = "/home/ada";

void check_glob(const std::string& glob, const std::string& path)
{
    const auto roots = core::parse_globs({glob}, folder);
    if (!roots) {
        FUZZ_CHECK(is_message(roots.error().message));
        FUZZ_CHECK(display_width(roots.error().message) < 400);
        return;
    }
    FUZZ_CHECK(!roots->empty());
    for (const core::WatchRoot& root : *roots) {
        FUZZ_CHECK(root.folder.starts_with('/') && !root.globs.empty());
        for (const core::WatchGlob& each : root.globs) {
            FUZZ_CHECK(!each.parts().empty());
            // A folder on the way to what matches is never left out.
            if (each.matches(path))
                for (std::size_t at = 0; (at = path.find('/', at + 1)) != std::string::npos;)
                    FUZZ_CHECK(each.leads_below(path.substr(0, at)));
            if (each.names(path)) FUZZ_CHECK(each.matches(path));
        }
        const core::WatchFilter filter(root, {path}, folder, {"/state"});
        static_cast<void>(filter.judge((root.folder == "/" ? "" : root.folder) + "/" + path, false,
                                       core::WatchFilter::Verdict::take));
    }
}

void check_rules(const std::string& rules, const std::string& path)
{
    const auto parsed = core::IgnoreRules::parse(rules);
    FUZZ_CHECK(parsed.size() <= 10'000);
    const auto file = parsed.ignores(path, false), as_folder = parsed.ignores(path, true);
    if (file && *file && rules.find('!') == std::string::npos) FUZZ_CHECK(as_folder == true);
    // A rule for all in front changes nothing where another one says something.
    if (const auto all = core::IgnoreRules::parse("*\n" + rules).ignores(path, false);
        file && !rules.starts_with("\xEF\xBB\xBF"))
        FUZZ_CHECK(all == file);
}

void check_on_change(const std::string& text)
{
    core::WatchSpec watch;
    const auto read = core::parse_on_change(text, watch);
    if (!read) {
        FUZZ_CHECK(is_message(read.error().message));
        return;
    }
    core::WatchSpec again;
    FUZZ_CHECK(core::parse_on_change(core::format_on_change(watch), again) && again == watch);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    fuzz::Input in(data, size);
    std::string path(in.until('\0'));
    const std::string text(in.rest());
    if (path.size() > 256 || text.size() > 4096) return 0; // work grows with their product
    while (path.starts_with('/')) path.erase(0, 1);
    while (path.ends_with('/')) path.pop_back();
    for (std::size_t at = 0; (at = path.find("//")) != std::string::npos;) path.erase(at, 1);
    check_glob(text, path);
    check_rules(text, path);
    check_on_change(text);
    return 0;
}
