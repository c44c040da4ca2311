#pragma once
/// Questions to the outside that a waiting condition asks. Each is bounded by its timeout.
#include <bgt/base/result.hpp>
#include <bgt/base/time.hpp>
#include <bgt/core/http_url.hpp>
#include <cstdint>
#include <string>
#include <vector>

namespace bgt::os {

/// Addresses of a host as text: a literal stands for itself, `localhost` is 127.0.0.1 and ::1, any
/// other name is asked of `getent ahosts` (a static program has no resolver of its own; man 1
/// getent). Error: unknown, or no getent.
Result<std::vector<std::string>> resolve(const std::string& host, Duration timeout);

/// Whether a TCP connection to one of the addresses is accepted within the timeout.
bool tcp_connects(const std::vector<std::string>& addresses, std::uint16_t port, Duration timeout);

/// The status code of a GET, or an error (refused, no answer in time, not HTTP). Redirects are not
/// followed.
Result<int> http_get_status(const core::HttpUrl&, const std::vector<std::string>& addresses,
                            Duration timeout);

/// The same for https, by curl(1) with no configuration of the user's. The certificate of this
/// machine's own servers (core::is_loopback) is not checked: that of a dev server is its own. Error
/// also: curl is not installed, a certificate that is not accepted.
Result<int> https_get_status(const core::HttpUrl&, Duration timeout);

/// Runs `/bin/sh -c text` with stdin and output on /dev/null; its exit code, 128+N of a signal, or
/// 124 when it was killed with its process group because the timeout passed. (Boost.Process)
Result<int> run_command(const std::string& text, Duration timeout);

} // namespace bgt::os
