#pragma once
/// Errors are values: every fallible function below `cli` returns `Result<T>`.
#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace bgt {

/// What an error means to the caller's exit code; the text says the rest.
enum class ErrorKind {
    failed,      ///< bgt itself could not do it: no access, disk full, damaged state (125)
    usage,       ///< the request makes no sense: unknown option, bad duration (125)
    not_found,   ///< no such task, no such name (125)
    cannot_exec, ///< the command exists and could not be executed (126)
    no_command,  ///< the command was not found (127)
};

/// One message for a person: what failed, where, and what to do next. No newline at its end.
struct Error {
    ErrorKind kind = ErrorKind::failed;
    std::string message;
    int sys_errno = 0; ///< the errno behind it, or 0

    static Error usage(std::string text) { return {ErrorKind::usage, std::move(text), 0}; }
    static Error not_found(std::string text) { return {ErrorKind::not_found, std::move(text), 0}; }
    static Error failed(std::string text) { return {ErrorKind::failed, std::move(text), 0}; }
    /// "WHAT: strerror(err)".
    static Error system(std::string what, int err);
};

/// A value or an Error. Reading the one that is not there is a bug (std::bad_variant_access).
template <class T>
class [[nodiscard]] Result {
public:
    Result(T value) : data_(std::in_place_index<0>, std::move(value)) {}
    Result(Error error) : data_(std::in_place_index<1>, std::move(error)) {}

    explicit operator bool() const { return data_.index() == 0; }
    T& operator*() & { return std::get<0>(data_); }
    const T& operator*() const& { return std::get<0>(data_); }
    T&& operator*() && { return std::get<0>(std::move(data_)); }
    T* operator->() { return &std::get<0>(data_); }
    const T* operator->() const { return &std::get<0>(data_); }
    const Error& error() const { return std::get<1>(data_); }

private:
    std::variant<T, Error> data_;
};

template <>
class [[nodiscard]] Result<void> {
public:
    Result() = default;
    Result(Error error) : error_(std::move(error)) {}

    explicit operator bool() const { return !error_; }
    const Error& error() const { return *error_; }

private:
    std::optional<Error> error_;
};

} // namespace bgt
