#include "completion/completion.hpp"

#include <bgt/cli/verb.hpp>

namespace bgt::cli {

namespace {

class Completion final : public Verb {
public:
    void declare(Parser& parser) override
    {
        parser.words(words_, "SHELL", Value::shell);
        parser.example("bgt completion bash > ~/.local/share/bash-completion/completions/bgt");
        parser.example("bgt completion zsh > \"${fpath[1]}/_bgt\"");
        parser.example("bgt completion fish > ~/.config/fish/completions/bgt.fish");
    }
    int run(Context&) override;

private:
    std::vector<std::string> words_;
};

int Completion::run(Context& context)
{
    if (words_.size() == 1) {
        const auto& word = words_.front();
        if (word == "bash") return context.print(bash_completion()), code::ok;
        if (word == "zsh") return context.print(zsh_completion()), code::ok;
        if (word == "fish") return context.print(fish_completion()), code::ok;
        // What the scripts ask for while a word is completed: one candidate a line, a tab, what it
        // is.
        if (const auto kind = candidate_kind(word)) {
            auto root = context.root();
            if (root) context.print(candidates(**root, *kind));
            return root ? code::ok : code::failed;
        }
    }
    return context.fail(Error::usage("which shell? bgt completion bash|zsh|fish"));
}

} // namespace

std::unique_ptr<Verb> make_completion()
{
    return std::make_unique<Completion>();
}

} // namespace bgt::cli
