#include "help_text.hpp"

#include <algorithm>
#include <bgt/base/text.hpp>
#include <bgt/cli/verb.hpp>

namespace bgt::cli {

namespace {

constexpr std::size_t indent = 2;
constexpr std::size_t gap = 2;
constexpr std::size_t widest_left = 26;

std::size_t usable(int width)
{
    return static_cast<std::size_t>(std::clamp(width, 50, 100));
}

/// "-n, --lines N", with the short name's place left free where there is none, so that long names
/// are aligned.
std::string option_left(const OptionInfo& info)
{
    std::string out;
    for (const auto name : info.all_names()) out.append(out.empty() ? "" : ", ").append(name);
    if (info.names.starts_with("--")) out.insert(0, "    ");
    if (!info.metavar.empty()) out.append(" ").append(info.metavar);
    return out;
}

void add_wrapped(std::string& out, std::string_view text, std::size_t from, std::size_t until)
{
    std::size_t column = from;
    while (!text.empty()) {
        const auto space = std::min(text.find(' '), text.size());
        const auto word = text.substr(0, space);
        const auto word_width = display_width(word);
        if (column > from && column + 1 + word_width > until) {
            out += "\n" + std::string(from, ' ');
            column = from;
        }
        if (column > from) {
            out += ' ';
            ++column;
        }
        out += word;
        column += word_width;
        text.remove_prefix(std::min(space + 1, text.size()));
    }
    out += '\n';
}

} // namespace

void add_row(std::string& out, const std::string& left, std::size_t left_width,
             const std::string& right, int width)
{
    const std::size_t from = indent + left_width + gap;
    out += std::string(indent, ' ') + left;
    const std::size_t taken = display_width(left);
    if (taken > left_width) out += "\n" + std::string(from, ' ');
    else out += std::string(left_width - taken + gap, ' ');
    add_wrapped(out, right, from, usable(width));
}

std::string verb_help(const HelpSource& source, int width)
{
    std::string out = "Usage: bgt " + source.verb;
    if (!source.synopsis.empty()) out += " " + source.synopsis;
    out += "\n\n";
    std::string summary = source.summary + ".";
    summary[0] =
        static_cast<char>(summary[0] - 'a' + 'A'); // they all begin with a small ASCII letter
    add_wrapped(out, summary, 0, usable(width));
    std::size_t left = 0;
    for (const auto& info : *source.options) {
        const auto size = display_width(option_left(info));
        if (size <= widest_left) left = std::max(left, size);
    }
    // --help comes first where it is declared, and last where it is read.
    std::string tail;
    const bool grouped = std::ranges::any_of(
        *source.options, [](const auto& info) { return info.group != nullptr; });
    if (!grouped) out += "\nOptions:\n";
    for (const auto& info : *source.options) {
        if (info.group != nullptr) out += "\n" + std::string(info.group) + ":\n";
        auto& where = info.long_name() == "--help" ? tail : out;
        add_row(where, option_left(info), left,
                std::string(info.help) + (info.repeats ? " (repeatable)" : ""), width);
    }
    out += tail;
    if (!source.examples->empty()) out += "\nExamples:\n";
    for (const auto& line : *source.examples) out += "  " + line + "\n";
    return out;
}

std::string program_help(int width)
{
    std::string out =
        "Usage: bgt [--root DIR] [--config FILE] VERB [options] [arguments]\n\n"
        "Runs commands in the background as tasks, and supervises each until its last\n"
        "process has ended.\n\nVerbs:\n";
    std::size_t left = 0;
    for (const auto& verb : verbs()) left = std::max(left, verb.name.size());
    for (const auto& verb : verbs())
        add_row(out, std::string(verb.name), left, std::string(verb.summary), width);
    out += "\nOptions:\n";
    add_row(out, "--root DIR", 13,
            "the folder that holds all tasks (default: $BGT_ROOT, else ~/.local/state/bgt)", width);
    add_row(out, "--config FILE", 13,
            "read FILE in place of the nearest bgt.toml (default: $BGT_CONFIG)", width);
    add_row(out, "--version", 13, "print the version", width);
    add_row(out, "-h, --help", 13, "print this help; bgt VERB --help describes one verb", width);
    out += "\nExamples:\n"
           "  bgt run --name web -- npm run dev      start it in the background, print its id\n"
           "  bgt wait --timeout 30 --for port web   wait until it listens\n"
           "  bgt logs -f web                        follow what it prints\n"
           "  bgt kill web                           end it, with every process of it\n";
    return out;
}

} // namespace bgt::cli
