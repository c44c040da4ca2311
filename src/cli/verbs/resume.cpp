#include "request_verb.hpp"

#include <bgt/ops/pause.hpp>

namespace bgt::cli {

std::unique_ptr<Verb> make_resume()
{
    return std::make_unique<RequestVerb<ops::Resumed>>(ops::resume, "bgt resume web");
}

} // namespace bgt::cli
