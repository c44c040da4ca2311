#include "table_options.hpp"

#include "run_table.hpp"

#include "env_file.hpp"
#include <bgt/base/siphash.hpp>
#include <bgt/base/text.hpp>

#include <algorithm>
#include <fmt/format.h>

namespace bgt::cli {

namespace {

using config::Entry;

/// Tells whether a value is still the same, without keeping what may be secret.
std::string hash_of(const std::vector<std::string>& words)
{
    std::vector<std::uint8_t> bytes;
    for (const std::string& word : words) {
        bytes.insert(bytes.end(), word.begin(), word.end());
        bytes.push_back(0);
    }
    const KeyedHash hash = siphash(HashKey{'b', 'g', 't', ' ', 'u', 'p'}, bytes);
    std::string text;
    for (std::size_t i = 0; i < 8; ++i) text += fmt::format("{:02x}", hash[i]);
    return text;
}

std::vector<std::string> value_words(const Entry& entry)
{
    if (const auto* text = std::get_if<std::string>(&entry.value)) return {*text};
    if (const auto* number = std::get_if<long long>(&entry.value)) return {std::to_string(*number)};
    if (const auto* flag = std::get_if<bool>(&entry.value)) return {*flag ? "true" : "false"};
    return std::get<std::vector<std::string>>(entry.value);
}

Result<void> take_command(RunOptions& options, const Entry& entry)
{
    if (const auto* text = std::get_if<std::string>(&entry.value)) options.shell = *text;
    else if (const auto* words = std::get_if<std::vector<std::string>>(&entry.value))
        options.command = *words;
    else
        return error_at(entry.value_at,
                        "command must be a string, which /bin/sh runs, or an array of "
                        "strings, which is run as it is");
    for (const std::string& word : value_words(entry))
        if (word.find('\0') != word.npos)
            return error_at(entry.value_at, "command: a NUL can't be passed on");
    const bool is_empty = options.shell ? options.shell->empty() : options.command.empty();
    if (is_empty) return error_at(entry.value_at, "command is empty");
    return {};
}

const QueueOption* find_queue_option(const Entry& entry)
{
    for (const QueueOption& option : queue_options()) {
        std::string key = key_name(option.long_name());
        if (key == entry.key) return &option;
        std::replace(key.begin(), key.end(), '_', '-');
        if (key == entry.key) return &option;
    }
    return nullptr;
}

Result<void> take_queue_key(QueueOptions& options, const QueueOption& option, const Entry& entry)
{
    if (!option.in_tables)
        return error_at(entry.key_at,
                        std::string(option.long_name()) +
                            " is for the command line only, not for a task of a project");
    const bool takes_number = option.value == Value::number || option.value == Value::duration ||
                              option.long_name() == "--expire";
    BGT_TRY_ASSIGN(const std::vector<std::string> words,
                   words_of(entry, option.is_flag(), option.is_list(), takes_number));
    ops::SubmitRequest scratch;
    for (const std::string& word : words) {
        if (option.take(scratch, word)) continue;
        return error_at(entry.value_at,
                        printable(entry.key) + ": " + option.take(scratch, word).error().message);
    }
    if (words.empty()) return {};
    if (const auto* flag = std::get_if<0>(&option.member)) options.*(*flag) = true;
    else if (const auto* one = std::get_if<1>(&option.member)) options.*(*one) = words.back();
    else options.*std::get<2>(option.member) = words;
    return {};
}

/// Of a file of variables, what it says now: an edit of it is a change of the table.
Result<std::vector<std::string>> hashed_words(const Entry& entry, const RunOptions& options)
{
    std::vector<std::string> words = value_words(entry);
    if (key_name("--" + entry.key) != "env_file") return words;
    for (const std::string& file : options.env_files) {
        BGT_TRY_ASSIGN(const auto variables, read_env_file(file));
        words.insert(words.end(), variables.begin(), variables.end());
    }
    return words;
}

} // namespace

Error error_at(const std::string& place, const std::string& text)
{
    return Error::usage(place + ": " + text);
}

const std::vector<std::string>& queue_keys()
{
    static const std::vector<std::string> keys = [] {
        std::vector<std::string> out{"command"};
        for (const QueueOption& option : queue_options())
            if (option.in_tables) out.push_back(key_name(option.long_name()));
        return out;
    }();
    return keys;
}

Result<void> take_entry(TableOptions& options, const Entry& entry, const std::string& folder,
                        const TableNouns& nouns, const std::vector<std::string>& own_keys)
{
    if (entry.key == "command") {
        BGT_TRY(take_command(options.run, entry));
    } else if (const QueueOption* queue = find_queue_option(entry)) {
        BGT_TRY(take_queue_key(options.queue, *queue, entry));
        options.waits = options.waits || !queue->values(options.queue).empty();
    } else {
        BGT_TRY_ASSIGN(const RunOption* option,
                       take_key(options.run, {entry, folder, nouns.table, nouns.takes, own_keys}));
        if (option && option->of_name)
            return error_at(entry.key_at, printable(entry.key) + ": the name of " + nouns.table +
                                              " is that of its table");
    }
    BGT_TRY_ASSIGN(const auto words, hashed_words(entry, options.run));
    options.hashes[entry.key] = hash_of(words);
    return {};
}

} // namespace bgt::cli
