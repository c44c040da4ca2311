#pragma once
#include "answer.hpp"
#include "selection.hpp"

#include <bgt/cli/verb.hpp>
#include <optional>

namespace bgt::cli {

/// A verb that asks the supervisor of each running task for one thing, and has nothing to show of
/// it.
template <class T>
class RequestVerb final : public Verb {
public:
    using Ask = Result<ops::Each<T>> (*)(store::Root&, const ops::Selection&,
                                         const ops::Progress<T>&);
    /// A flag that asks for another thing.
    struct Other {
        const char* flag;
        const char* help;
        Ask ask;
    };
    RequestVerb(Ask ask, const char* example, std::optional<Other> other = std::nullopt)
        : ask_(ask), example_(example), other_(other)
    {}

    void declare(Parser& parser) override
    {
        declare_selection(parser, selection_, Value::living_task);
        if (other_) parser.flag(other_->flag, asks_other_, other_->help);
        parser.flag("--json", json_, "print the tasks as JSON");
        declare_fields(parser, fields_);
        parser.example(example_);
    }
    int run(Context& context) override
    {
        auto root = context.root();
        if (!root) return context.fail(root.error(), json_);
        int result = code::ok;
        const Ask ask = asks_other_ ? other_->ask : ask_;
        const auto done =
            ask(**root, selection_, told<T>(context, result, [](store::TaskId, const T&) {}));
        if (!done) return context.fail(done.error(), json_);
        if (json_) print_tasks_json(context, **root, done->ids());
        return result;
    }

private:
    Ask ask_;
    const char* example_;
    ops::Selection selection_;
    FieldWords fields_;
    std::optional<Other> other_;
    bool asks_other_ = false;
    bool json_ = false;
};

} // namespace bgt::cli
