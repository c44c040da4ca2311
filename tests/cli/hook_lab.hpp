#pragma once
/// The hooks of a task, as bgt show tells them.
#include "support/catch.hpp"
#include "support/lab.hpp"

namespace bgt::test {

inline bool has(const std::string& text, const std::string& part)
{
    return text.find(part) != std::string::npos;
}

inline boost::json::array hooks_of(const Lab& lab, const std::string& id)
{
    return lab.show(id).at("hooks").as_array();
}

/// The hook of that name, once it has the state; an empty object where it never does.
inline boost::json::object hook_of(const Lab& lab, const std::string& id, const std::string& name,
                                   const std::string& state = "ended")
{
    boost::json::object found;
    eventually(test_timeout, [&] {
        for (const auto& hook : hooks_of(lab, id))
            if (text_at(hook.as_object(), "/hook") == name &&
                text_at(hook.as_object(), "/state") == state)
                found = hook.as_object();
        return !found.empty();
    });
    REQUIRE_FALSE(found.empty());
    return found;
}

} // namespace bgt::test
