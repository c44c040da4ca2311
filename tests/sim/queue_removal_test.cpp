// How the journal, the folder and the record of one task of a queue decide whether it is started,
// in all orders in which the steps of the processes can follow each other, with kills between any
// two of them, and with removals of its folder. It may never be executed twice, it may not be
// forgotten, and what is told of it is its true end unless somebody removed its folder by hand.
//
// The protocol:
// - `claimed` is in the journal before the folder is begun under another name, `published` before
//   the folder gets its place. So a task of which nothing is in its place was not executed while it
//   is not `published`, or while the begun folder is there.
// - Whoever takes a start back renames the folder to what it was before, and then says in the
//   journal that the task waits again.
// - Whoever removes the folder of an ended task tells its end to the journal before.
#include "support/catch.hpp"

#include <compare>
#include <cstdint>
#include <deque>
#include <set>
#include <string>
#include <vector>

namespace {

enum class Journal : std::uint8_t { waits, claimed, published, over };
enum class Folder : std::uint8_t { none, begun, in_place };
enum class Record : std::uint8_t { starting, running, ended };
enum class End : std::uint8_t { none, true_one, lost, unknown };
enum class Dispatcher : std::uint8_t {
    gone,
    looks,
    begins_folder,
    records_published,
    publishes,
    forks,
    puts_back
};
enum class Supervisor : std::uint8_t { none, executes, waits, tells, removes };
enum class Remover : std::uint8_t { none, tells, removes };

struct State {
    Journal journal = Journal::waits;
    End told = End::none;
    Folder folder = Folder::none;
    Record record = Record::starting;
    Dispatcher dispatcher = Dispatcher::looks;
    Supervisor supervisor = Supervisor::none;
    Remover remover = Remover::none;
    std::uint8_t executed = 0;
    std::uint8_t kills = 0;    ///< that may still happen
    std::uint8_t removals = 0; ///< by other verbs
    bool by_hand = false;      ///< its folder was removed so
    auto operator<=>(const State&) const = default;
};

/// What is done wrong, to see that it is noticed.
enum class Mutant {
    none,
    nothing_published,      ///< the journal does not say that the folder gets its place
    published_is_proof,     ///< the begun folder is not asked for
    folder_removed,         ///< where a start is taken back, it is not renamed
    removed_before_told,    ///< the folder goes first
    put_back_when_not_there ///< whatever the journal says
};

class Search {
public:
    Search(Mutant mutant, std::uint8_t kills, bool removes_itself, bool by_hand)
        : mutant_(mutant), removes_itself_(removes_itself), by_hand_(by_hand)
    {
        State first;
        first.kills = kills;
        first.removals = 2;
        reach(first);
        for (; !open_.empty() && wrong.empty(); open_.pop_front()) {
            from_ = open_.front();
            steps_ = 0;
            dispatch(from_);
            supervise(from_);
            remove(from_);
            check();
            kill(from_);
        }
        states = seen_.size();
    }

    std::string wrong;
    std::size_t states = 0;

private:
    bool is(Mutant mutant) const { return mutant_ == mutant; }
    void reach(const State& state)
    {
        ++steps_;
        if (seen_.insert(state).second) open_.push_back(state);
    }

    void dispatch(State s)
    {
        switch (s.dispatcher) {
        case Dispatcher::gone: s.dispatcher = Dispatcher::looks; return reach(s);
        case Dispatcher::looks: return look(s);
        case Dispatcher::begins_folder:
            s.folder = Folder::begun;
            s.record = Record::starting;
            s.dispatcher = Dispatcher::records_published;
            return reach(s);
        case Dispatcher::records_published:
            if (!is(Mutant::nothing_published)) s.journal = Journal::published;
            s.dispatcher = Dispatcher::publishes;
            return reach(s);
        case Dispatcher::publishes:
            s.folder = Folder::in_place;
            s.dispatcher = Dispatcher::forks;
            return reach(s);
        case Dispatcher::forks: {
            State failed = s;
            take_back(failed);
            s.supervisor = Supervisor::executes;
            s.dispatcher = Dispatcher::looks;
            return reach(s);
        }
        case Dispatcher::puts_back:
            s.journal = Journal::waits;
            s.dispatcher = Dispatcher::looks;
            return reach(s);
        }
    }

    void take_back(State s)
    {
        s.folder = is(Mutant::folder_removed) ? Folder::none : Folder::begun;
        s.dispatcher = Dispatcher::puts_back;
        reach(s);
    }

    void look(State s)
    {
        if (s.journal == Journal::over || s.supervisor != Supervisor::none) return;
        if (s.journal == Journal::waits) {
            s.journal = Journal::claimed;
            s.dispatcher = Dispatcher::begins_folder;
            return reach(s);
        }
        if (s.folder == Folder::in_place) {
            if (s.record == Record::starting) return take_back(s);
            tell(s, s.record == Record::ended ? End::true_one : End::lost);
            return reach(s);
        }
        const bool is_begun = s.folder == Folder::begun && !is(Mutant::published_is_proof);
        if (s.journal == Journal::claimed || is_begun || is(Mutant::put_back_when_not_there))
            s.journal = Journal::waits;
        else tell(s, End::unknown);
        reach(s);
    }

    /// The first one counts.
    static void tell(State& s, End end)
    {
        if (s.journal == Journal::over || s.journal == Journal::waits) return;
        s.journal = Journal::over;
        s.told = end;
    }

    void supervise(State s)
    {
        switch (s.supervisor) {
        case Supervisor::none: return;
        case Supervisor::executes:
            ++s.executed;
            s.record = Record::running;
            s.supervisor = Supervisor::waits;
            return reach(s);
        case Supervisor::waits:
            s.record = Record::ended;
            s.supervisor = removes_itself_ ? Supervisor::tells : Supervisor::none;
            return reach(s);
        case Supervisor::tells:
            if (is(Mutant::removed_before_told)) s.folder = Folder::none;
            else tell(s, End::true_one);
            s.supervisor = Supervisor::removes;
            return reach(s);
        case Supervisor::removes:
            if (is(Mutant::removed_before_told)) tell(s, End::true_one);
            else s.folder = Folder::none;
            s.supervisor = Supervisor::none;
            return reach(s);
        }
    }

    void remove(State s)
    {
        const bool is_there = s.folder == Folder::in_place && s.record == Record::ended &&
                              s.supervisor == Supervisor::none;
        switch (s.remover) {
        case Remover::none:
            if (!is_there || s.removals == 0) return;
            if (by_hand_) {
                State then = s;
                then.folder = Folder::none;
                then.by_hand = true;
                --then.removals;
                reach(then);
            }
            s.remover = Remover::tells;
            --s.removals;
            return reach(s);
        case Remover::tells:
            tell(s, End::true_one);
            s.remover = Remover::removes;
            return reach(s);
        case Remover::removes:
            s.folder = Folder::none;
            s.remover = Remover::none;
            return reach(s);
        }
    }

    void kill(State s)
    {
        if (s.kills == 0) return;
        --s.kills;
        State then = s;
        then.dispatcher = Dispatcher::gone;
        reach(then);
        then = s;
        then.supervisor = Supervisor::none;
        reach(then);
        then = s;
        then.remover = Remover::none;
        reach(then);
    }

    void check()
    {
        if (from_.executed > 1) wrong = "executed twice";
        if (from_.journal == Journal::over && from_.executed == 0) wrong = "forgotten";
        if (from_.told == End::unknown && !from_.by_hand && wrong.empty())
            wrong = "its end is not known";
        if (steps_ == 0 && from_.journal != Journal::over) wrong = "it never comes to an end";
    }

    Mutant mutant_;
    bool removes_itself_, by_hand_;
    State from_;
    std::size_t steps_ = 0;
    std::set<State> seen_;
    std::deque<State> open_;
};

std::string wrong_with(Mutant mutant)
{
    for (const bool removes_itself : {false, true})
        for (const bool by_hand : {false, true}) {
            const Search search(mutant, 4, removes_itself, by_hand);
            if (!search.wrong.empty()) return search.wrong;
        }
    return {};
}

} // namespace

TEST_CASE("queue protocol: a task whose folder is removed is executed once, and its end is told")
{
    CHECK(Search(Mutant::none, 4, true, true).states > 100);
    CHECK(wrong_with(Mutant::none).empty());
}

TEST_CASE("queue protocol: a folder that is missing proves nothing by itself")
{
    CHECK(wrong_with(Mutant::put_back_when_not_there) == "executed twice");
    CHECK(wrong_with(Mutant::nothing_published) == "executed twice");
    CHECK(wrong_with(Mutant::published_is_proof) == "forgotten");
    CHECK(wrong_with(Mutant::folder_removed) == "forgotten");
    CHECK(wrong_with(Mutant::removed_before_told) == "its end is not known");
}
