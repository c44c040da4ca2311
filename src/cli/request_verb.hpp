#pragma once
#include <bgt/cli/select.hpp>
#include <bgt/cli/verb.hpp>

namespace bgt::cli {

/// A verb that asks the supervisor of each living task for one thing.
class RequestVerb final : public Verb {
public:
    using Ask = Result<void> (*)(store::Root&, store::TaskId);
    RequestVerb(Ask ask, const char* example) : ask_(ask), example_(example) {}

    void declare(Parser&) override;
    int run(Context&) override;

private:
    Ask ask_;
    const char* example_;
    Selection selection_;
    bool json_ = false;
};

} // namespace bgt::cli
