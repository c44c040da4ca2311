#include "support/lab.hpp"

#include "support/catch.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <cstdlib>
#include <fstream>
#include <netinet/in.h>
#include <sstream>
#include <sys/socket.h>
#include <unistd.h>

namespace bgt::test {

namespace fs = std::filesystem;
namespace json = boost::json;

namespace {

std::string make_folder()
{
    std::string path = (fs::temp_directory_path() / "bgt-test-XXXXXX").string();
    if (mkdtemp(path.data()) == nullptr) throw std::runtime_error("mkdtemp " + path);
    return fs::canonical(path).string();
}

bool is_number(const std::string& text)
{
    return !text.empty() &&
           std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// A program that other users can start too: a copy, where it lies in a folder that is closed to
/// them.
class Reachable {
public:
    explicit Reachable(const std::string& program) : path_(program)
    {
        for (fs::path at = fs::canonical(program).parent_path(); at != at.root_path();
             at = at.parent_path())
            if ((fs::status(at).permissions() & fs::perms::others_exec) == fs::perms::none) {
                copy(program);
                return;
            }
    }
    ~Reachable()
    {
        std::error_code error;
        if (!folder_.empty()) fs::remove_all(folder_, error);
    }
    Reachable(const Reachable&) = delete;
    Reachable& operator=(const Reachable&) = delete;
    const std::string& path() const { return path_; }

private:
    void copy(const std::string& program)
    {
        folder_ = make_folder();
        fs::permissions(folder_,
                        fs::perms::owner_all | fs::perms::group_exec | fs::perms::others_exec);
        path_ = folder_ + "/bgt";
        fs::copy_file(program, path_);
    }
    std::string path_, folder_;
};

/// A folder that a test made read-only would stay.
void remove_all(const std::string& folder)
{
    std::error_code error;
    fs::recursive_directory_iterator entries(folder, fs::directory_options::skip_permission_denied,
                                             error);
    for (; !error && entries != fs::recursive_directory_iterator(); entries.increment(error)) {
        std::error_code other;
        if (entries->is_directory(other) && !entries->is_symlink(other))
            fs::permissions(entries->path(), fs::perms::owner_all, fs::perm_options::add, other);
    }
    fs::remove_all(folder, error);
}

} // namespace

Lab::Lab() : folder_(make_folder())
{
    for (const char* name : {"work", "home"}) fs::create_directory(folder_ + "/" + name);
    const char* path = std::getenv("PATH");
    env_ = {"PATH=" + std::string(path ? path : "/usr/local/bin:/usr/bin:/bin"),
            "HOME=" + folder_ + "/home",
            "BGT_ROOT=" + root(),
            "LANG=C.UTF-8",
            "TZ=UTC",
            "TERM=dumb"};
    for (const char* name : {"ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS", "TSAN_OPTIONS"})
        if (const char* value = std::getenv(name)) env_.push_back(std::string(name) + "=" + value);
}

Lab::~Lab()
{
    kill_marked(folder_);
    remove_all(folder_);
}

void Lab::set_env(const std::string& assignment)
{
    const std::string name = assignment.substr(0, assignment.find('=') + 1);
    std::erase_if(env_, [&](const std::string& entry) { return entry.starts_with(name); });
    env_.push_back(assignment);
}

Invocation Lab::program(const Words& words) const
{
    return {words, env_, work(), std::nullopt, {}};
}

Invocation Lab::bgt(const Words& words) const
{
    static const Reachable binary(BGT_BINARY);
    Words argv{binary.path()};
    argv.insert(argv.end(), words.begin(), words.end());
    return program(argv);
}

std::string Lab::start(const Words& words) const
{
    Words all{"run"};
    all.insert(all.end(), words.begin(), words.end());
    const Ran ran = (*this)(all);
    INFO(ran);
    REQUIRE(ran.in_time);
    REQUIRE(ran.code == 0);
    REQUIRE(ran.err.empty());
    REQUIRE(ran.out.ends_with("\n"));
    const std::string id = ran.out.substr(0, ran.out.size() - 1);
    REQUIRE(is_number(id));
    return id;
}

std::string Lab::start_fixture(const Words& options, const Words& mode) const
{
    Words words = options;
    words.insert(words.end(), {"--", BGT_FIXTURE});
    words.insert(words.end(), mode.begin(), mode.end());
    return start(words);
}

json::value Lab::ask(const Words& words) const
{
    Words all = words;
    all.push_back("--json");
    const Ran ran = (*this)(all);
    INFO(ran);
    REQUIRE(ran.code == 0);
    std::error_code error;
    json::value answer = json::parse(ran.out, error);
    REQUIRE(!error);
    REQUIRE(at(answer, "/schema") == 1);
    return answer;
}

json::object Lab::show(const std::string& task) const
{
    return at(ask({"show", task}), "/tasks/0").as_object();
}

int Lab::wait(const std::string& task) const
{
    const Ran ran = (*this)({"wait", task}, 60s);
    INFO(ran);
    REQUIRE(ran.in_time);
    if (ran.code == 125) UNSCOPED_INFO(ran.err);
    return ran.code;
}

std::string Lab::log(const std::string& task) const
{
    return read_file(task_folder(task) + "/out.log");
}

bool Lab::logged(const std::string& task, const std::string& text) const
{
    return eventually(test_timeout, [&] { return log(task).find(text) != std::string::npos; });
}

std::vector<pid_t> Lab::pids_said(const std::string& task) const
{
    std::vector<pid_t> pids;
    eventually(test_timeout, [&] {
        const std::string text = log(task);
        const std::size_t begin = text.find("pids ");
        const std::size_t end = begin == std::string::npos ? begin : text.find('\n', begin);
        if (end == std::string::npos) return false;
        std::istringstream numbers(text.substr(begin + 5, end - begin - 5));
        for (pid_t pid = 0; numbers >> pid;) pids.push_back(pid);
        return true;
    });
    REQUIRE(!pids.empty());
    return pids;
}

Words Lab::listing() const
{
    Words names;
    std::error_code error;
    fs::recursive_directory_iterator entries(root(), error);
    for (; !error && entries != fs::recursive_directory_iterator(); entries.increment(error))
        names.push_back(entries->path().string().substr(root().size() + 1));
    std::sort(names.begin(), names.end());
    return names;
}

const json::value& at(const json::value& value, const std::string& pointer)
{
    static const json::value null;
    std::error_code error;
    const json::value* found = value.find_pointer(pointer, error);
    return found ? *found : null;
}

const json::value& at(const json::object& object, const std::string& pointer)
{
    static const json::value null;
    const std::size_t end = pointer.find('/', 1);
    const json::value* member =
        object.if_contains(pointer.substr(1, end == std::string::npos ? end : end - 1));
    if (!member) return null;
    return end == std::string::npos ? *member : at(*member, pointer.substr(end));
}

std::string text_at(const json::object& object, const std::string& pointer)
{
    const json::value& found = at(object, pointer);
    return found.is_string() ? std::string(found.get_string()) : json::serialize(found);
}

std::int64_t number_at(const json::object& object, const std::string& pointer)
{
    const json::value& found = at(object, pointer);
    INFO(pointer << " of " << json::serialize(object));
    REQUIRE(found.is_number());
    return found.to_number<std::int64_t>();
}

std::string read_file(const std::string& path)
{
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

void write_file(const std::string& path, const std::string& text)
{
    std::ofstream(path, std::ios::binary) << text;
}

bool all_gone(const std::vector<pid_t>& pids)
{
    return std::none_of(pids.begin(), pids.end(), is_alive);
}

namespace {

sockaddr_in local(std::uint16_t port)
{
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

} // namespace

std::uint16_t free_port()
{
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address = local(0);
    socklen_t size = sizeof address;
    REQUIRE(bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0);
    getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
    close(fd);
    return ntohs(address.sin_port);
}

bool port_is_open(std::uint16_t port)
{
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in address = local(port);
    const bool open = connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    close(fd);
    return open;
}

} // namespace bgt::test
