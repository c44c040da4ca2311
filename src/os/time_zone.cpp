#include <bgt/os/time_zone.hpp>

#include <bgt/base/text.hpp>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <optional>
#include <sys/stat.h>
#include <unistd.h>

namespace bgt::os {
namespace {

/// A little more than a year. Changes that cancel each other are more than `stride` apart.
constexpr int block_bits = 25;
constexpr std::int64_t block_seconds = std::int64_t{1} << block_bits;
constexpr std::int64_t stride = 2 * 86'400;

std::int64_t seconds_of(WallTime time)
{
    return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
}

std::int64_t block_of(std::int64_t seconds)
{
    return seconds >> block_bits;
}

std::string database()
{
    const char* folder = std::getenv("TZDIR");
    return folder != nullptr && *folder == '/' ? folder : "/usr/share/zoneinfo";
}

/// Words of letters, digits, `_`, `+`, `-`, joined by `/`.
bool is_zone_name(std::string_view name)
{
    if (name.empty() || name.size() > 100) return false;
    for (const std::string& word : split(name, '/')) {
        if (word.empty()) return false;
        for (const char c : word)
            if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '_' || c == '+' || c == '-'))
                return false;
    }
    return true;
}

bool is_zone_file(const std::string& path)
{
    std::array<char, 4> magic{};
    std::ifstream file(path, std::ios::binary);
    file.read(magic.data(), magic.size());
    return file && std::string_view(magic.data(), magic.size()) == "TZif";
}

/// The names of the database, by its own table.
std::vector<std::string> zone_names()
{
    std::vector<std::string> names;
    std::ifstream table(database() + "/tzdata.zi");
    if (!table) table.open(database() + "/zone1970.tab");
    for (std::string line; std::getline(table, line);) {
        const bool tab = line.find('\t') != std::string::npos;
        const auto words = split(line, tab ? '\t' : ' ');
        if (tab && words.size() >= 3 && !line.starts_with('#')) names.push_back(words[2]);
        if (!tab && words.size() >= 3 && words[0] == "Z") names.push_back(words[1]);
        if (!tab && words.size() >= 3 && words[0] == "L") names.push_back(words[2]);
    }
    return names;
}

Error no_zone(const std::string& name)
{
    std::string message =
        "no time zone " + shell_quote(fit(printable(name), 60)) + " in " + printable(database());
    if (::access(database().c_str(), F_OK) != 0) message += " (install the package tzdata)";
    const auto near = near_matches(name, zone_names());
    for (std::size_t i = 0; i < near.size(); ++i)
        message += (i == 0 ? "; did you mean " : i + 1 == near.size() ? " or " : ", ") + near[i];
    return Error::usage(message + (near.empty() ? "" : "?"));
}

/// Makes localtime_r that of the zone, for its lifetime.
class Borrowed {
public:
    explicit Borrowed(const std::string& name)
    {
        if (const char* before = std::getenv("TZ")) had_ = true, before_ = before;
        ::setenv("TZ", (":" + name).c_str(), 1);
        ::tzset();
    }
    ~Borrowed()
    {
        if (had_) ::setenv("TZ", before_.c_str(), 1);
        else ::unsetenv("TZ");
        ::tzset();
    }
    Borrowed(const Borrowed&) = delete;
    Borrowed& operator=(const Borrowed&) = delete;

private:
    bool had_ = false;
    std::string before_;
};

std::int64_t libc_offset(std::int64_t utc)
{
    const auto clock = static_cast<std::time_t>(utc);
    std::tm local{};
    return ::localtime_r(&clock, &local) != nullptr ? local.tm_gmtoff : 0;
}

/// What the zone of this process is called.
std::string own_name()
{
    if (const char* tz = std::getenv("TZ")) {
        const std::string_view name = *tz == ':' ? tz + 1 : tz;
        if (name.empty()) return "UTC";
        return is_zone_name(name) ? std::string(name) : "local";
    }
    std::array<char, 256> target{};
    const auto length = ::readlink("/etc/localtime", target.data(), target.size());
    const std::string_view path(target.data(), length > 0 ? static_cast<std::size_t>(length) : 0);
    constexpr std::string_view folder = "zoneinfo/";
    const auto at = path.find(folder);
    if (at == std::string_view::npos) return "local";
    const std::string_view name = path.substr(at + folder.size());
    return is_zone_name(name) ? std::string(name) : "local";
}

} // namespace

TimeZone::TimeZone(std::string name, bool own, std::string path)
    : name_(std::move(name)), own_(own), path_(std::move(path)), file_(look(path_))
{}

TimeZone::File TimeZone::look(const std::string& path)
{
    struct stat at {};
    if (path.empty() || ::stat(path.c_str(), &at) != 0) return {};
    return {at.st_dev, at.st_ino, at.st_mtim.tv_sec * 1'000'000'000 + at.st_mtim.tv_nsec};
}

Result<std::shared_ptr<const TimeZone>> TimeZone::open(const std::string& name)
{
    using Opened = std::shared_ptr<const TimeZone>;
    if (name.empty()) {
        const std::string own = own_name();
        if (std::getenv("TZ") != nullptr && is_zone_file(database() + "/" + own)) return open(own);
        ::tzset();
        return Opened(new TimeZone(own, true, "/etc/localtime"));
    }
    if (!is_zone_name(name))
        return Error::usage(shell_quote(fit(printable(name), 60)) +
                            " is no name of a time zone; write e.g. Europe/Berlin or UTC");
    const std::string path = database() + "/" + name;
    if (is_zone_file(path) && !name.starts_with("right/"))
        return Opened(new TimeZone(name, false, path));
    if (name == "UTC") return Opened(new TimeZone(name, false, {}));
    return no_zone(name);
}

bool TimeZone::changed() const
{
    return look(path_) != file_;
}

const std::vector<TimeZone::Change>& TimeZone::block(std::int64_t number) const
{
    std::vector<Change>& changes = blocks_[number];
    if (!changes.empty()) return changes;
    std::optional<Borrowed> borrowed;
    if (!own_ && !path_.empty()) borrowed.emplace(name_);
    const std::int64_t begin = number * block_seconds, end = begin + block_seconds;
    const auto offset = [this](std::int64_t utc) {
        return own_ || !path_.empty() ? libc_offset(utc) : 0;
    };
    changes.push_back({begin, offset(begin)});
    for (std::int64_t at = begin; at < end - 1;) {
        const std::int64_t next = std::min(at + stride, end - 1);
        const std::int64_t before = changes.back().offset;
        if (offset(next) != before) {
            std::int64_t low = at, high = next;
            while (high - low > 1) {
                const std::int64_t middle = low + (high - low) / 2;
                (offset(middle) == before ? low : high) = middle;
            }
            changes.push_back({high, offset(high)});
            at = high;
        } else {
            at = next;
        }
    }
    return changes;
}

std::chrono::seconds TimeZone::offset(WallTime utc) const
{
    const std::int64_t at = seconds_of(utc);
    const auto& changes = block(block_of(at));
    const auto after = std::ranges::upper_bound(changes, at, {}, &Change::since);
    return std::chrono::seconds((after - 1)->offset);
}

WallTime TimeZone::steady_until(WallTime utc) const
{
    const std::int64_t at = seconds_of(utc), number = block_of(at);
    const auto& changes = block(number);
    const auto after = std::ranges::upper_bound(changes, at, {}, &Change::since);
    const std::int64_t next = after == changes.end() ? (number + 1) * block_seconds : after->since;
    return WallTime(std::chrono::seconds(next - 1));
}

} // namespace bgt::os
