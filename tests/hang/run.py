#!/usr/bin/env python3
"""Plays real workloads under bgt and prints who was judged rightly, beside the rule "no output for so long".

usage: run.py --bgt PROGRAM --fixture PROGRAM [--only TEXT] [--jobs N] [--repeat N] [--markdown] [--record FOLDER]
"""
import argparse
import concurrent.futures
import os
import pathlib
import resource
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
os.environ["PATH"] += os.pathsep + os.pathsep.join(["/usr/local/sbin", "/usr/sbin", "/sbin"])

import blind  # noqa: E402
import busy  # noqa: E402
import chains  # noqa: E402
import edges  # noqa: E402
import idle  # noqa: E402
import outside  # noqa: E402
import stuck  # noqa: E402
from harness import Lab, play  # noqa: E402

GROUPS = {"busy": "busy but quiet", "idle": "legitimately idle", "job": "the same called jobs", "stuck": "stuck",
          "edge": "edges"}
WIDE = 78


def play_all(lab, scenarios, jobs):
    """Those that take a core one or two at a time, so that they don't starve each other: that is another test."""
    cores = threading.Semaphore(max(1, min(2, (os.cpu_count() or 2) - 1)))

    def one(scenario):
        if not scenario.heavy:
            return play(lab, scenario)
        with cores:
            return play(lab, scenario)

    heavy = [s for s in scenarios if s.heavy]
    light = sorted((s for s in scenarios if not s.heavy), key=lambda s: -s.limit)
    rows = {}
    pool = concurrent.futures.ThreadPoolExecutor
    with pool(max(2, jobs // 4)) as slow, pool(jobs) as quick:
        futures = {slow.submit(one, s): s for s in heavy} | {quick.submit(one, s): s for s in light}
        for future in concurrent.futures.as_completed(futures):
            rows[futures[future].name] = future.result()
    return [rows[s.name] for s in scenarios]


def again_alone(lab, row):
    """A date that was missed beside others may be the machine's doing; what is wrong alone as well is bgt's. The first
    miss is told in either case."""
    if not row.wrong or row.scenario.known:
        return row, ""
    alone = play(lab, row.scenario)
    how = f"alone as well ({alone.wrong})" if alone.wrong else "alone it was right"
    return alone, f"{row.scenario.name}: {row.wrong}; {how}; bgt had said: {row.answer}; {row.evidence}"


def cells(row):
    scenario = row.scenario
    expected = "told, not ended" if scenario.told else "left alone"
    if scenario.stuck:
        expected = "ended: " + "|".join(scenario.verdicts)
    if row.skipped:
        return scenario.name, expected, "skipped: " + row.skipped, ""
    answer = row.answer if not row.wrong else f"WRONG ({row.wrong}) {row.answer}"
    rule = "ends it" if row.no_output_ended else "says nothing"
    return scenario.name, expected, answer, rule + ("" if row.no_output_right else " (wrong)")


def print_table(rows, markdown):
    for group, title in GROUPS.items():
        part = [cells(row) for row in rows if row.scenario.group == group]
        if not part:
            continue
        if markdown:
            print(f"\n### {title.capitalize()}\n\n| scenario | must be | bgt | no output for the limit |")
            print("|---|---|---|---|")
            for line in part:
                print("| " + " | ".join(text.replace("|", " or ") for text in line) + " |")
            continue
        widths = [max(len(line[i]) for line in part) for i in range(2)]
        print(f"\n{title}")
        for name, expected, answer, rule in part:
            short = answer if answer.startswith("WRONG") or len(answer) <= WIDE else answer[:WIDE - 3] + "..."
            print(f"  {name:{widths[0]}}  {expected:{widths[1]}}  {short:{WIDE}}  {rule}")


def print_counts(rows, markdown):
    bar, edge = ("|", "|") if markdown else (" ", "")
    print()
    line = f"{{:20}} {bar} {{:>9}} {bar} {{:>9}} {bar} {{:>15}} {bar} {{:>15}}"
    print(edge, line.format("class", "bgt right", "bgt wrong", "no-output right", "no-output wrong"), edge)
    if markdown:
        print("|---|---:|---:|---:|---:|")
    for group, title in GROUPS.items():
        part = [row for row in rows if row.scenario.group == group and not row.skipped]
        wrong = sum(1 for row in part if row.wrong)
        field = sum(1 for row in part if not row.no_output_right)
        print(edge, line.format(title, len(part) - wrong, wrong, len(part) - field, field), edge)


def play_once(arguments, scenarios):
    """The rows, and what was missed first and how."""
    # Short: a socket's path ends at 108 bytes.
    with tempfile.TemporaryDirectory(prefix="bgt-hang-", dir="/tmp", ignore_cleanup_errors=True) as folder:
        os.chmod(folder, 0o755)  # PostgreSQL runs as another user
        lab = Lab(os.path.abspath(arguments.bgt), os.path.abspath(arguments.fixture), folder)
        lab.record = arguments.record and pathlib.Path(arguments.record).absolute()
        rows = play_all(lab, scenarios, arguments.jobs)
        rows, misses = [list(part) for part in zip(*(again_alone(lab, row) for row in rows))]
    return rows, [text for text in misses if text]


def summarize(rows, misses, seconds):
    """Prints what went wrong or was not played; gives how many passed and failed."""
    for row in rows:
        if row.skipped:
            print(f"skipped: {row.scenario.name}: {row.skipped}")
        elif row.scenario.known:
            how = "to be wrong" if row.wrong else "as wrong, and right this time"
            print(f"known {how}: {row.scenario.name}: {row.scenario.known}")
        elif row.wrong:
            print(f"failed: {row.scenario.name}: {row.wrong}; {row.answer}")
    for text in misses:
        print(f"first miss: {text}")
    skipped = sum(1 for row in rows if row.skipped)
    known = sum(1 for row in rows if row.wrong and row.scenario.known)
    failed = sum(1 for row in rows if row.wrong) - known
    print(f"{len(rows)} scenarios in {seconds:.0f} s, {skipped} skipped, {len(misses)} first misses, "
          f"{known} known to be wrong", flush=True)
    return len(rows) - failed - known - skipped, failed


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bgt", required=True)
    parser.add_argument("--fixture", required=True)
    parser.add_argument("--only", default="", help="scenarios whose name or group holds this")
    parser.add_argument("--jobs", type=int, default=8)
    parser.add_argument("--repeat", type=int, default=1, help="how often; the table is that of the last time")
    parser.add_argument("--markdown", action="store_true")
    parser.add_argument("--record", metavar="FOLDER", help="keep the report of each that was judged rightly, as a sample")
    arguments = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    scenarios = [s for module in (busy, idle, stuck, chains, outside, blind, edges) for s in module.SCENARIOS
                 if arguments.only in s.name or arguments.only == s.group]
    if not scenarios:
        parser.error(f"no scenario is named so: {arguments.only}")
    passed = failed = 0
    for turn in range(1, arguments.repeat + 1):
        began = time.monotonic()
        rows, misses = play_once(arguments, scenarios)
        if turn == arguments.repeat:
            print_table(rows, arguments.markdown)
            print_counts(rows, arguments.markdown)
        counts = summarize(rows, misses, time.monotonic() - began)
        passed, failed = passed + counts[0], failed + counts[1]
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
