#include "request_verb.hpp"

#include <bgt/ops/pause.hpp>

namespace bgt::cli {

std::unique_ptr<Verb> make_pause()
{
    return std::make_unique<RequestVerb<ops::Paused>>(
        ops::pause, "bgt pause web     # --timeout keeps counting, the limits on hangs do not",
        RequestVerb<ops::Paused>::Other{
            "--watch", "keep the processes going; changes of its files count after bgt resume",
            ops::pause_watch});
}

} // namespace bgt::cli
