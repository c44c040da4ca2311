#pragma once
/// The alerts that a root knows, and how each stands: the file `alerts` of the state root. A line
/// with a checksum, replaced as a whole under a lock (alerts.lock). There only where some file of
/// settings has an `[[alert]]`.
#include <bgt/base/fd.hpp>
#include <bgt/base/process_key.hpp>
#include <bgt/core/alert.hpp>
#include <bgt/store/root.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bgt::store {

inline constexpr const char* alerts_file = "alerts";

/// As a file of settings describes it.
struct AlertDefinition {
    core::AlertRule rule;
    std::string run;     ///< for /bin/sh -c; empty: none
    std::string webhook; ///< URL; empty: none
    std::string file;    ///< that it stands in
    std::string folder;  ///< of the file
    bool operator==(const AlertDefinition&) const = default;
};

/// The last time that the user was told.
struct AlertTold {
    core::AlertChange what = core::AlertChange::begins;
    WallTime at{};
    std::string value;       ///< as it was then
    ProcessKey teller;       ///< who runs the hook; {}: there is none
    bool is_done = false;    ///< the hook has ended, or there was none
    std::optional<int> code; ///< exit code of the hook, or the status of the webhook's answer
    std::string error;       ///< what went wrong; empty: nothing
    std::string output;      ///< the end of it
};

struct KnownAlert {
    std::int64_t number = 0; ///< for as long as it is known
    AlertDefinition is;
    WallTime known_since{};
    core::AlertState state;
    std::optional<AlertTold> told;
};

struct AlertBook {
    std::int64_t last_number = 0;
    std::vector<KnownAlert> alerts; ///< by number

    KnownAlert* find(std::int64_t number);
};

/// These are the alerts that the files have now. One that was there before with the same question
/// keeps its state. False: nothing has changed.
bool update_definitions(AlertBook&, const std::vector<AlertDefinition>&,
                        const std::vector<std::string>& files, WallTime now);

std::string encode_alerts(const AlertBook&);
/// nullopt: it is damaged.
std::optional<AlertBook> decode_alerts(std::string_view);

/// Without a lock; a root without such a file knows none. Costs one system call there. Error with
/// the errno `damaged_file`: it is damaged; else it can't be read.
Result<AlertBook> read_alerts(const Root&);

/// The right to change the file.
class AlertLock {
public:
    /// Error: somebody else has it for too long; no access.
    static Result<AlertLock> take(const Root&);
    /// For who is to look at all alerts again. nullopt: another process is about to do so, and will
    /// see everything that was on record before this call.
    static Result<std::optional<AlertLock>> take_to_look(const Root&);
    /// On disk when this returns.
    Result<void> write(const Root&, const AlertBook&) const;

private:
    explicit AlertLock(Fd fd) : fd_(std::move(fd)) {}
    Fd fd_;
};

} // namespace bgt::store
