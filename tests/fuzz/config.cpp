// bgt.toml, with the rules in it: from the text to what `bgt run` would start.
#include "cli/run/run_options.hpp"
#include "fuzz.hpp"

#include <bgt/config/settings.hpp>

using namespace bgt;

namespace {

constexpr const char* place = "/project/bgt.toml";

Result<config::Loaded> load(std::string_view text, const std::string& variable,
                            const std::string& value)
{
    config::Sources sources;
    sources.env = [&](const char* name) { return name == variable ? value.c_str() : nullptr; };
    sources.cwd = "/project/folder";
    sources.read = [&](const std::string& path, unsigned) -> Result<config::File> {
        return path == place ? config::File{true, std::string(text), {}} : config::File{};
    };
    sources.trust = [](const std::string&, std::string_view) {
        return Result<config::Trust>(config::Trust::given);
    };
    return config::load(sources);
}

/// Each value in force, as `bgt config` prints it, can be said by the environment as well.
void check_rows(const config::Loaded& loaded)
{
    for (std::size_t i = 0; i < loaded.rows.size(); ++i) {
        const config::SettingRow& row = loaded.rows[i];
        if (row.origin == config::Origin::built_in) continue;
        std::string variable = "BGT_";
        for (const char c : row.key) variable += c == '_' ? c : static_cast<char>(c - 'a' + 'A');
        const auto again = load({}, variable, row.value);
        FUZZ_CHECK(again && again->rows[i].value == row.value);
    }
}

void check_plan(const config::Settings& settings)
{
    cli::RunOptions options;
    options.command = {"npm", "run", "dev"};
    const auto plan = options.plan(settings);
    if (!plan) {
        FUZZ_CHECK(fuzz::is_message(plan.error().message));
        return;
    }
    FUZZ_CHECK(!plan->spec.command.empty() && plan->spec.policy.stop_ladder.size() <= 8);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const auto loaded = load(fuzz::Input(data, size).rest(), {}, {});
    if (!loaded) {
        FUZZ_CHECK(fuzz::is_message(loaded.error().message) &&
                   loaded.error().message.starts_with(place));
        return 0;
    }
    check_rows(*loaded);
    check_plan(loaded->settings);
    return 0;
}
