#pragma once
#include <bgt/os/evidence.hpp>
#include <bgt/store/log_file.hpp>

namespace bgt::supervise {

/// The last lines of its output as a person would see them, at most so many; with a log for each
/// stream, those written last come last. What can't be read is left out.
std::vector<std::string> last_lines(const store::TaskDir&, std::size_t most);
/// The same, from the last `bytes` of each log alone: the first of them may have lost its
/// beginning.
std::vector<std::string> last_lines(const store::TaskDir&, std::size_t most, std::uint64_t bytes);

/// The output and the reports of a task, for those who gather evidence.
/// Hazard: each call waits as long as the disk does: they are for processes that can be killed.
class TaskEvidence final : public os::EvidenceStore {
public:
    /// The folder stays open for as long as this lives.
    explicit TaskEvidence(const store::TaskDir& task, std::uint64_t tail_bytes = 64 * 1024)
        : task_(task), tail_bytes_(tail_bytes)
    {}
    std::uint64_t output_end() override;
    std::optional<std::string> read_output(std::uint64_t& from) override;
    /// Rendered; with a log for each stream, those written last come last.
    void add_output(core::Evidence&) override;
    std::string encode(const core::Report&) const override;
    Result<core::Report> decode(std::string_view) const override;

private:
    store::LogFile* log();

    const store::TaskDir& task_;
    std::uint64_t tail_bytes_;                  ///< of each log, at most
    std::optional<Result<store::LogFile>> log_; ///< out.log, opened when it is asked for
};

} // namespace bgt::supervise
