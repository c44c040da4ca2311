#include "request_verb.hpp"

#include <bgt/ops/pause.hpp>

namespace bgt::cli {

std::unique_ptr<Verb> make_pause()
{
    return std::make_unique<RequestVerb<ops::Paused>>(ops::pause, "bgt pause web     # its --timeout goes on, its hang rules wait");
}

} // namespace bgt::cli
