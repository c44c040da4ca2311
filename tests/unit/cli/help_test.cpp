#include "support/catch.hpp"

#include "cli/completion/completion.hpp"
#include <bgt/base/text.hpp>
#include <bgt/cli/verb.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

using namespace bgt::cli;

namespace {

std::unique_ptr<Parser> parser_of(const VerbInfo& info, Verb& verb)
{
    auto parser = std::make_unique<Parser>(std::string(info.name), std::string(info.summary),
                                           std::string(info.synopsis));
    verb.declare(*parser);
    return parser;
}

} // namespace

TEST_CASE("every verb's help fits 80 columns and names every option once")
{
    for (const auto& info : verbs()) {
        INFO(info.name);
        const auto verb = info.make();
        const auto parser = parser_of(info, *verb);
        const auto help = parser->help(80);
        std::size_t from = 0;
        while (from < help.size()) {
            const auto end = help.find('\n', from);
            REQUIRE(end != std::string::npos);
            const auto line = help.substr(from, end - from);
            INFO(line);
            CHECK(bgt::display_width(line) <= 80);
            CHECK((line.empty() || line.back() != ' '));
            from = end + 1;
        }
        std::set<std::string> seen;
        for (const auto& option : parser->options()) {
            CHECK_FALSE(std::string_view(option.help).empty());
            CHECK_FALSE(std::string_view(option.help).ends_with('.'));
            for (const auto name : option.all_names()) {
                CHECK(seen.emplace(name).second);
                CHECK(help.find(name) != std::string::npos);
            }
        }
        CHECK_FALSE(parser->examples().empty());
    }
}

TEST_CASE("the completion scripts know every verb and every option")
{
    const std::string scripts[] = {bash_completion(), zsh_completion(), fish_completion()};
    for (const auto& shape : verb_shapes())
        for (const auto& script : scripts) {
            CHECK(script.find(shape.name) != std::string::npos);
            for (const auto& option : shape.options)
                for (const auto known : option.all_names()) {
                    const std::string name(known);
                    INFO(shape.name << " " << name);
                    const auto wanted = &script == &scripts[2] && name.starts_with("--")
                                            ? "-l " + name.substr(2) + " "
                                        : &script == &scripts[2] ? "-s " + name.substr(1) + " "
                                                                 : name;
                    CHECK(script.find(wanted) != std::string::npos);
                }
        }
}

TEST_CASE("the completion files of the project are what bgt completion prints")
{
    const auto folder = std::filesystem::path(BGT_SOURCE_DIR "/completions");
    for (const auto& [name, text] :
         {std::pair{"bgt.bash", bash_completion()}, std::pair{"_bgt", zsh_completion()},
          std::pair{"bgt.fish", fish_completion()}}) {
        INFO(name << ": write it anew with bgt completion");
        std::ifstream file(folder / name, std::ios::binary);
        CHECK(std::string(std::istreambuf_iterator<char>(file), {}) == text);
    }
}
