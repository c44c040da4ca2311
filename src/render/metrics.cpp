// What `bgt stats --openmetrics` prints. The names of counters end in _total in the lines of their
// types, too: Prometheus and its tools want it so.
#include <bgt/base/text.hpp>
#include <bgt/render/stats.hpp>

#include <fmt/format.h>

namespace bgt::render {
namespace {

using core::RunCounts;

std::string escaped(std::string_view value)
{
    std::string out;
    for (const char c : to_valid_utf8(value)) {
        if (c == '\n') out += "\\n";
        else if (c == '"' || c == '\\') (out += '\\') += c;
        else out += c;
    }
    return out;
}

std::string labels_of(const core::RunTotals::Key& key)
{
    return fmt::format("name=\"{}\",queue=\"{}\"", escaped(key.first), escaped(key.second));
}

class Metrics {
public:
    void family(const char* name, const char* type, const char* help)
    {
        name_ = name;
        out_ += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
    }
    template <class Number>
    void value(const std::string& labels, Number number)
    {
        out_ += labels.empty() ? fmt::format("{} {}\n", name_, number)
                               : fmt::format("{}{{{}}} {}\n", name_, labels, number);
    }
    std::string end() { return out_ + "# EOF\n"; }

private:
    const char* name_ = "";
    std::string out_;
};

void add_counts(Metrics& out, const core::RunTotals& totals)
{
    out.family("bgt_runs_total", "counter", "Tasks that are over, by how they ended.");
    for (const auto& [key, counts] : totals.rows())
        for (const core::RunResult result : core::run_results)
            out.value(labels_of(key) + fmt::format(",result=\"{}\"", core::to_string(result)),
                      counts.of(result));
    out.family("bgt_runs_hung_total", "counter", "Tasks that hung at least once.");
    for (const auto& [key, counts] : totals.rows()) out.value(labels_of(key), counts.hung);
    out.family("bgt_runs_retried_total", "counter", "Tasks that took more than one attempt.");
    for (const auto& [key, counts] : totals.rows()) out.value(labels_of(key), counts.retried);
}

void add_times(Metrics& out, const core::RunTotals& totals)
{
    const auto seconds = [](std::chrono::microseconds time) {
        return static_cast<double>(time.count()) / 1e6;
    };
    out.family("bgt_run_duration_seconds_total", "counter",
               "Time from the first start to the end of tasks.");
    for (const auto& [key, counts] : totals.rows()) out.value(labels_of(key), seconds(counts.ran));
    out.family("bgt_wait_duration_seconds_total", "counter",
               "Time from the creation to the first start of tasks.");
    for (const auto& [key, counts] : totals.rows())
        out.value(labels_of(key), seconds(counts.waited));
    out.family("bgt_cpu_seconds_total", "counter", "Processor time of tasks that are over.");
    for (const auto& [key, counts] : totals.rows()) out.value(labels_of(key), seconds(counts.cpu));
}

void add_queues(Metrics& out, const ops::RootLoad& now)
{
    struct Gauge {
        const char* name;
        const char* help;
        std::uint64_t ops::QueueLoad::*value;
    };
    for (const Gauge& gauge :
         {Gauge{"bgt_queue_slots", "Slots of a queue.", &ops::QueueLoad::slots},
          Gauge{"bgt_queue_slots_used", "Slots that are in use.", &ops::QueueLoad::used_slots},
          Gauge{"bgt_queue_running", "Tasks that run.", &ops::QueueLoad::running},
          Gauge{"bgt_queue_waiting", "Tasks that wait.", &ops::QueueLoad::waiting},
          Gauge{"bgt_queue_held", "Tasks that wait and are held.", &ops::QueueLoad::held}}) {
        out.family(gauge.name, "gauge", gauge.help);
        for (const ops::QueueLoad& queue : now.queues)
            out.value(fmt::format("queue=\"{}\"", escaped(queue.name)), queue.*gauge.value);
    }
    out.family("bgt_queue_slots_used_ratio", "gauge", "Share of the slots that is in use.");
    for (const ops::QueueLoad& queue : now.queues)
        out.value(fmt::format("queue=\"{}\"", escaped(queue.name)), queue.utilisation());
}

} // namespace

std::string metrics_text(const ops::MetricsAnswer& answer)
{
    Metrics out;
    add_counts(out, answer.totals);
    add_times(out, answer.totals);
    out.family("bgt_tasks_active", "gauge", "Tasks that are not over.");
    out.value("", answer.now.active);
    add_queues(out, answer.now);
    out.family("bgt_history_records", "gauge", "Records in the history.");
    out.value("", answer.history.records);
    out.family("bgt_history_damaged_places_total", "counter",
               "Places of the history that could not be read.");
    out.value("", answer.history.damaged_before + answer.history.damaged_places);
    return out.end();
}

} // namespace bgt::render
