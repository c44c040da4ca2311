#pragma once
/// What a condition can be judged by. A driver (the wait operation, readiness) observes and gives
/// facts; it decides nothing.
#include <bgt/base/time.hpp>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

namespace bgt::core {

enum class Observation : std::uint8_t {
    record,     ///< the task's record, whenever it changes (its end is always observed)
    look,       ///< a look at the tree by its supervisor now and then, which updates the record
    output,     ///< each line of its output, and the unfinished last one as it grows
    output_age, ///< for how long it has written nothing
    listeners,  ///< the TCP ports that its tree listens on
    memory,     ///< the memory that its tree uses
    cpu,        ///< the CPU time that its tree uses
    probe, ///< a question that has nothing to do with one task: it is asked once for all of them
};

/// A set of observations.
class Observations {
public:
    constexpr Observations() = default;
    constexpr Observations(Observation one) : bits_(bit(one)) {}
    constexpr Observations(std::initializer_list<Observation> all)
    {
        for (const Observation one : all) bits_ |= bit(one);
    }
    constexpr bool has(Observation one) const { return (bits_ & bit(one)) != 0; }
    constexpr bool has_any(Observations other) const { return (bits_ & other.bits_) != 0; }
    constexpr bool empty() const { return bits_ == 0; }
    constexpr Observations& operator|=(Observations other)
    {
        bits_ |= other.bits_;
        return *this;
    }
    constexpr bool operator==(const Observations&) const = default;

private:
    static constexpr std::uint32_t bit(Observation one) { return 1u << static_cast<unsigned>(one); }
    std::uint32_t bits_ = 0;
};

/// What is seen of the tree of a task. Nothing tells when it changes: it is looked at now and then.
inline constexpr Observations of_tree{Observation::listeners, Observation::memory,
                                      Observation::cpu};

/// Whether a task can still become ready.
enum class Readiness : std::uint8_t {
    possible,
    no_condition, ///< it was started without any condition of readiness
    lost,         ///< one of its conditions can no longer be met
};

namespace fact {

/// What the record says.
struct Recorded {
    static constexpr Observation observation = Observation::record;
    bool over = false;
    int exit_code = 0; ///< of one that is over
    bool ready = false;
    Readiness readiness = Readiness::possible;
    bool stalled = false;
    bool waiting_input = false;
    bool crash_loop = false;
    std::optional<double> progress; ///< 0..1
};

struct Line {
    static constexpr Observation observation = Observation::output;
    std::string_view text; ///< as rendered, without the newline
};

/// All that was in the log at this moment has been given as lines.
struct OutputRead {
    static constexpr Observation observation = Observation::output;
};

struct Silence {
    static constexpr Observation observation = Observation::output_age;
    Duration length{}; ///< since the last byte of output
};

struct Listening {
    static constexpr Observation observation = Observation::listeners;
    std::span<const std::uint16_t> ports;
};

struct Memory {
    static constexpr Observation observation = Observation::memory;
    std::uint64_t bytes = 0; ///< resident, of all processes of the tree together
};

/// What the tree has used by one look, counted from the first look on.
struct CpuTotal {
    Instant at{};
    Duration used{};
};

struct Cpu {
    static constexpr Observation observation = Observation::cpu;
    std::span<const CpuTotal> totals; ///< the newest last; as old as the span of the condition,
                                      ///< where it is watched for so long
};

/// The answer to the question of one condition, `gone` taken into account. A no must be the answer
/// to a question that was asked after all facts that were given before.
struct Answered {
    static constexpr Observation observation = Observation::probe;
    bool yes = false;
    std::string text;       ///< for people, where there is more to say: "answered 404"
    bool responded = false; ///< somebody was there to be asked
};

} // namespace fact

using Fact = std::variant<fact::Recorded, fact::Line, fact::OutputRead, fact::Silence,
                          fact::Listening, fact::Memory, fact::Cpu, fact::Answered>;

} // namespace bgt::core
