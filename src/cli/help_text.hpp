#pragma once
/// The text of --help, laid out for a width.
#include <bgt/cli/parser.hpp>

namespace bgt::cli {

struct HelpSource {
    const std::string& verb;
    const std::string& summary;
    const std::string& synopsis;
    const std::vector<OptionInfo>* options;
    const std::vector<std::string>* examples;
};

/// `bgt VERB --help`.
std::string verb_help(const HelpSource&, int width);
/// `bgt --help`: every verb with its summary.
std::string program_help(int width);

/// Two columns: `left` as it stands, `right` wrapped beside it; on a line of its own where `left`
/// is wider than its column.
void add_row(std::string& out, const std::string& left, std::size_t left_width,
             const std::string& right, int width);

} // namespace bgt::cli
