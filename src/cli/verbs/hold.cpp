#include "request_verb.hpp"

#include <bgt/ops/queues.hpp>

namespace bgt::cli {

std::unique_ptr<Verb> make_hold()
{
    return std::make_unique<RequestVerb<ops::Changed>>(
        ops::hold, "bgt hold 7        # it waits, and is not started before bgt release 7");
}

std::unique_ptr<Verb> make_release()
{
    return std::make_unique<RequestVerb<ops::Changed>>(ops::release, "bgt release 7");
}

} // namespace bgt::cli
