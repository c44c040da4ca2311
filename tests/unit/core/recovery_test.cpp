#include "support/catch.hpp"

#include <bgt/core/recovery.hpp>
#include <fmt/format.h>

using namespace bgt::core;

TEST_CASE("what makes the record of a task true, row by row")
{
    using enum Lifecycle;
    using Lock = LockState;
    using Tree = TreeState;
    struct Row {
        const char* what;
        TaskFacts facts;
        Recovery recovery;
    };
    const auto exact = true, was_started = true, kept = true, rebooted = true;
    // lifecycle, tree_lives, was_started, start_is_exact, lock, rebooted, tree
    const Row rows[] = {
        {"its supervisor lives",
         {running, false, was_started, exact, Lock::held, false, Tree::not_looked},
         Recovery::none},
        {"the lock can't be asked",
         {running, false, was_started, exact, Lock::unknown, false, Tree::none},
         Recovery::none},
        {"being started",
         {starting, false, false, exact, Lock::held, false, Tree::not_looked},
         Recovery::none},
        {"its last supervisor may live",
         {stopping, false, was_started, exact, Lock::held, rebooted, Tree::none},
         Recovery::none},
        {"waits",
         {queued, false, false, exact, Lock::free, false, Tree::not_looked},
         Recovery::none},
        {"waits since before a reboot",
         {queued, false, false, exact, Lock::free, rebooted, Tree::none},
         Recovery::none},
        {"waits, as an older bgt wrote it",
         {queued, false, false, false, Lock::free, false, Tree::none},
         Recovery::none},
        {"ended",
         {ended, false, was_started, exact, Lock::free, false, Tree::not_looked},
         Recovery::none},
        {"ended, before a reboot",
         {ended, false, was_started, exact, Lock::free, rebooted, Tree::lives},
         Recovery::none},
        {"never executed",
         {starting, false, false, exact, Lock::free, false, Tree::not_looked},
         Recovery::record_not_started},
        {"never executed, before a reboot",
         {starting, false, false, exact, Lock::free, rebooted, Tree::not_looked},
         Recovery::record_not_started},
        {"a later attempt was about to start",
         {starting, false, was_started, exact, Lock::free, false, Tree::none},
         Recovery::record_end},
        {"started by an older bgt?",
         {starting, false, false, false, Lock::free, false, Tree::not_looked},
         Recovery::look},
        {"started by an older bgt",
         {starting, false, false, false, Lock::free, false, Tree::lives},
         Recovery::adopt},
        {"nobody supervises it",
         {running, false, was_started, exact, Lock::free, false, Tree::not_looked},
         Recovery::look},
        {"it lives",
         {running, false, was_started, exact, Lock::free, false, Tree::lives},
         Recovery::adopt},
        {"it is dead",
         {running, false, was_started, exact, Lock::free, false, Tree::none},
         Recovery::record_end},
        {"nobody can tell",
         {running, false, was_started, exact, Lock::free, false, Tree::unknown},
         Recovery::unknown},
        {"of before a reboot",
         {running, false, was_started, exact, Lock::free, rebooted, Tree::not_looked},
         Recovery::record_end},
        {"whoever has its pids now",
         {running, false, was_started, exact, Lock::free, rebooted, Tree::lives},
         Recovery::record_end},
        {"in the middle of a stop",
         {stopping, false, was_started, exact, Lock::free, false, Tree::lives},
         Recovery::adopt},
        {"stopped while nobody looked",
         {stopping, false, was_started, exact, Lock::free, false, Tree::none},
         Recovery::record_end},
        {"between two attempts",
         {backing_off, false, was_started, exact, Lock::free, false, Tree::not_looked},
         Recovery::look},
        {"nobody starts it again",
         {backing_off, false, was_started, exact, Lock::free, false, Tree::none},
         Recovery::record_end},
        {"kept leftovers, supervised",
         {ended, kept, was_started, exact, Lock::held, false, Tree::not_looked},
         Recovery::none},
        {"kept leftovers",
         {ended, kept, was_started, exact, Lock::free, false, Tree::not_looked},
         Recovery::look},
        {"kept leftovers live",
         {ended, kept, was_started, exact, Lock::free, false, Tree::lives},
         Recovery::adopt},
        {"kept leftovers are gone",
         {ended, kept, was_started, exact, Lock::free, false, Tree::none},
         Recovery::record_end},
        {"kept leftovers of before a reboot",
         {ended, kept, was_started, exact, Lock::free, rebooted, Tree::not_looked},
         Recovery::record_end},
    };
    for (const Row& row : rows) {
        INFO(row.what);
        CHECK(recovery_for(row.facts) == row.recovery);
    }
}

TEST_CASE("a task that waits is never lost, one that is supervised never touched, one that was "
          "looked at never left open")
{
    for (const Lifecycle lifecycle : lifecycles)
        for (const LockState lock : {LockState::held, LockState::free, LockState::unknown})
            for (const TreeState tree :
                 {TreeState::not_looked, TreeState::lives, TreeState::none, TreeState::unknown})
                for (int bits = 0; bits < 16; ++bits) {
                    const TaskFacts facts{lifecycle,
                                          (bits & 1) != 0,
                                          (bits & 2) != 0,
                                          (bits & 4) != 0,
                                          lock,
                                          (bits & 8) != 0,
                                          tree};
                    const Recovery recovery = recovery_for(facts);
                    INFO(fmt::format("{} {} {} {}", to_string(lifecycle), bits,
                                     static_cast<int>(lock), static_cast<int>(tree)));
                    if (lifecycle == Lifecycle::queued || lock != LockState::free)
                        CHECK(recovery == Recovery::none);
                    if (tree != TreeState::not_looked) CHECK(recovery != Recovery::look);
                    if (facts.was_started) CHECK(recovery != Recovery::record_not_started);
                    if (recovery == Recovery::adopt)
                        CHECK((tree == TreeState::lives && !facts.rebooted));
                    if (recovery == Recovery::record_end)
                        CHECK((tree == TreeState::none || facts.rebooted));
                }
}
