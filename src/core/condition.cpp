#include <bgt/core/condition.hpp>

#include <bgt/base/text.hpp>

#include <algorithm>

namespace bgt::core {
namespace {

constexpr std::string_view gone_word = "gone:";
constexpr std::size_t max_shown = 60;

std::string shown(std::string_view text)
{
    return fit(printable(text), max_shown);
}

std::string form_of(const ConditionRow& row)
{
    return std::string(row.word) + std::string(row.argument);
}

/// Calls `take` with each row, and with "gone:" and its argument after the last row that can be
/// gone.
template <class Take>
void each_form(Take take)
{
    const std::span<const ConditionRow> table = condition_table();
    const auto last_gone =
        std::ranges::find(table.rbegin(), table.rend(), true, &ConditionRow::can_be_gone).base();
    for (auto row = table.begin(); row != table.end(); ++row) {
        take(row->word, row->argument);
        if (row + 1 == last_gone) take(gone_word, "CONDITION");
    }
}

Error unknown(const std::string& text)
{
    return Error::usage("unknown condition \"" + shown(text) + "\"; there are " +
                        condition_forms());
}

const ConditionRow* find_row(std::string_view text)
{
    for (const ConditionRow& row : condition_table())
        if (row.argument.empty() ? text == row.word : text.starts_with(row.word)) return &row;
    return nullptr;
}

/// "it listened on port {}" with the argument in it.
std::string filled(std::string_view text, const std::string& argument)
{
    std::string out(text);
    if (const std::size_t place = out.find("{}"); place != std::string::npos)
        out.replace(place, 2, argument);
    return out;
}

/// "port:N, tcp:HOST:N and cmd:COMMAND"
std::string forms_that_can_be_gone()
{
    std::vector<std::string> forms;
    for (const ConditionRow& row : condition_table())
        if (row.can_be_gone) forms.push_back(form_of(row));
    std::string out;
    for (std::size_t i = 0; i < forms.size(); ++i)
        out += (i == 0 ? "" : i + 1 == forms.size() ? " and " : ", ") + forms[i];
    return out;
}

Result<Condition> parse_gone(const std::string& rest, const std::string& cwd)
{
    Result<Condition> condition = parse_condition(rest, cwd);
    if (!condition) return condition;
    if (condition->gone || !condition->row->can_be_gone)
        return Error::usage("gone: goes with " + forms_that_can_be_gone() + ", not with \"" +
                            shown(rest) + "\"");
    condition->gone = true;
    condition->before = shown(rest) + " was gone";
    return condition;
}

} // namespace

Condition::Condition() : row(condition_table().data()) {}

Condition::Kind Condition::kind() const
{
    return row->kind;
}

bool Condition::observes(Observation one) const
{
    return row->observes.has(one);
}

bool Condition::is_guard() const
{
    return row->guard;
}

bool Condition::can_make_ready() const
{
    return observes(Observation::output) || observes(Observation::listeners) ||
           observes(Observation::probe);
}

std::string condition_forms()
{
    std::string out;
    each_form([&](std::string_view word, std::string_view argument) {
        if (!out.empty()) out += ", ";
        out.append(word).append(argument);
    });
    return out;
}

std::vector<std::string> condition_words()
{
    std::vector<std::string> out;
    each_form([&](std::string_view word, std::string_view) { out.emplace_back(word); });
    return out;
}

Result<Condition> parse_condition(const std::string& text, const std::string& cwd)
{
    if (text.starts_with(gone_word)) return parse_gone(text.substr(gone_word.size()), cwd);
    Condition condition;
    condition.row = find_row(text);
    if (!condition.row) return unknown(text);
    const ConditionRow& row = *condition.row;
    condition.before = row.before;
    if (row.argument.empty()) return condition;
    const std::string argument = text.substr(row.word.size());
    if (argument.empty())
        return Error::usage("the condition " + std::string(row.word) + " needs " +
                            std::string(row.argument) + " after it");
    const Result<std::string> read = row.parse(condition, argument, cwd);
    if (!read) return read.error();
    condition.before = filled(row.before, *read);
    return condition;
}

} // namespace bgt::core
