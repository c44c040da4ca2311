#include <bgt/base/text.hpp>

#include <algorithm>
#include <numeric>
#include <utility>

namespace bgt {

namespace {

constexpr std::size_t max_word_size =
    128; ///< what is longer is no typing mistake, and the cost is quadratic
constexpr std::size_t max_matches = 3;

/// Letters to insert, drop, change or swap with their neighbour (optimal string alignment).
std::size_t edit_distance(std::string_view a, std::string_view b)
{
    std::vector<std::size_t> before, last(b.size() + 1), row(b.size() + 1);
    std::iota(last.begin(), last.end(), std::size_t{0});
    for (std::size_t i = 1; i <= a.size(); ++i) {
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t change = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
            row[j] = std::min({change, last[j] + 1, row[j - 1] + 1});
            const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
        }
        before = std::exchange(last, row);
    }
    return last[b.size()];
}

} // namespace

std::vector<std::string> near_matches(std::string_view word,
                                      const std::vector<std::string>& candidates)
{
    if (word.size() > max_word_size) return {};
    const std::size_t most = word.size() < 2 ? 0 : std::max<std::size_t>(1, word.size() / 3);
    std::vector<std::pair<std::size_t, std::string_view>> near;
    for (const std::string& candidate : candidates) {
        const auto [less, more] = std::minmax({candidate.size(), word.size()});
        if (more - less > most) continue;
        const std::size_t distance = edit_distance(word, candidate);
        if (distance > 0 && distance <= most) near.emplace_back(distance, candidate);
    }
    std::stable_sort(near.begin(), near.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    std::vector<std::string> out;
    for (std::size_t i = 0; i < std::min(near.size(), max_matches); ++i)
        out.emplace_back(near[i].second);
    return out;
}

} // namespace bgt
