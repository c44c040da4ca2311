#include <bgt/cli/verb.hpp>
#include <bgt/ops/send.hpp>
#include <bgt/render/json.hpp>

#include <boost/json.hpp>
#include <unistd.h>

namespace bgt::cli {

namespace {

class Send final : public Verb {
public:
    void declare(Parser&) override;
    int run(Context&) override;

private:
    Result<ops::SendRequest> request() const;

    std::vector<std::string> words_; ///< the task, then the text
    bool no_newline_ = false, eof_ = false, json_ = false;
    std::optional<std::string> timeout_;
};

void Send::declare(Parser& parser)
{
    parser.words(words_, "TASK", Value::text);
    parser.first_word(Value::task);
    parser.flag("-n,--no-newline", no_newline_, "do not add a newline to the text");
    parser.flag("--eof", eof_, "close its stdin after the text; without TEXT, only close it");
    parser.option("--timeout", timeout_, "D", Value::duration,
                  "give up after D if it does not read (exit code 124)");
    parser.flag("--json", json_, "print the answer as JSON");
    parser.example("bgt send 7 yes");
    parser.example("bgt send 7 - < answers.txt      # the bytes unchanged; so does: bgt send 7");
    parser.example("bgt send 7 --eof");
}

Result<ops::SendRequest> Send::request() const
{
    if (words_.empty()) return Error::usage("which task? bgt send TASK [TEXT...]");
    ops::SendRequest out;
    out.task = words_.front();
    out.eof = eof_;
    if (timeout_) {
        const auto limit = parse_limit(*timeout_);
        if (!limit) return Error::usage("--timeout: " + limit.error().message);
        out.timeout = *limit;
    }
    if (words_.size() > 1 && !(words_.size() == 2 && words_[1] == "-")) {
        std::string text;
        for (std::size_t i = 1; i < words_.size(); ++i) text += (i == 1 ? "" : " ") + words_[i];
        if (!no_newline_) text += '\n';
        out.text = std::move(text);
    } else if (words_.size() > 1 || !eof_) {
        out.from_fd = STDIN_FILENO;
    }
    return out;
}

int Send::run(Context& context)
{
    auto wanted = request();
    if (!wanted) return context.fail(wanted.error(), json_);
    wanted->folder = context.folder();
    auto root = context.root();
    if (!root) return context.fail(root.error(), json_);
    const auto sent = ops::send(**root, *wanted);
    if (!sent) return context.fail(sent.error(), json_);
    if (!sent->all)
        context.tell_failure("task " + to_string(sent->id) + " did not read all of it in time",
                             code::wait_timeout, sent->id);
    if (json_) context.print(render::answer_json({{"id", sent->id.value}, {"sent", sent->all}}));
    return sent->all ? code::ok : code::wait_timeout;
}

} // namespace

std::unique_ptr<Verb> make_send()
{
    return std::make_unique<Send>();
}

} // namespace bgt::cli
