#!/usr/bin/env python3
"""`bgt serve`, as clients and attackers meet it: each rule of its security, each route,
and the web applications of examples/.

usage: run.py --bgt PROGRAM [--only WORD]      the last line is "N passed, N failed"
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import traceback
from pathlib import Path

import protocol
import routes
import security
import web_applications
from client import Lab, Problem


def tests():
    for module in (security, routes, protocol, web_applications):
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
        with tempfile.TemporaryDirectory(prefix="bgt-serve-") as folder:
            lab = Lab(Path(folder), args.bgt)
            try:
                test(lab)
                passed += 1
            except Exception as error:  # each is told, and the others go on
                failed += 1
                told = error if isinstance(error, Problem) else traceback.format_exc()
                where = traceback.extract_tb(error.__traceback__)
                line = next((f.lineno for f in where if f.name == name), 0)
                print(f"{name[5:]} (line {line}): {told}")
            finally:
                lab.run("kill", "--now", "--all")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
