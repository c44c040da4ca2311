#!/usr/bin/env python3
"""`bgt serve`, as clients and attackers meet it: each rule of its security, each route,
and the web applications of examples/.

usage: run.py --bgt PROGRAM [--only WORD]      the last line is "N passed, N failed"
"""

import sys

import protocol
import routes
import security
import web_applications
from client import run_tests

if __name__ == "__main__":
    sys.exit(run_tests("serve", security, routes, protocol, web_applications))
