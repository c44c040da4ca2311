#include <bgt/ops/reboot_entry.hpp>

#include <bgt/base/fd.hpp>
#include <bgt/base/siphash.hpp>
#include <bgt/base/text.hpp>
#include <bgt/os/helper.hpp>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <unistd.h>

namespace bgt::ops {
namespace {

constexpr auto helper_timeout = std::chrono::seconds(20);
/// What run_helper() keeps of an output: a longer crontab would be cut off.
constexpr std::size_t max_crontab_size = 63 * 1024;
constexpr std::string_view mark = " # bgt schedule install";

std::string variable(const char* name)
{
    const char* value = std::getenv(name);
    return value ? value : "";
}

/// In PATH; empty: it is not there.
std::string find_program(const std::string& name)
{
    for (const std::string& folder : split(variable("PATH"), ':')) {
        const std::string path = folder + "/" + name;
        if (folder.starts_with('/') && ::access(path.c_str(), X_OK) == 0) return path;
    }
    return {};
}

/// Its output; nullopt: it is not there, or did not end with 0.
std::optional<std::string> output_of(const std::string& name, const std::vector<std::string>& words)
{
    const std::string program = find_program(name);
    if (program.empty()) return std::nullopt;
    const auto end = os::run_helper(program, words, true, helper_timeout);
    if (!end || end->code != 0) return std::nullopt;
    return end->output;
}

/// Each root has an entry of its own.
std::string unit_name(const store::Root& root)
{
    const std::string& path = root.path();
    const KeyedHash hash =
        siphash(HashKey{}, {reinterpret_cast<const std::uint8_t*>(path.data()), path.size()});
    std::string name = "bgt-";
    for (std::size_t i = 0; i < 6; ++i) name += fmt::format("{:02x}", hash[i]);
    return name + ".service";
}

std::string units_folder()
{
    std::string config = variable("XDG_CONFIG_HOME");
    if (!config.starts_with('/')) config = variable("HOME") + "/.config";
    return config + "/systemd/user";
}

Result<std::string> own_program()
{
    std::error_code failed;
    const auto path = std::filesystem::read_symlink("/proc/self/exe", failed);
    if (failed) return Error::system("/proc/self/exe", failed.value());
    return path.string();
}

/// A word of ExecStart= (man 5 systemd.service).
std::string unit_word(const std::string& word)
{
    std::string out = "\"";
    for (const char c : word) {
        if (c == '"' || c == '\\') out += '\\';
        if (c == '%' || c == '$') out += c;
        out += c;
    }
    return out + "\"";
}

/// Of a line of crontab, where % stands for the end of the line (man 5 crontab).
std::string crontab_word(const std::string& word)
{
    std::string out;
    for (const char c : shell_quote(word)) {
        if (c == '%') out += '\\';
        out += c;
    }
    return out;
}

std::string crontab_line(const store::Root& root, const std::string& program)
{
    return "@reboot " + crontab_word(program) + " --root " + crontab_word(root.path()) +
           " ps >/dev/null 2>&1" + std::string(mark);
}

bool is_own_line(const store::Root& root, const std::string& line)
{
    return line.ends_with(mark) &&
           line.find(" --root " + crontab_word(root.path()) + " ps ") != line.npos;
}

Result<void> write_crontab(const std::vector<std::string>& lines)
{
    std::string path = std::filesystem::temp_directory_path().string() + "/bgt-crontab-XXXXXX";
    const Fd file(::mkstemp(path.data()));
    if (!file) return Error::system("a file for crontab", errno);
    std::string text;
    for (const std::string& line : lines) text += line + "\n";
    const bool is_written =
        ::write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
    const auto done = is_written ? output_of("crontab", {path}) : std::nullopt;
    ::unlink(path.c_str());
    if (!done) return Error::failed("crontab does not take the new table");
    return {};
}

/// Whether there is none yet. A crontab that only could not be read must not be written anew.
bool has_no_crontab(const std::string& program)
{
    const auto said = os::run_helper("/bin/sh", {"-c", "LC_ALL=C exec \"$0\" -l 2>&1", program},
                                     true, helper_timeout);
    if (!said || said->code != 1) return false;
    return said->output.find("no crontab for ") != std::string::npos ||
           said->output.find("No such file or directory") != std::string::npos; // BusyBox
}

/// Without the empty one at the end. Error: it can't be read, or is too long to be changed here.
Result<std::vector<std::string>> read_crontab()
{
    const std::string program = find_program("crontab");
    if (program.empty()) return std::vector<std::string>();
    const auto end = os::run_helper(program, {"-l"}, true, helper_timeout);
    if ((!end || end->code != 0) && has_no_crontab(program)) return std::vector<std::string>();
    if (!end || end->code != 0)
        return Error::failed("crontab -l fails, so the table is left as it is: try it by hand");
    const std::string& text = end->output;
    if (text.size() >= max_crontab_size)
        return Error::failed("the crontab is too long: add a line by hand (crontab -e)");
    std::vector<std::string> lines = split(text, '\n');
    while (!lines.empty() && lines.back().empty()) lines.pop_back();
    return lines;
}

bool has_systemd()
{
    return output_of("systemctl", {"--user", "show-environment"}).has_value();
}

Result<RebootEntry> install_unit(const store::Root& root, const std::string& program)
{
    const std::string folder = units_folder(), name = unit_name(root), path = folder + "/" + name;
    std::error_code failed;
    std::filesystem::create_directories(folder, failed);
    std::ofstream file(path);
    // What the call leaves in the background stays, as long as the unit counts as active.
    file << "[Unit]\nDescription=bgt: what waits and what is scheduled\n\n[Service]\nType=oneshot\n"
            "RemainAfterExit=yes\nKillMode=process\nExecStart="
         << unit_word(program) << " --root " << unit_word(root.path())
         << " ps\n\n[Install]\nWantedBy=default.target\n";
    file.close();
    if (!file) return Error::failed("can't write " + printable(path));
    if (!output_of("systemctl", {"--user", "daemon-reload"}) ||
        !output_of("systemctl", {"--user", "enable", name}))
        return Error::failed("systemctl --user does not enable " + printable(path));
    return RebootEntry{RebootEntry::Kind::systemd, path};
}

Result<RebootEntry> install_line(const store::Root& root, const std::string& program)
{
    const std::string line = crontab_line(root, program);
    BGT_TRY_ASSIGN(std::vector<std::string> lines, read_crontab());
    std::erase_if(lines, [&](const std::string& other) { return is_own_line(root, other); });
    lines.push_back(line);
    BGT_TRY(write_crontab(lines));
    return RebootEntry{RebootEntry::Kind::crontab, line};
}

} // namespace

std::optional<RebootEntry> find_reboot_entry(const store::Root& root)
{
    const std::string path = units_folder() + "/" + unit_name(root);
    if (::access(path.c_str(), F_OK) == 0) return RebootEntry{RebootEntry::Kind::systemd, path};
    const auto lines = read_crontab();
    if (!lines) return std::nullopt;
    const auto found =
        std::ranges::find_if(*lines, [&](const auto& line) { return is_own_line(root, line); });
    if (found == lines->end()) return std::nullopt;
    return RebootEntry{RebootEntry::Kind::crontab, *found};
}

Result<RebootEntry> install_reboot_entry(const store::Root& root)
{
    BGT_TRY_ASSIGN(const std::string program, own_program());
    if (root.path().find('\n') != std::string::npos || program.find('\n') != std::string::npos)
        return Error::failed("a path with a line break can't be named there");
    if (has_systemd()) return install_unit(root, program);
    if (!find_program("crontab").empty()) return install_line(root, program);
    return Error::failed("neither systemctl --user nor crontab works here: see to it that `bgt ps` "
                         "is called after each start of the machine");
}

Result<std::vector<RebootEntry>> remove_reboot_entry(const store::Root& root)
{
    std::vector<RebootEntry> removed;
    const std::string name = unit_name(root), path = units_folder() + "/" + name;
    if (::access(path.c_str(), F_OK) == 0) {
        static_cast<void>(output_of("systemctl", {"--user", "disable", name}));
        if (::unlink(path.c_str()) != 0) return Error::system(printable(path), errno);
        static_cast<void>(output_of("systemctl", {"--user", "daemon-reload"}));
        removed.push_back({RebootEntry::Kind::systemd, path});
    }
    BGT_TRY_ASSIGN(std::vector<std::string> lines, read_crontab());
    const auto own =
        std::ranges::find_if(lines, [&](const auto& line) { return is_own_line(root, line); });
    if (own == lines.end()) return removed;
    removed.push_back({RebootEntry::Kind::crontab, *own});
    std::erase_if(lines, [&](const std::string& line) { return is_own_line(root, line); });
    BGT_TRY(write_crontab(lines));
    return removed;
}

} // namespace bgt::ops
