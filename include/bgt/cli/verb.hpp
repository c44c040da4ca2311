#pragma once
#include <bgt/cli/context.hpp>
#include <bgt/cli/parser.hpp>
#include <memory>
#include <span>
#include <string_view>

namespace bgt::cli {

/// One verb: its options are its members.
class Verb {
public:
    virtual ~Verb() = default;
    virtual void declare(Parser&) = 0;
    /// The exit code of the program.
    virtual int run(Context&) = 0;
};

/// A row of the table of verbs; only the one that was called is made.
struct VerbInfo {
    std::string_view name;
    std::string_view summary;  ///< one line of `bgt --help`
    std::string_view synopsis; ///< after the verb in its usage line
    std::unique_ptr<Verb> (*make)();
    /// Refused where what the verb does depends on the settings; ps, kill and others need the root
    /// alone.
    config::Mistakes mistakes = config::Mistakes::pass_over;
    /// First words with which it passes over them all the same: " ls rm ".
    std::string_view needs_no_settings = {};
};
std::span<const VerbInfo> verbs();
/// Also by an alias: `stop` is kill, `ls` is ps.
const VerbInfo* find_verb(std::string_view name);
/// The options that every verb has besides its own.
void declare_places(Parser&, Places& target);

// One file a verb: src/cli/verbs/NAME.cpp.
std::unique_ptr<Verb> make_run();
std::unique_ptr<Verb> make_submit();
std::unique_ptr<Verb> make_queue();
std::unique_ptr<Verb> make_schedule();
std::unique_ptr<Verb> make_hold();
std::unique_ptr<Verb> make_release();
std::unique_ptr<Verb> make_move();
std::unique_ptr<Verb> make_scope();
std::unique_ptr<Verb> make_shutdown();
std::unique_ptr<Verb> make_graph();
std::unique_ptr<Verb> make_up();
std::unique_ptr<Verb> make_down();
std::unique_ptr<Verb> make_ps();
std::unique_ptr<Verb> make_show();
std::unique_ptr<Verb> make_result();
std::unique_ptr<Verb> make_logs();
std::unique_ptr<Verb> make_events();
std::unique_ptr<Verb> make_wait();
std::unique_ptr<Verb> make_kill();
std::unique_ptr<Verb> make_why();
std::unique_ptr<Verb> make_restart();
std::unique_ptr<Verb> make_retry();
std::unique_ptr<Verb> make_signal();
std::unique_ptr<Verb> make_pause();
std::unique_ptr<Verb> make_resume();
std::unique_ptr<Verb> make_send();
std::unique_ptr<Verb> make_notify();
std::unique_ptr<Verb> make_rm();
std::unique_ptr<Verb> make_gc();
std::unique_ptr<Verb> make_stats();
std::unique_ptr<Verb> make_alerts();
std::unique_ptr<Verb> make_mcp();
std::unique_ptr<Verb> make_serve();
std::unique_ptr<Verb> make_config();
std::unique_ptr<Verb> make_trust();
std::unique_ptr<Verb> make_completion();
std::unique_ptr<Verb> make_version();

/// The whole program: `bgt [--root DIR] VERB ...`; what main() returns.
int main(int argc, char** argv);

} // namespace bgt::cli
