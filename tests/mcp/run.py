#!/usr/bin/env python3
"""`bgt mcp`, as a client meets it: both eras of the protocol, every tool, bad input, what is given
up, who ends with whom, and a whole job of a coding agent with its bytes counted.

usage: run.py --bgt PROGRAM [--only WORD]      the last line is "N passed, N failed"
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import traceback
from pathlib import Path

import flow
import job
import protocol
import resources
import tools
from client import Lab, Problem


def tests():
    for module in (protocol, tools, flow, resources, job):
        for name, test in list(vars(module).items()):
            if name.startswith("test_"):
                yield name, test


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--bgt", required=True)
    parser.add_argument("--only", default="")
    args = parser.parse_args()
    passed = failed = 0
    for name, test in tests():
        if args.only not in name:
            continue
        for era in getattr(test, "eras", ("",)):
            with tempfile.TemporaryDirectory(prefix="bgt-mcp-") as folder:
                lab = Lab(Path(folder), args.bgt)
                title = f"{name[5:]} {era}".strip()
                try:
                    test(lab, era)
                    passed += 1
                except Exception as error:  # each is told, and the others go on
                    failed += 1
                    told = error if isinstance(error, Problem) else traceback.format_exc()
                    where = traceback.extract_tb(error.__traceback__)
                    line = next((f.lineno for f in where if f.name == name), 0)
                    print(f"{title} (line {line}): {told}")
                finally:
                    lab.run("kill", "--now", "--all")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
