#include "request_verb.hpp"

#include <bgt/supervise/control.hpp>

namespace bgt::cli {

std::unique_ptr<Verb> make_pause()
{
    return std::make_unique<RequestVerb>(supervise::request_pause, "bgt pause web     # its --timeout goes on, its hang rules wait");
}

} // namespace bgt::cli
