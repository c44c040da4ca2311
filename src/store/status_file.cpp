#include <bgt/store/status.hpp>
#include <bgt/store/status_slots.hpp>

#include "files.hpp"

#include <bgt/base/descriptor.hpp>

#include <algorithm>
#include <cerrno>
#include <fcntl.h>

namespace bgt::store {
namespace {

std::size_t slot_offset(std::uint64_t generation)
{
    return (generation % 2) * status_slot_size;
}

Result<DecodedStatus> read_file(int fd)
{
    // A reader that is held up while the writer fills both slots in turn sees neither whole: it
    // looks again.
    Result<DecodedStatus> decoded = Error::failed("");
    for (int tries = 0; tries < 4; ++tries) {
        std::array<std::byte, status_file_size> bytes;
        const auto n = detail::read_at(fd, bytes, 0);
        if (n < 0) return detail::explain("can't read the status record", errno);
        decoded = decode_status(std::span(bytes).first(static_cast<std::size_t>(n)));
        if (decoded) break;
    }
    return decoded;
}

Result<Status> read_at_path(int dir, const char* path)
{
    const Fd fd = open_file(dir, path, O_RDONLY);
    if (!fd && errno == ENOENT)
        return Error{ErrorKind::not_found, "there is no status record", ENOENT};
    if (!fd) return detail::explain("can't open the status record", errno);
    return read_open_status(fd.get());
}

} // namespace

StartRecord StatusWriter::prepare_start(const Status& status) const
{
    StartRecord record;
    record.fd_ = fd_.get();
    record.generation_ = generation_;
    record.slot_ = encode_status(status, generation_ + 1);
    return record;
}

int StartRecord::write_next() noexcept
{
    sign_slot(slot_, generation_ + 1);
    if (const int err = detail::write_all_at(fd_, slot_, slot_offset(generation_ + 1))) return err;
    ++generation_;
    return 0;
}

Result<StatusWriter> StatusWriter::create(int task_dir_fd, const Status& first)
{
    StatusWriter writer;
    writer.fd_ = open_file(task_dir_fd, "status", O_RDWR | O_CREAT | O_EXCL);
    if (!writer.fd_) return detail::explain("can't create the status record", errno);
    // Where a file system can't allocate beforehand, the write below of both slots has to do.
    const int allocated =
        retry_on_eintr([&] { return ::fallocate(writer.fd_.get(), 0, 0, status_file_size); });
    const int failed = allocated == 0 ? 0 : errno;
    if (failed != 0 && failed != EOPNOTSUPP && failed != ENOSYS && failed != EINVAL &&
        failed != EPERM)
        return detail::explain("can't allocate the status record", failed);
    writer.generation_ = 1;
    std::array<std::byte, status_file_size> both{};
    const auto slot = encode_status(first, writer.generation_);
    std::copy(slot.begin(), slot.end(),
              both.begin() + static_cast<std::ptrdiff_t>(slot_offset(writer.generation_)));
    if (const int err = detail::write_all_at(writer.fd_.get(), both, 0))
        return detail::explain("can't write the status record", err);
    return writer;
}

Result<StatusWriter> StatusWriter::open(int task_dir_fd, Status* newest)
{
    StatusWriter writer;
    writer.fd_ = open_file(task_dir_fd, "status", O_RDWR);
    if (!writer.fd_) return detail::explain("can't open the status record", errno);
    auto read = read_file(writer.fd_.get());
    if (!read) return read.error();
    writer.generation_ = read->generation;
    if (newest != nullptr) *newest = std::move(read->status);
    return writer;
}

Result<void> StatusWriter::write(const Status& status)
{
    const auto slot = encode_status(status, generation_ + 1);
    if (const int err = detail::write_all_at(fd_.get(), slot, slot_offset(generation_ + 1)))
        return detail::explain("can't write the status record", err);
    ++generation_; // not before: after a failure the same slot is tried again, and the good one
                   // stays
    return {};
}

Result<Status> read_open_status(int status_fd)
{
    auto decoded = read_file(status_fd);
    if (!decoded) return decoded.error();
    return std::move(decoded->status);
}

bool has_damaged_slot(int task_dir_fd)
{
    const Fd fd = open_file(task_dir_fd, "status", O_RDONLY);
    std::array<std::byte, status_file_size> bytes{};
    if (!fd || detail::read_at(fd.get(), bytes, 0) < 0) return false;
    for (const std::size_t at : {std::size_t{0}, status_slot_size}) {
        const auto slot = std::span(bytes).subspan(at, status_slot_size);
        const bool is_empty =
            std::ranges::all_of(slot, [](std::byte byte) { return byte == std::byte{0}; });
        // Alone in front of zeros: the other one does not count then.
        std::array<std::byte, status_file_size> alone{};
        std::ranges::copy(slot, alone.begin());
        if (!is_empty && !decode_status(alone)) return true;
    }
    return false;
}

Result<Status> read_status(int task_dir_fd)
{
    return read_at_path(task_dir_fd, "status");
}

Result<Status> read_status_at(int root_fd, TaskId id)
{
    return read_at_path(root_fd, ("tasks/" + to_string(id) + "/status").c_str());
}

} // namespace bgt::store
