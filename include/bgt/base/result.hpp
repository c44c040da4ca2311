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

/// In a function that returns a Result: ends it with the error of `expression`, a Result, where
/// that is one.
///     BGT_TRY(check_descriptors());
#define BGT_TRY(expression)                                                                        \
    do {                                                                                           \
        if (auto bgt_result = (expression); !bgt_result) return bgt_result.error();                \
    } while (false)

#define BGT_TRY_NAME_(line) bgt_result_##line
#define BGT_TRY_NAME(line) BGT_TRY_NAME_(line)
#define BGT_TRY_ASSIGN_(name, target, expression)                                                  \
    auto name = (expression);                                                                      \
    if (!name) return name.error();                                                                \
    target = *std::move(name)

/// The same, and else the value goes to `target`, which may be a declaration:
///     BGT_TRY_ASSIGN(Fd log, task.open("out.log", O_RDWR));
/// Hazard: it is several statements; never the branch of an `if` without braces.
#define BGT_TRY_ASSIGN(target, expression)                                                         \
    BGT_TRY_ASSIGN_(BGT_TRY_NAME(__LINE__), target, expression)
