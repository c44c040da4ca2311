#!/usr/bin/env python3
"""Compares `bgt schedule explain` with others that read the same expressions: croniter (cron; from PyPI) and
`systemd-analyze calendar`, over random expressions, zones and instants. Run on demand; nothing of it is in CI, as it needs
packages from elsewhere.
usage: schedules.py --bgt BGT [--cron N] [--calendar N] [--seed N]

Each difference is put down to one of the causes below, by a check of its own, or printed as unexplained:
  clocks change   a change of the zone's clocks is within a day of a time of either side. croniter and systemd have rules of
                  their own for times that are skipped or come twice; bgt's are in include/bgt/core/recurrence.hpp, and
                  tests/unit holds it to them with a naive model. (In between such changes, all sides must agree.)
  too rare        croniter gives up after 50 years without a match; bgt looks on until 2261.
  systemd gives up  "Failed to determine next elapse ...: Resource deadlock avoided", which it says of a time that clocks skip
  open steps      systemd 252 goes on with N/STEP beyond the end of the field and then on from there, so that it passes over
                  other values (*:42,25/26,14 has no 14 after a 51); it agrees when it is asked for N..LAST/STEP
  other words     croniter has three readings of its own, and agrees with bgt when it is asked in other words: N-N is every
                  value for it (asked for N); N/STEP of the day of the week goes on to 7, a Sunday (asked for N-6/STEP); a
                  weekday with # or L makes it forget the day of the month (asked for the two, one after the other)
The last line is "N passed, N failed": expressions."""
import argparse
import collections
import concurrent.futures
import datetime
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import zoneinfo

UTC = datetime.timezone.utc
ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Africa/Cairo", "Australia/Lord_Howe", "Pacific/Apia", "Asia/Kolkata",
         "America/St_Johns", "Africa/Casablanca", "Asia/Tokyo", "Pacific/Chatham", "America/Santiago"]
MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
DAYS = "sun mon tue wed thu fri sat".split()
COUNT = 3


def field(rng, low, high, names=None):
    kind = rng.random()
    if kind < 0.35:
        return "*"
    if kind < 0.45:
        return f"*/{rng.randint(1, high - low + 1)}"
    parts = []
    for _ in range(rng.randint(1, 3)):
        first = rng.randint(low, high)
        last = rng.randint(first, high)
        word = (lambda n: names[n - low] if names and rng.random() < 0.3 else str(n))
        shape = rng.random()
        if shape < 0.5:
            parts.append(word(first))
        elif shape < 0.75:
            parts.append(f"{word(first)}-{word(last)}")
        elif shape < 0.9 and last > first:
            parts.append(f"{first}-{last}/{rng.randint(1, last - first)}")
        else:
            parts.append(f"{first}/{rng.randint(1, high - low + 1)}")
    return ",".join(parts)


def cron(rng):
    day = field(rng, 1, 31) if rng.random() < 0.9 else rng.choice(["L", "1,L"])
    weekday = field(rng, 0, 6, DAYS) if rng.random() < 0.85 else rng.choice(
        [f"{rng.randint(0, 6)}#{rng.randint(1, 5)}", f"L{rng.randint(0, 6)}"])
    fields = [field(rng, 0, 59), field(rng, 0, 23), day, field(rng, 1, 12, MONTHS), weekday]
    if rng.random() < 0.1:
        fields.insert(0, field(rng, 0, 59))
    return " ".join(fields)


def component(rng, low, high, width=2):
    if rng.random() < 0.4:
        return "*"
    parts = []
    for _ in range(rng.randint(1, 3)):
        first = rng.randint(low, high)
        last = rng.randint(first, high)
        shape = rng.random()
        if shape < 0.5:
            parts.append(f"{first:0{width}}")
        elif shape < 0.7 and last > first:
            parts.append(f"{first:0{width}}..{last:0{width}}")
        elif shape < 0.8 and last > first:
            parts.append(f"{first}..{last}/{rng.randint(1, last - first)}")
        elif first < high:  # systemd refuses a step beyond the end of the field
            parts.append(f"{first}/{rng.randint(1, high - first)}")
        else:
            parts.append(f"{first:0{width}}")
    return ",".join(parts)


def calendar_expression(rng):
    names = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
    text = []
    if rng.random() < 0.3:
        a = rng.randint(0, 6)
        b = rng.randint(a, 6)
        text.append(rng.choice([names[a], f"{names[a]},{names[b]}", f"{names[a]}..{names[b]}"]))
    if rng.random() < 0.7 or not text:
        year = "*" if rng.random() < 0.8 else f"{rng.randint(2000, 2040)}"
        if rng.random() < 0.2:
            text.append(f"{year}-{component(rng, 1, 12)}~{rng.randint(1, 28):02}")
        else:
            text.append(f"{year}-{component(rng, 1, 12)}-{component(rng, 1, 31)}")
    if rng.random() < 0.85:
        seconds = rng.choice(["", ":00", ":" + component(rng, 0, 59)])
        text.append(f"{component(rng, 0, 23)}:{component(rng, 0, 59)}{seconds}")
    return " ".join(text)


def instant(rng):
    return datetime.datetime.fromtimestamp(rng.randint(631_152_000, 2_114_380_800), UTC)


def ask_bgt(program, root, expression, zone, start):
    done = subprocess.run([program, "schedule", "explain", expression, "--tz", zone, "--from", start.strftime("%Y-%m-%dT%H:%M:%SZ"),
                           "-n", str(COUNT), "--json"], env={"BGT_ROOT": root, "HOME": root}, capture_output=True, text=True)
    answer = json.loads(done.stdout)
    if "error" in answer:
        return answer["error"]["message"]
    return [datetime.datetime.fromisoformat(t.replace("Z", "+00:00")) for t in answer["fires"]]


def ask_croniter(expression, zone, start):
    import croniter
    try:
        it = croniter.croniter(expression, start.astimezone(zoneinfo.ZoneInfo(zone)), second_at_beginning=True,
                               implement_cron_bug=True)
        return [it.get_next(datetime.datetime).astimezone(UTC) for _ in range(COUNT)]
    except croniter.CroniterBadDateError:
        return "too rare"
    except (ValueError, KeyError) as problem:
        return f"refused: {problem}"


def reworded(expression):
    """Expressions of which croniter's earliest times are what bgt means by this one."""
    fields = expression.split()
    for at, text in enumerate(fields):
        names = {3: MONTHS, 4: DAYS}.get(at - len(fields) + 5, [])
        low = 1 if names is MONTHS else 0
        def number(word):
            return str(names.index(word) + low) if word in names else word
        parts = []
        for part in text.split(","):
            ends = [number(w) for w in part.split("/")[0].split("-")]
            step = part[part.index("/"):] if "/" in part else ""
            if len(ends) == 2 and ends[0] == ends[1]:
                part = ends[0]
            elif names is DAYS and len(ends) == 1 and ends[0].isdigit() and step:
                part = ends[0] if ends[0] == "6" else f"{ends[0]}-6{step}"
            parts.append(part)
        fields[at] = ",".join(parts)
    if re.search("[#L]", fields[-1]) and not fields[-3].startswith("*"):
        return [" ".join(fields[:-1] + ["*"]), " ".join(fields[:-3] + ["*", fields[-2], fields[-1]])]
    return [" ".join(fields)]


def ask_reworded(expression, zone, start):
    times = set()
    for words in reworded(expression):
        answer = ask_croniter(words, zone, start)
        if not isinstance(answer, str):
            times.update(answer)
    return sorted(times)[:COUNT]


def without_open_steps(expression):
    """N/STEP as N..LAST/STEP, in dates (YEAR-MONTH-DAY) and times (HOUR:MINUTE[:SECOND])."""
    def bounded(text, last):
        return re.sub(r"(^|,)(\d+)/", rf"\g<1>\g<2>..{last}/", text)
    words = []
    for word in expression.split():
        mark = "-" if "-" in word else ":"
        lasts = [9999, 12, 31] if mark == "-" else [23, 59, 59]
        parts = word.split(mark)
        words.append(mark.join(bounded(part, last) for part, last in zip(parts, lasts)) if len(parts) > 1 else word)
    return " ".join(words)


def ask_systemd(expression, zone, start):
    local = start.strftime("%Y-%m-%d %H:%M:%S UTC")
    done = subprocess.run(["systemd-analyze", "calendar", "--iterations", str(COUNT), "--base-time", local,
                           expression + " " + zone], env={"TZ": "UTC", "PATH": os.environ["PATH"], "LC_ALL": "C"},
                          capture_output=True, text=True)
    if done.returncode != 0:
        return "refused: " + (done.stderr or done.stdout).strip()
    times = re.findall(r"(?:Next elapse|Iter\. #\d+|\(in UTC\)): \w+ (\d+-\d+-\d+ \d+:\d+:\d+) UTC", done.stdout)
    unique = list(dict.fromkeys(times))
    return [datetime.datetime.strptime(t, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC) for t in unique]


def clocks_change(zone, times):
    info = zoneinfo.ZoneInfo(zone)
    day = datetime.timedelta(hours=30)
    return any((t - day).astimezone(info).utcoffset() != (t + day).astimezone(info).utcoffset() for t in times)


def explain(kind, expression, zone, start, ours, theirs):
    """The cause of a difference; empty: there is none that is known."""
    if kind == "cron" and reworded(expression) != [expression]:
        again = ask_reworded(expression, zone, start)
        if ours == again or ("never happens" in ours and not again):
            return "other words"
        theirs = again or theirs
    if kind == "calendar" and ours == ask_systemd(without_open_steps(expression), zone, start):
        return "open steps"
    if kind == "cron" and theirs == "too rare":
        if isinstance(ours, str):
            return "never happens, both say" if "never happens" in ours else ""
        return "too rare" if len(ours) < COUNT or ours[-1] > start + datetime.timedelta(days=40 * 365) else ""
    if isinstance(theirs, str):
        if isinstance(ours, str):
            return "refused by both"
        return "systemd gives up" if "Resource deadlock avoided" in theirs else ""
    if isinstance(ours, str):
        return "never happens, both say" if "never happens" in ours and not theirs else ""
    pairs = [t for pair in zip(ours, theirs) if pair[0] != pair[1] for t in pair]
    first = pairs[:2] or ours[len(theirs):] or theirs[len(ours):]
    return "clocks change" if clocks_change(zone, first + [start]) else ""


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bgt", required=True)
    parser.add_argument("--cron", type=int, default=100_000)
    parser.add_argument("--calendar", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    rng = random.Random(args.seed)
    cases = [("cron", cron(rng), rng.choice(ZONES), instant(rng)) for _ in range(args.cron)]
    cases += [("calendar", calendar_expression(rng), rng.choice(ZONES), instant(rng)) for _ in range(args.calendar)]
    passed, failed, causes = 0, 0, collections.Counter()
    with tempfile.TemporaryDirectory() as root, concurrent.futures.ThreadPoolExecutor(2) as pool:
        def judge(case):
            kind, expression, zone, start = case
            ours = ask_bgt(args.bgt, root, expression, zone, start)
            theirs = ask_croniter(expression, zone, start) if kind == "cron" else ask_systemd(expression, zone, start)
            return case, ours, theirs
        for at in range(0, len(cases), 1000):
            for (kind, expression, zone, start), ours, theirs in pool.map(judge, cases[at:at + 1000]):
                cause = "the same" if ours == theirs else explain(kind, expression, zone, start, ours, theirs)
                causes[f"{kind}: {cause or 'unexplained'}"] += 1
                if cause:
                    passed += 1
                    continue
                failed += 1
                print(f"unexplained: {kind} {expression!r} in {zone} after {start}:\n  bgt {show(ours)}\n  not {show(theirs)}",
                      flush=True)
    for cause, count in sorted(causes.items()):
        print(f"{count:8} {cause}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


def show(answer):
    return answer if isinstance(answer, str) else ", ".join(t.strftime("%Y-%m-%d %H:%M:%S") for t in answer)


if __name__ == "__main__":
    sys.exit(main())
