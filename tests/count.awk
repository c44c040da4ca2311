# Reads ctest's JUnit file and prints "PASSED FAILED", counting test cases. A program says how many it ran:
# Catch2 at its end ("All tests passed (9 assertions in 4 test cases)", "test cases: 5 | 4 passed | 1 failed"), a script
# by a last line "4 passed, 1 failed"; one that says nothing is one case. What was skipped counts as neither; a program says
# what and why by lines "skipped: CASE: REASON", which are passed on to stderr with the program's name.
function unescaped(text)
{
    gsub(/&lt;/, "<", text)
    gsub(/&gt;/, ">", text)
    gsub(/&quot;/, "\"", text)
    gsub(/&apos;/, "\047", text)
    gsub(/&amp;/, "\\&", text)
    return text
}
function attribute(name,    at, rest)
{
    at = index($0, " " name "=\"")
    if (!at) return ""
    rest = substr($0, at + length(name) + 3)
    return substr(rest, 1, index(rest, "\"") - 1)
}
function number_before(text, word,    found)
{
    if (!match(text, "[0-9]+ " word)) return 0
    found = substr(text, RSTART, RLENGTH)
    return found + 0
}
function finish()
{
    if (name == "") return
    if (status == "notrun" || status == "disabled") {
        print "skipped: " name > "/dev/stderr"
    } else {
        if (status == "fail" && bad == 0) bad = 1
        if (status != "fail" && good + bad == 0) good = 1
        if (bad) print "failed: " name > "/dev/stderr"
        passed += good
        failed += bad
    }
    name = ""
}
/<testcase / { finish(); name = attribute("name"); status = attribute("status"); good = bad = 0 }
# "Unable to find executable" is no skip: what should have run was not built.
/<skipped message="Unable to find/ { status = "fail" }
/All tests passed \([0-9]+ assertions? in [0-9]+ test cases?\)/ { good = number_before($0, "test case"); bad = 0 }
/test cases: +[0-9]+ / { good = number_before($0, "passed"); bad = number_before($0, "failed") }
/(^|>)[0-9]+ passed, [0-9]+ failed/ {
    good = number_before($0, "passed")
    bad = number_before($0, "failed")
}
name != "" && /^([\t ]*<system-out>)?skipped: / {
    sub(/^[\t ]*<system-out>/, "")
    sub(/^skipped: /, "")
    print "skipped: " name ": " unescaped($0) > "/dev/stderr"
}
/<\/testcase>/ { finish() }
END { print passed + 0, failed + 0 }
