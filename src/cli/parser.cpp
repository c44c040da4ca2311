#include <bgt/cli/parser.hpp>

#include "cli11.hpp"
#include "help_text.hpp"

#include <algorithm>
#include <bgt/base/text.hpp>
#include <utility>

namespace bgt::cli {

namespace {

/// Far more than one command line can hold: a positional that is still missing some takes every
/// word. (CLI11's own "unlimited" would read the word `[a,b]` as a list of two.)
constexpr int words_wanted = 1 << 30;

constexpr std::size_t max_options = 64; ///< of one verb; more only cost an allocation

enum class Kind : std::uint8_t { flag, single, many };

struct Target {
    Kind kind = Kind::flag;
    bool* flag = nullptr;
    std::optional<std::string>* single = nullptr;
    std::vector<std::string>* many = nullptr;
    CLI::Option* option = nullptr; ///< once declare() has told CLI11 of it
};

/// Without the help flag that CLI11's public constructor makes, to be removed again: a twentieth of
/// all instructions of a start.
struct BareApp : CLI::App {
    BareApp() : App("", "", nullptr) {}
};

/// Whether `accepts` one of the names.
template <class Accepts>
bool any_name(std::string_view names, Accepts accepts)
{
    while (true) {
        const auto comma = names.find(',');
        if (accepts(names.substr(0, comma))) return true;
        if (comma == std::string_view::npos) return false;
        names.remove_prefix(comma + 1);
    }
}

std::vector<std::string_view> split(std::string_view text, char separator)
{
    std::vector<std::string_view> out;
    for (std::size_t from = 0; from <= text.size();) {
        const auto to = std::min(text.find(separator, from), text.size());
        out.push_back(text.substr(from, to - from));
        from = to + 1;
    }
    return out;
}

} // namespace

std::vector<std::string_view> OptionInfo::all_names() const
{
    return split(names, ',');
}

std::string_view OptionInfo::long_name() const
{
    return names.substr(names.rfind(',') + 1);
}

std::vector<std::string_view> OptionInfo::choices() const
{
    return closed ? split(metavar, '|') : std::vector<std::string_view>();
}

struct Parser::Impl {
    std::string verb, summary, synopsis;
    BareApp app;
    std::vector<OptionInfo> infos;
    std::vector<Target> targets; ///< one for each of infos
    std::vector<std::string>* words = nullptr;
    CLI::Option* words_option = nullptr; ///< none for a command
    Value words_value = Value::text;
    std::optional<Value> first_word;
    bool is_command = false;
    std::optional<std::string>* dash_target = nullptr;
    bool (*dash_accepts)(std::string_view) = nullptr;
    bool help_wanted = false;
    const char* next_group = nullptr;
    std::vector<std::string> examples;

    void add(const OptionInfo& info, const Target& target);
    void declare_mentioned(const std::vector<std::string>& args);
    void declare(const OptionInfo& info, Target& target);
    const OptionInfo* find(std::string_view name) const;
    Result<std::size_t> take_options(const std::vector<std::string>& args,
                                     std::vector<std::string>& options) const;
    bool take_dash_word(const std::string& arg) const;
    bool value_follows(const std::string& arg) const;
    Error unknown(const std::string& arg) const;
    Error mismatch(const std::string& what) const;
    Result<void> store_results();
};

void Parser::Impl::add(const OptionInfo& info, const Target& target)
{
    infos.push_back(info);
    infos.back().group = std::exchange(next_group, nullptr);
    targets.push_back(target);
}

/// CLI11 is told only of the options that these arguments may mean: telling it of all that `run`
/// has was half of all the instructions of a start.
void Parser::Impl::declare_mentioned(const std::vector<std::string>& args)
{
    const auto mentioned = [&args](std::string_view name) {
        return std::any_of(args.begin(), args.end(), [&name](const std::string& arg) {
            if (arg.size() < 2 || arg[0] != '-') return false;
            if (name.starts_with("--"))
                return arg.starts_with(name) &&
                       (arg.size() == name.size() || arg[name.size()] == '=');
            return arg[1] != '-' && arg.find(name[1]) != std::string::npos;
        });
    };
    for (std::size_t i = 0; i < infos.size(); ++i)
        if (any_name(infos[i].names, mentioned)) declare(infos[i], targets[i]);
}

void Parser::Impl::declare(const OptionInfo& info, Target& target)
{
    std::string joined(info.names);
    if (target.kind == Kind::flag) {
        target.option = app.add_flag(std::move(joined));
        target.option->disable_flag_override();
    } else {
        target.option = app.add_option(std::move(joined));
    }
    target.option->multi_option_policy(target.kind == Kind::many
                                           ? CLI::MultiOptionPolicy::TakeAll
                                           : CLI::MultiOptionPolicy::TakeLast);
}

const OptionInfo* Parser::Impl::find(std::string_view name) const
{
    for (const auto& info : infos)
        if (any_name(info.names, [name](std::string_view known) { return known == name; }))
            return &info;
    return nullptr;
}

/// Whether the argument after this option is its value: `--name`, `-n`, `-fn`, but not `--name=x`
/// or `-nx`.
bool Parser::Impl::value_follows(const std::string& arg) const
{
    if (arg.starts_with("--")) {
        const auto* info = find(arg);
        return info != nullptr && !info->metavar.empty();
    }
    for (std::size_t i = 1; i < arg.size(); ++i) {
        const auto* info = find(std::string("-") + arg[i]);
        if (info == nullptr) return false;
        if (!info->metavar.empty()) return i + 1 == arg.size();
    }
    return false;
}

bool Parser::Impl::take_dash_word(const std::string& arg) const
{
    if (dash_target == nullptr || arg.size() < 2 || arg[0] != '-' || arg[1] == '-') return false;
    if (!dash_accepts(std::string_view(arg).substr(1))) return false;
    *dash_target = arg.substr(1);
    return true;
}

/// The arguments before a `--`, and before a command, as CLI11 reads them as they were meant: it
/// takes `--name= x` for
/// `--name x`; as two arguments, `--name ""`, the empty value is kept. Returns where the rest
/// begins.
Result<std::size_t> Parser::Impl::take_options(const std::vector<std::string>& args,
                                               std::vector<std::string>& options) const
{
    std::size_t i = 0;
    for (; i < args.size() && args[i] != "--"; ++i) {
        const auto& arg = args[i];
        const bool word = arg.size() < 2 || arg[0] != '-';
        if (word && is_command) break;
        if (take_dash_word(arg)) continue;
        // CLI11 would take `-9` for a word.
        if (!word && arg[1] != '-' && find(arg.substr(0, 2)) == nullptr) return unknown(arg);
        if (!word && arg.size() > 3 && arg.starts_with("--") && arg.find('=') == arg.size() - 1 &&
            value_follows(arg.substr(0, arg.size() - 1))) {
            options.push_back(arg.substr(0, arg.size() - 1));
            options.emplace_back();
            continue;
        }
        options.push_back(arg);
        if (!word && value_follows(arg) && i + 1 < args.size()) options.push_back(args[++i]);
    }
    return i;
}

Error Parser::Impl::unknown(const std::string& arg) const
{
    const std::string name = arg.substr(0, arg.find('='));
    std::vector<std::string> all;
    for (const auto& info : infos)
        for (const auto known : info.all_names())
            if (known.starts_with("--")) all.emplace_back(known);
    std::string text = "unknown option " + printable(name);
    const auto near = near_matches(name, all);
    if (!near.empty()) {
        text += " (did you mean ";
        for (std::size_t i = 0; i < near.size(); ++i)
            text += (i == 0 ? "" : i + 1 == near.size() ? " or " : ", ") + near[i];
        return Error::usage(text + "?)");
    }
    return Error::usage(text + " (bgt " + verb + " --help lists all)");
}

/// CLI11's ArgumentMismatch begins with the option's name: "--timeout: 1 required TEXT missing",
/// or, of a flag with a value, without its dashes: "all was given ...".
Error Parser::Impl::mismatch(const std::string& what) const
{
    for (const auto& info : infos)
        for (const auto name : info.all_names())
            if (const std::string shown(info.long_name());
                what.starts_with(std::string(name) + ":") ||
                what.starts_with(std::string(name.substr(name.find_first_not_of('-'))) + " ")) {
                if (info.metavar.empty()) return Error::usage(shown + " takes no value");
                return Error::usage(shown + " needs a value: " + shown + " " +
                                    std::string(info.metavar));
            }
    return Error::usage(printable(what));
}

Result<void> Parser::Impl::store_results()
{
    for (std::size_t i = 0; i < targets.size(); ++i) {
        if (targets[i].option == nullptr) continue; // not mentioned
        const auto& results = targets[i].option->results();
        if (results.empty()) continue;
        const auto choices = infos[i].choices();
        if (!choices.empty() &&
            std::find(choices.begin(), choices.end(), results.back()) == choices.end()) {
            std::string list;
            for (const auto& choice : choices) list.append(list.empty() ? "" : ", ").append(choice);
            return Error::usage(std::string(infos[i].long_name()) + " knows " + list + ", not '" +
                                printable(results.back()) + "'");
        }
        switch (targets[i].kind) {
        case Kind::flag: *targets[i].flag = true; break;
        case Kind::single: *targets[i].single = results.back(); break;
        case Kind::many: *targets[i].many = results; break;
        }
    }
    if (words_option != nullptr) *words = words_option->results();
    return {};
}

Parser::Parser(std::string verb, std::string summary, std::string synopsis)
    : impl_(std::make_unique<Impl>())
{
    impl_->verb = std::move(verb);
    impl_->summary = std::move(summary);
    impl_->synopsis = std::move(synopsis);
    impl_->infos.reserve(max_options);
    impl_->targets.reserve(max_options);
    impl_->app.allow_extras();
    flag("-h,--help", impl_->help_wanted, "print this help");
}

Parser::~Parser() = default;

void Parser::flag(const char* names, bool& target, const char* help)
{
    impl_->add({.names = names, .help = help}, {.kind = Kind::flag, .flag = &target});
}

void Parser::option(const char* names, std::optional<std::string>& target, const char* metavar,
                    Value value, const char* help)
{
    impl_->add({.names = names, .metavar = metavar, .help = help, .value = value},
               {.kind = Kind::single, .single = &target});
}

void Parser::choice(const char* names, std::optional<std::string>& target, const char* choices,
                    const char* help)
{
    impl_->add({.names = names, .metavar = choices, .help = help, .closed = true},
               {.kind = Kind::single, .single = &target});
}

void Parser::list(const char* names, std::vector<std::string>& target, const char* metavar,
                  Value value, const char* help)
{
    impl_->add({.names = names, .metavar = metavar, .help = help, .value = value, .repeats = true},
               {.kind = Kind::many, .many = &target});
}

void Parser::words(std::vector<std::string>& target, std::string metavar, Value value)
{
    impl_->words = &target;
    impl_->words_value = value;
    impl_->words_option = impl_->app.add_option(std::move(metavar));
    impl_->words_option->expected(words_wanted, words_wanted)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    impl_->words_option->allow_extra_args(false);
}

void Parser::first_word(Value value)
{
    impl_->first_word = value;
}

void Parser::command(std::vector<std::string>& target)
{
    impl_->words = &target;
    impl_->words_value = Value::command;
    impl_->is_command = true;
}

void Parser::dash_word(std::optional<std::string>& target, bool (*accepts)(std::string_view))
{
    impl_->dash_target = &target;
    impl_->dash_accepts = accepts;
}

void Parser::group(const char* title)
{
    impl_->next_group = title;
}

void Parser::example(std::string line)
{
    impl_->examples.push_back(std::move(line));
}

Result<Parser::Outcome> Parser::parse(const std::vector<std::string>& args)
{
    std::vector<std::string> options;
    const auto taken = impl_->take_options(args, options);
    if (!taken) return taken.error();
    const auto rest = args.begin() + static_cast<std::ptrdiff_t>(*taken);
    impl_->declare_mentioned(options);
    if (impl_->is_command) // which is no business of CLI11: it stands as it is
        impl_->words->assign(rest != args.end() && *rest == "--" ? rest + 1 : rest, args.end());
    else options.insert(options.end(), rest, args.end());
    std::reverse(options.begin(), options.end()); // as CLI11 wants them
    try {
        impl_->app.parse(std::move(options));
    } catch (const CLI::ArgumentMismatch& e) {
        return impl_->mismatch(e.what());
    } catch (const CLI::Error& e) {
        return Error::usage(printable(e.what()));
    }
    for (const auto& extra : impl_->app.remaining()) {
        if (extra == "--") continue;
        if (extra.size() > 1 && extra[0] == '-') return impl_->unknown(extra);
        return Error::usage("takes no argument '" + printable(extra) + "'");
    }
    if (auto stored = impl_->store_results(); !stored) return stored.error();
    return impl_->help_wanted ? Outcome::help_wanted : Outcome::parsed;
}

bool Parser::is_set(std::string_view long_name) const
{
    for (std::size_t i = 0; i < impl_->infos.size(); ++i)
        if (impl_->infos[i].long_name() == long_name && impl_->targets[i].kind == Kind::flag)
            return *impl_->targets[i].flag;
    return false;
}

const std::string* Parser::value_of(std::string_view long_name) const
{
    for (std::size_t i = 0; i < impl_->infos.size(); ++i)
        if (impl_->infos[i].long_name() == long_name && impl_->targets[i].kind == Kind::single &&
            *impl_->targets[i].single)
            return &**impl_->targets[i].single;
    return nullptr;
}

std::string Parser::help(int width) const
{
    return verb_help(
        {impl_->verb, impl_->summary, impl_->synopsis, &impl_->infos, &impl_->examples}, width);
}

const std::vector<OptionInfo>& Parser::options() const
{
    return impl_->infos;
}

Value Parser::words_value() const
{
    return impl_->words_value;
}

Value Parser::first_word_value() const
{
    return impl_->first_word.value_or(impl_->words_value);
}

bool Parser::takes_words() const
{
    return impl_->words != nullptr;
}

const std::vector<std::string>& Parser::examples() const
{
    return impl_->examples;
}

} // namespace bgt::cli
