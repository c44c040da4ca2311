#pragma once
/// A part of a log for a reader that goes on later: each byte is given out once.
#include <bgt/ops/log_printer.hpp>
#include <optional>
#include <string>
#include <vector>

namespace bgt::ops {

struct LogPiece {
    std::int64_t id = 0;
    std::string text;                    ///< valid UTF-8
    std::uint64_t start = 0;             ///< offset of its first byte
    std::uint64_t cursor = 0;            ///< where the next piece begins
    std::optional<std::uint64_t> before; ///< where the piece before it ends; nullopt: there is none
    bool truncated = false;              ///< max_bytes left out some of what was asked for
    bool end_of_log = false;             ///< the task is over and this was the last of it
    std::uint64_t dropped_bytes =
        0; ///< between the cursor asked for and the new one: freed, or lost to a full disk
    std::uint64_t log_size = 0; ///< when it was read: more than that is new
};

/// How many of `bytes` to give out when more will follow, so that no UTF-8 character and no escape
/// sequence is cut: 0 to 3 fewer for a character, up to 64 for a sequence. `cut` says that the
/// bytes end here for want of room, not because there are no more: then the cut is at the end of
/// the last whole line, where there is one. Never 0 for bytes that hold more than the begin of one
/// character.
std::size_t whole_part(std::string_view bytes, bool cut);

struct PieceRequest {
    std::uint64_t begin = 0; ///< where to read; what was freed before it is in `skipped`
    std::uint64_t skipped = 0;
    std::uint64_t end = 0;       ///< the size of the log when the task's record was read
    std::uint64_t max_bytes = 0; ///< at most so many bytes of the log, 4 or more
    bool over = false;           ///< nothing will be written after `end`
};
/// Reads one piece and prints it in `style`. With a pattern, a piece ends with a line, so it holds
/// more than max_bytes where a line does; an unfinished last line comes when it is finished. Holds
/// max_bytes or store::max_line in memory, twice.
Result<LogPiece> read_piece(store::LogFile&, const PieceRequest&, const LogStyle&, store::LogIndex);
/// The same from the end: the last max_bytes, from the begin of a line if that is near; with a
/// pattern the last matches, as rendered. Of those any part of the log may be read, in constant
/// memory.
Result<LogPiece> read_newest_piece(store::LogFile&, PieceRequest, const LogStyle&, store::LogIndex);

} // namespace bgt::ops
