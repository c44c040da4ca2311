#include "support/skip.hpp"

#define CATCH_CONFIG_EXTERNAL_INTERFACES // Catch2 2 shows its listeners only then
#include "support/catch.hpp"

#include <cstdio>
#include <cstdlib>

namespace bgt::test {
namespace {

bool skipped_this = false;
std::size_t skipped = 0, passed = 0, failed = 0;

void print_counts()
{
    std::printf("%zu passed, %zu failed, %zu skipped\n", passed, failed, skipped);
    std::fflush(stdout);
}

#if __has_include(<catch2/catch_all.hpp>)
using ListenerBase = Catch::EventListenerBase;
#else
using ListenerBase = Catch::TestEventListenerBase;
#endif

class CountSkipped : public ListenerBase {
public:
    using ListenerBase::ListenerBase;
    void testCaseStarting(const Catch::TestCaseInfo&) override { skipped_this = false; }
    void testCaseEnded(const Catch::TestCaseStats& stats) override
    {
        if (!stats.totals.assertions.allOk()) ++failed;
        else if (skipped_this) ++skipped;
        else ++passed;
    }
    void testRunEnded(const Catch::TestRunStats&) override
    {
        // After the reporter's own last word, which counts what was skipped as passed.
        if (skipped > 0) std::atexit(print_counts);
    }
};
CATCH_REGISTER_LISTENER(CountSkipped)

} // namespace

void skip(const std::string& reason)
{
    skipped_this = true;
    std::printf("skipped: %s: %s\n", Catch::getResultCapture().getCurrentTestName().c_str(),
                reason.c_str());
    std::fflush(stdout);
}

} // namespace bgt::test
