#include <bgt/config/services.hpp>

#include <algorithm>
#include <array>

namespace bgt::config {

namespace {

using Words = std::vector<std::string>;

constexpr int max_wrappers = 8;        ///< one inside the other; beyond, nobody wraps by hand
constexpr std::size_t max_text = 4096; ///< of `sh -c`: a script is no single command

/// A program that runs the command after its options. `valued` are those of its options that take
/// the next word.
struct Wrapper {
    std::string_view program;
    std::string_view verb; ///< the word or words it needs first: `poetry run`; empty: none
    std::string_view valued;
};

constexpr std::array wrappers{
    Wrapper{"env", "", " -u --unset -C --chdir "},
    Wrapper{"nohup", "", ""},
    Wrapper{"exec", "", ""},
    Wrapper{"command", "", ""},
    Wrapper{"time", "", ""},
    Wrapper{"setsid", "", ""},
    Wrapper{"nice", "", " -n "},
    Wrapper{"ionice", "", " -c -n "},
    Wrapper{"stdbuf", "", " -o -e -i "},
    Wrapper{"sudo", "", " -u -g "},
    Wrapper{"runuser", "", " -u --user -g --group "},
    Wrapper{"setpriv", "", " --reuid --regid --groups "},
    Wrapper{"npx", "", " -p --package "},
    Wrapper{"pnpx", "", ""},
    Wrapper{"bunx", "", ""},
    Wrapper{"bun", "x", ""},
    Wrapper{"pnpm", "exec", ""},
    Wrapper{"pnpm", "dlx", ""},
    Wrapper{"yarn", "exec", ""},
    Wrapper{"yarn", "dlx", ""},
    Wrapper{"npm", "exec", ""},
    Wrapper{"poetry", "run", ""},
    Wrapper{"pipenv", "run", ""},
    Wrapper{"uv", "run", " --with --python -p "},
    Wrapper{"rye", "run", ""},
    Wrapper{"pdm", "run", ""},
    Wrapper{"hatch", "run", ""},
    Wrapper{"bundle", "exec", ""},
    Wrapper{"uvx", "", " --from "},
    Wrapper{"dotenv", "", " -e -c "},
    Wrapper{"cross-env", "", ""},
    Wrapper{"node", "", " -r --require --import --loader "},
    Wrapper{"ruby", "", " -I -r "},
    Wrapper{"tini", "", ""},
    Wrapper{"dumb-init", "", ""},
};

bool is_one_of(std::string_view list, std::string_view word)
{
    const auto found = list.find(word);
    return !word.empty() && found != list.npos && found > 0 && list[found - 1] == ' ' &&
           list[found + word.size()] == ' ';
}

bool is_assignment(std::string_view word)
{
    const auto equals = word.find('=');
    if (equals == word.npos || equals == 0 || (word[0] >= '0' && word[0] <= '9')) return false;
    return std::all_of(word.begin(), word.begin() + static_cast<std::ptrdiff_t>(equals),
                       [](char c) {
                           return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                                  (c >= 'A' && c <= 'Z');
                       });
}

/// "/usr/bin/vite" -> "vite", "vite@5" -> "vite", "node_modules/vite/bin/vite.js" -> "vite".
std::string base_name(std::string_view word)
{
    word.remove_prefix(std::min(word.rfind('/') + 1, word.size()));
    if (const auto version = word.find('@'); version != word.npos && version > 0)
        word = word.substr(0, version);
    for (const std::string_view ending : {".js", ".cjs", ".mjs", ".cmd"})
        if (word.size() > ending.size() && word.ends_with(ending))
            word.remove_suffix(ending.size());
    return std::string(word);
}

bool is_python(std::string_view program)
{
    for (const std::string_view name : {"python", "pypy"})
        if (program.starts_with(name))
            return program.substr(name.size()).find_first_not_of("0123456789.") == program.npos;
    return false;
}

bool is_shell(std::string_view program)
{
    return is_one_of(" sh bash dash zsh ksh ash ", program);
}

void drop(Words& words, std::size_t count)
{
    words.erase(words.begin(),
                words.begin() + static_cast<std::ptrdiff_t>(std::min(count, words.size())));
}

/// Options, their values, `--` and assignments from the front: all at once, as there may be a
/// hundred thousand.
void drop_options(Words& words, std::string_view valued)
{
    std::size_t count = 0;
    while (count < words.size()) {
        const std::string& word = words[count];
        if (word == "--") return drop(words, count + 1);
        const bool takes_next = is_one_of(valued, word);
        if (!takes_next && !word.starts_with('-') && !is_assignment(word)) break;
        count += takes_next ? 2 : 1;
    }
    drop(words, count);
}

/// The commands of a shell's text, one after the other; `piped` where the one before feeds it, or
/// it is only run when that fails.
struct Part {
    Words words;
    bool piped = false;
};

/// Splits a text as far as a plain command goes: quotes, `\`, redirections, `;`, `&&`, `|`. A word
/// with a `$` or a backquote stands as it is.
class Splitter {
public:
    std::vector<Part> split(std::string_view text) &&
    {
        for (std::size_t i = 0; i < text.size(); ++i) i = take(text, i);
        end_part(false);
        return std::move(parts_);
    }

private:
    std::size_t take(std::string_view text, std::size_t i)
    {
        const char c = text[i];
        if (c == '\'' || c == '"') return quoted(text, i);
        if (c == '\\' && i + 1 < text.size()) {
            add(text[i + 1]);
            return i + 1;
        }
        if (c == ' ' || c == '\t') {
            end_word();
        } else if (c == '>' || c == '<') {
            redirected(text, i);
        } else if (c == '&' && after_arrow_) { // 2>&1
            return i;
        } else if (c == ';' || c == '\n' || c == '&' || c == '|') {
            const bool twice = i + 1 < text.size() && text[i + 1] == c;
            end_part(c == '|');
            return twice ? i + 1 : i;
        } else {
            add(c);
        }
        after_arrow_ = c == '>' || c == '<';
        return i;
    }

    std::size_t quoted(std::string_view text, std::size_t i)
    {
        const char quote = text[i];
        in_word_ = true;
        for (++i; i < text.size() && text[i] != quote; ++i) {
            if (quote == '"' && text[i] == '\\' && i + 1 < text.size()) ++i;
            add(text[i]);
        }
        return i;
    }

    /// `2>` takes the digit with it, and the next word is the file.
    void redirected(std::string_view text, std::size_t i)
    {
        if (word_.find_first_not_of("0123456789") == word_.npos && i > 0 && text[i - 1] != ' ') {
            word_.clear();
            in_word_ = false;
        }
        end_word();
        skip_next_ = true;
    }

    void add(char c)
    {
        word_ += c;
        in_word_ = true;
        after_arrow_ = false;
    }

    void end_word()
    {
        if (!in_word_) return;
        if (!skip_next_) part_.words.push_back(word_);
        skip_next_ = false;
        in_word_ = false;
        word_.clear();
    }

    void end_part(bool next_is_piped)
    {
        end_word();
        skip_next_ = false;
        if (!part_.words.empty()) parts_.push_back(std::move(part_));
        part_ = {};
        part_.piped = next_is_piped;
    }

    std::vector<Part> parts_;
    Part part_;
    std::string word_;
    bool in_word_ = false, skip_next_ = false, after_arrow_ = false;
};

/// The last command of the text; of a pipe its first.
Words main_command(std::string_view text)
{
    if (text.size() > max_text) return {};
    auto parts = Splitter().split(text);
    while (!parts.empty() && parts.back().piped && parts.size() > 1) parts.pop_back();
    return parts.empty() ? Words() : std::move(parts.back().words);
}

/// `sh -lc TEXT` -> the words of TEXT; `sh script` -> the script.
Words inside_shell(Words words)
{
    std::size_t at = 1;
    while (at < words.size() && words[at].starts_with('-')) {
        const std::string& option = words[at++];
        const bool text_follows =
            !option.starts_with("--") && option.find('c') != std::string::npos;
        if (text_follows) return at < words.size() ? main_command(words[at]) : Words();
    }
    drop(words, at);
    return words;
}

/// `python -u -m flask run` -> `flask run`; `python -c CODE` is nothing that is known.
Words inside_python(Words words)
{
    std::size_t at = 1;
    while (at < words.size() && words[at].starts_with('-')) {
        const std::string& option = words[at];
        if (option == "-c") return {};
        at += option == "-W" || option == "-X" ? 2 : 1;
        if (option == "-m") break;
    }
    drop(words, at);
    return words;
}

bool unwrap(Words& words)
{
    const std::string& program = words[0];
    if (is_shell(program)) return words = inside_shell(std::move(words)), true;
    if (is_python(program)) return words = inside_python(std::move(words)), true;
    if (program == "node" && std::any_of(words.begin(), words.end(), [](const std::string& w) {
            return w.starts_with("--watch");
        }))
        return false;
    for (const Wrapper& wrapper : wrappers) {
        if (wrapper.program != program) continue;
        if (!wrapper.verb.empty() && (words.size() < 2 || words[1] != wrapper.verb)) continue;
        drop(words, wrapper.verb.empty() ? 1 : 2);
        drop_options(words, wrapper.valued);
        return true;
    }
    return false;
}

} // namespace

std::vector<std::string> bare_command(const std::vector<std::string>& command)
{
    Words words = command;
    for (int i = 0; i < max_wrappers; ++i) {
        const auto program = std::find_if_not(words.begin(), words.end(), is_assignment);
        words.erase(words.begin(), program);
        if (words.empty()) break;
        words[0] = base_name(words[0]);
        if (!unwrap(words)) break;
    }
    return words;
}

} // namespace bgt::config
