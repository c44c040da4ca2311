#pragma once
/// The arguments of one call, checked against the fields of its operation.
#include <bgt/api/field.hpp>
#include <bgt/base/result.hpp>
#include <boost/json/object.hpp>
#include <optional>
#include <string>
#include <vector>

namespace bgt::api {

/// Every getter names a field of the operation; its type is the field's.
class Arguments {
public:
    /// Unknown fields, wrong types, what is out of bounds and what is missing is an error (usage)
    /// that names the field and what it takes. null stands for a field that is not there.
    static Result<Arguments> check(std::span<const Field>, const boost::json::object&);

    bool has(std::string_view name) const { return find(name) != nullptr; }
    std::optional<std::string> text(std::string_view name) const;
    /// With the default of the field, which must have one.
    std::string text_or_default(std::string_view name) const;
    std::optional<std::int64_t> integer(std::string_view name) const;
    std::optional<double> number(std::string_view name) const;
    bool flag(std::string_view name) const; ///< false where there is neither a value nor a default
    /// A task as a word of ops::Selection.
    std::optional<std::string> task(std::string_view name) const;
    std::vector<std::string> tasks(std::string_view name) const;
    std::vector<std::string> texts(std::string_view name) const;
    std::vector<std::pair<std::string, std::string>> variables(std::string_view name) const;
    std::optional<Arguments> object(std::string_view name) const;

private:
    /// The value, or the default; null where there is neither.
    const boost::json::value* find(std::string_view name) const;

    boost::json::object values_; ///< with defaults filled in
    std::span<const Field> fields_;
};

} // namespace bgt::api
