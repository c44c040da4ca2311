// Hang reports read back, diagnosed anew and shown.
#include "fuzz.hpp"

#include <bgt/base/text.hpp>
#include <bgt/render/report.hpp>
#include <bgt/store/report.hpp>

using namespace bgt;

namespace {

void check_shown(const core::Report& report)
{
    render::ReportStyle style;
    for (const std::size_t width : {40u, 80u, 200u}) {
        style.width = width;
        std::string text = render::report_text(report, style);
        FUZZ_CHECK(text.ends_with('\n') && fuzz::is_clean(text, "\n"));
        for (std::string_view rest = text; !rest.empty();) {
            const auto line = rest.substr(0, rest.find('\n'));
            FUZZ_CHECK(display_width(line) <= width);
            rest.remove_prefix(line.size() + 1);
        }
    }
    FUZZ_CHECK(fuzz::is_clean(render::report_json(report), "\n"));
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const auto read = store::decode_report(fuzz::Input(data, size).rest());
    if (!read) {
        FUZZ_CHECK(fuzz::is_message(read.error().message));
        return 0;
    }
    const std::string text = store::encode_report(*read);
    const auto again = store::decode_report(text);
    FUZZ_CHECK(again && store::encode_report(*again) == text);
    check_shown(*read);
    core::Report anew = *read;
    anew.diagnosis = core::diagnose(anew.evidence);
    FUZZ_CHECK(fuzz::is_clean(anew.diagnosis.sentence) && fuzz::is_clean(anew.diagnosis.next) &&
               fuzz::is_clean(anew.diagnosis.hint));
    check_shown(anew);
    for (const auto& process : anew.evidence.processes)
        FUZZ_CHECK(fuzz::is_clean(core::wait_words(process)));
    return 0;
}
