#include "request_verb.hpp"

#include <bgt/supervise/control.hpp>

namespace bgt::cli {

std::unique_ptr<Verb> make_resume()
{
    return std::make_unique<RequestVerb>(supervise::request_resume, "bgt resume web");
}

} // namespace bgt::cli
