#!/usr/bin/env python3
"""`bgt mcp`, as a client meets it: both eras of the protocol, every tool, bad input, what is given
up, who ends with whom, and a whole job of a coding agent with its bytes counted.

usage: run.py --bgt PROGRAM [--only WORD]      the last line is "N passed, N failed"
"""

import sys

import flow
import job
import protocol
import resources
import tools
from client import run_tests

if __name__ == "__main__":
    sys.exit(run_tests("mcp", protocol, tools, flow, resources, job))
