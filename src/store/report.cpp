// The files of the reports; their text is report_json.cpp.
#include <bgt/store/report.hpp>

#include "files.hpp"

#include <bgt/base/descriptor.hpp>

#include <algorithm>
#include <cstdio>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace bgt::store {

namespace {

constexpr const char* folder_name = "reports";
constexpr const char* unfinished_name = ".new";
constexpr std::size_t max_bytes = 4u << 20; ///< of one report; they take some 50 KiB

std::string name_of(std::uint64_t number)
{
    return std::to_string(number) + ".json";
}

/// The number in "12.json"; 0 for any other name.
std::uint64_t number_of(std::string_view name)
{
    constexpr std::string_view ending = ".json";
    if (!name.ends_with(ending)) return 0;
    const TaskId id = detail::id_of_entry(name.substr(0, name.size() - ending.size()));
    return id.value > 0 ? static_cast<std::uint64_t>(id.value) : 0;
}

Result<Fd> open_folder(const TaskDir& task)
{
    Fd folder = detail::open_below(task.fd(), folder_name, O_RDONLY | O_DIRECTORY);
    if (!folder) return detail::explain("can't open " + task.path() + "/" + folder_name, errno);
    return folder;
}

Result<Fd> make_folder(const TaskDir& task)
{
    if (::mkdirat(task.fd(), folder_name, 0700) != 0 && errno != EEXIST)
        return detail::explain("can't make " + task.path() + "/" + folder_name, errno);
    return open_folder(task);
}

std::vector<std::uint64_t> numbers_in(int folder)
{
    std::vector<std::uint64_t> numbers;
    detail::Listing listing(Fd(::openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)));
    if (!listing) return numbers;
    while (const char* name = listing.next())
        if (const std::uint64_t number = number_of(name); number != 0) numbers.push_back(number);
    std::sort(numbers.begin(), numbers.end());
    return numbers;
}

/// 0, or the errno.
int write_file(int folder, const std::string& text)
{
    ::unlinkat(folder, unfinished_name, 0); // of a writer that died
    const Fd fd = open_file(folder, unfinished_name, O_WRONLY | O_CREAT | O_EXCL);
    return fd ? write_all(fd.get(), text) : errno;
}

} // namespace

Result<std::vector<std::uint64_t>> list_reports(const TaskDir& task)
{
    const auto folder = open_folder(task);
    if (!folder && folder.error().sys_errno == ENOENT) return std::vector<std::uint64_t>();
    if (!folder) return folder.error();
    return numbers_in(folder->get());
}

Result<std::uint64_t> write_report(const TaskDir& task, const core::Report& report)
{
    const auto folder = make_folder(task);
    if (!folder) return folder.error();
    const auto numbers = numbers_in(folder->get());
    const std::uint64_t number = numbers.empty() ? 1 : numbers.back() + 1;
    int error = write_file(folder->get(), encode_report(report) + "\n");
    if (error == 0 &&
        ::renameat(folder->get(), unfinished_name, folder->get(), name_of(number).c_str()) != 0)
        error = errno;
    if (error != 0) {
        ::unlinkat(folder->get(), unfinished_name, 0);
        return detail::explain(
            "can't write " + task.path() + "/" + folder_name + "/" + name_of(number), error);
    }
    for (std::size_t i = 0; i + max_reports < numbers.size() + 1; ++i)
        ::unlinkat(folder->get(), name_of(numbers[i]).c_str(), 0);
    return number;
}

Result<core::Report> read_report(const TaskDir& task, std::uint64_t number)
{
    const std::string path = std::string(folder_name) + "/" + name_of(number);
    const auto text = detail::read_file(task.fd(), path.c_str(), max_bytes,
                                        "can't read " + task.path() + "/" + path);
    if (!text && text.error().sys_errno == ENOENT)
        return Error::not_found("task " + to_string(task.id()) + " has no report " +
                                std::to_string(number));
    if (!text) return text.error();
    auto report = decode_report(*text);
    if (!report) return Error::failed(task.path() + "/" + path + ": " + report.error().message);
    return report;
}

Result<core::Report> newest_report(const TaskDir& task)
{
    const auto numbers = list_reports(task);
    if (!numbers) return numbers.error();
    Error problem = Error::not_found("task " + to_string(task.id()) + " has no report");
    for (auto number = numbers->rbegin(); number != numbers->rend(); ++number) {
        auto report = read_report(task, *number);
        if (report) return report;
        if (problem.kind == ErrorKind::not_found) problem = report.error();
    }
    return problem;
}

} // namespace bgt::store
