#pragma once
/// The files of the history, with their lock: what counts of them, and how they are read and
/// replaced. See history.cpp for who holds which lock.
#include "files.hpp"
#include "history_format.hpp"

#include <bgt/base/fd.hpp>
#include <bgt/base/result.hpp>
#include <bgt/store/root.hpp>
#include <functional>
#include <string>
#include <vector>

namespace bgt::store::detail {

inline constexpr const char* history_folder = "history";
inline constexpr const char* history_lock = "lock";
/// Larger ones are not read whole.
inline constexpr std::size_t max_history_file = 1u << 30;
/// How long somebody else may hold the lock of the history, or of one of its files.
inline constexpr auto history_timeout = std::chrono::seconds(5);
/// The path of the folder.
std::string history_path(const Root&);

struct Segment {
    std::int64_t number = 0; ///< 0: the current one
    Fd fd;
};

/// What is in the folder, under its lock.
class Files {
public:
    enum class For : std::uint8_t { reading, changing };
    static Result<Files> open(const Root&, For);

    /// False: there has never been a record.
    explicit operator bool() const { return static_cast<bool>(folder_); }
    const Totals& totals() const { return totals_; }
    const std::string& problem() const { return problem_; }
    /// Only a newer bgt knows what its totals say, and which files they count already.
    bool has_newer_totals() const { return decoded_ == TotalsDecoded::newer; }
    /// Those that can't be read stay, as history/totals.damaged.
    Result<void> put_damaged_totals_aside();

    /// Those that count, the oldest first.
    Result<std::vector<Segment>> open_segments() const;
    using Take = std::function<void(const core::PastRun&, std::string_view frame)>;
    /// The newest `most` bytes of all.
    Result<RunScan> read(const std::vector<Segment>&, std::uint64_t most, const Take&) const;
    /// Of all; EFBIG: one of them is too large to be read whole, and nothing is to be dropped.
    Result<std::uint64_t> size_of(const std::vector<Segment>&) const;

    /// The current file becomes an old one.
    Result<void> close_current();
    /// Puts these records in the place of all files, and `totals` in that of the totals.
    Result<void> replace(std::string_view records, Totals totals);

private:
    Result<void> read_totals();
    void look_for_damaged_totals();
    Error problem_with(std::string_view what, int err) const
    {
        return explain(std::string(what) + path_, err);
    }
    std::string name_of(const Segment& segment) const
    {
        return path_ + "/" + (segment.number > 0 ? std::to_string(segment.number) : "current");
    }
    std::vector<std::int64_t> numbers() const;
    void remove_dropped() const;

    std::string path_;
    For what_ = For::reading;
    Fd folder_, lock_;
    Totals totals_;
    TotalsDecoded decoded_ = TotalsDecoded::totals;
    std::string problem_;
};

} // namespace bgt::store::detail
