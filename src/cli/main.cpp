#include <bgt/cli/verb.hpp>

#include "help_text.hpp"

#include <algorithm>
#include <bgt/base/text.hpp>
#include <bgt/ops/start.hpp>
#include <bgt/os/terminal.hpp>
#include <bgt/render/json.hpp>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fcntl.h>
#include <unistd.h>
#include <utility>

namespace bgt::cli {

namespace {

/// A caller may have closed descriptors 0 to 2; the next open() would then be taken for one of
/// them. A stand-in that fails with EBADF when used is put there (as GNU coreutils do).
void fill_standard_descriptors()
{
    for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
        if (::fcntl(fd, F_GETFD) < 0)
            (void)::open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

int complain(std::string_view where, std::string_view text)
{
    std::string line = "bgt";
    if (!where.empty()) line += " " + std::string(where);
    line += ": " + printable(text) + "\n";
    std::fputs(line.c_str(), stderr);
    return code::failed;
}

int width_of(int fd)
{
    return os::is_terminal(fd) ? os::terminal_width(fd) : 80;
}

int print(const std::string& text)
{
    if (std::fputs(text.c_str(), stdout) < 0 || std::fflush(stdout) != 0)
        return complain("", "can't write to stdout");
    return code::ok;
}

/// Of a command line that can't be read: as JSON too where it asks for that.
int refuse(std::string_view verb, std::string_view text, const std::vector<std::string>& args)
{
    const auto options_end = std::find(args.begin(), args.end(), "--");
    const bool json = std::find(args.begin(), options_end, "--json") != options_end;
    if (!json) return complain(verb, text);
    print(render::error_json(std::string(text), code::failed));
    return code::failed;
}

/// What `show` has besides.
constexpr std::string_view fields_of_show[] = {"attempts", "results", "hooks", "events",
                                               "not_ready"};

/// --fields and --brief of the verbs that have them.
Result<render::TaskFields> read_fields(const Parser& parser, std::string_view verb)
{
    render::TaskFields out{.names = {}, .brief = parser.is_set("--brief")};
    const std::string* const names = parser.value_of("--fields");
    if ((names != nullptr || out.brief) && !parser.is_set("--json"))
        return Error::usage("--fields and --brief need --json");
    if (names == nullptr) return out;
    std::span<const std::string_view> more;
    if (verb == "show") more = fields_of_show;
    BGT_TRY_ASSIGN(out.names, render::parse_task_fields(*names, more));
    return out;
}

/// What other programs call it.
std::string_view verb_meant_by(std::string_view word)
{
    static constexpr std::pair<std::string_view, std::string_view> words[] = {
        {"list", "bgt ps"},
        {"jobs", "bgt ps"},
        {"status", "bgt ps, or bgt show TASK"},
        {"top", "bgt ps --watch"},
        {"tail", "bgt logs -f TASK"},
        {"start", "bgt run"},
        {"exec", "bgt run"},
        {"attach", "bgt logs -f TASK"},
        {"follow", "bgt logs -f TASK"},
        {"add", "bgt run, or bgt submit"},
        {"log", "bgt logs TASK"},
        {"inspect", "bgt show TASK"},
        {"info", "bgt show TASK"},
        {"remove", "bgt rm TASK"},
        {"delete", "bgt rm TASK"},
        {"prune", "bgt gc"},
        {"clean", "bgt gc"},
        {"continue", "bgt resume TASK"}};
    const auto* const found =
        std::ranges::find(words, word, &std::pair<std::string_view, std::string_view>::first);
    return found == std::end(words) ? std::string_view() : found->second;
}

int unknown_verb(const std::string& word)
{
    if (const auto meant = verb_meant_by(word); !meant.empty())
        return complain("", "there is no verb '" + word + "': use " + std::string(meant));
    std::vector<std::string> names;
    for (const auto& verb : verbs()) names.emplace_back(verb.name);
    const auto near = near_matches(word, names);
    std::string text = "there is no verb '" + printable(word) + "'";
    text += near.empty() ? " (bgt --help lists all)" : " (did you mean " + near.front() + "?)";
    return complain("", text);
}

/// Ends the process, and leaves the freeing of all it has to the kernel: to write to pages that a
/// supervisor shares since the fork would have each of them copied first.
[[noreturn]] void leave(int code)
{
#ifdef BGT_REPORTS_AT_EXIT
    std::exit(code);
#else
    std::fflush(stdout);
    ::_exit(code);
#endif
}

config::Mistakes mistakes_of(const VerbInfo& info, const std::vector<std::string>& args)
{
    if (info.needs_no_settings.empty()) return info.mistakes;
    const bool has_words =
        std::ranges::any_of(args, [](const std::string& arg) { return !arg.starts_with('-'); });
    const std::string word = " " + (has_words ? args.front() : std::string("ls")) + " ";
    return info.needs_no_settings.find(word) != std::string_view::npos ? config::Mistakes::pass_over
                                                                       : info.mistakes;
}

int run_verb(const VerbInfo& info, Places places, const std::vector<std::string>& args)
{
    const auto verb = info.make();
    Parser parser(std::string(info.name), std::string(info.summary), std::string(info.synopsis));
    verb->declare(parser);
    declare_places(parser, places);
    const auto outcome = parser.parse(args);
    if (!outcome) return refuse(info.name, outcome.error().message, args);
    if (*outcome == Parser::Outcome::help_wanted)
        return print(parser.help(width_of(STDOUT_FILENO)));
    auto context = Context::load(places, info.name, mistakes_of(info, args));
    if (!context) return refuse(info.name, context.error().message, args);
    auto fields = read_fields(parser, info.name);
    if (!fields) return refuse(info.name, fields.error().message, args);
    if (parser.is_set("--json")) context->answer_in_json(*std::move(fields));
    const int code = verb->run(*context);
    context->finish();
    leave(code);
}

int help(const std::vector<std::string>& args)
{
    if (args.empty()) return print(program_help(width_of(STDOUT_FILENO)));
    const auto* info = find_verb(args.front());
    return info == nullptr ? unknown_verb(args.front()) : run_verb(*info, {}, {"--help"});
}

/// An option that may stand before the verb, as `--root DIR` or `--root=DIR`.
struct GivenPlace {
    std::optional<std::string>* value = nullptr; ///< null: it is none of them
    std::string_view option = {};
    const char* metavar = "";
};

GivenPlace find_place(Places& places, std::string_view arg)
{
    const auto option = arg.substr(0, arg.find('='));
    if (option == "--root") return {&places.root, "--root", "DIR"};
    if (option == "--config") return {&places.config, "--config", "FILE"};
    return {};
}

int run_program(std::vector<std::string> args)
{
    Places places;
    std::size_t i = 0;
    for (; i < args.size() && args[i].size() > 1 && args[i][0] == '-'; ++i) {
        const auto& arg = args[i];
        if (arg == "-h" || arg == "--help") return help({});
        if (arg == "--version" || arg == "-V") return print("bgt " BGT_VERSION "\n");
        const auto place = find_place(places, arg);
        if (place.value && arg.size() > place.option.size()) {
            *place.value = arg.substr(place.option.size() + 1);
        } else if (place.value) {
            if (i + 1 == args.size())
                return complain("", std::string(place.option) + " needs a value: " +
                                        std::string(place.option) + " " + place.metavar);
            *place.value = args[++i];
        } else {
            return complain("",
                            "unknown option " + printable(arg) + " before the verb (bgt --help)");
        }
    }
    if (i == args.size()) {
        std::fputs(program_help(width_of(STDERR_FILENO)).c_str(), stderr);
        return code::failed;
    }
    const std::string word = args[i];
    args.erase(args.begin(), args.begin() + static_cast<std::ptrdiff_t>(i) + 1);
    if (word == "help") return help(args);
    const auto* info = find_verb(word);
    return info == nullptr ? unknown_verb(word) : run_verb(*info, std::move(places), args);
}

} // namespace

int main(int argc, char** argv)
{
    fill_standard_descriptors();
    std::signal(SIGXFSZ,
                SIG_IGN); // beyond the caller's `ulimit -f` a write fails, and that is told
    ops::prepare_to_start(argc, argv);
    try {
        return run_program(std::vector<std::string>(argv + (argc > 0 ? 1 : 0), argv + argc));
    } catch (const std::exception& e) {
        return complain("",
                        std::string("this is a bug, or memory is short: ") + printable(e.what()));
    }
}

} // namespace bgt::cli
