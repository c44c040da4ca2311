"""Asks `bgt serve` from Python, with the standard library only. Addresses and tokens are in serve.json
in the state root, which only the user of the server can read."""

import http.client
import json
import os
import socket
from pathlib import Path


class Problem(Exception):
    """The server refused something: `kind` is one word, str() is the sentence."""

    def __init__(self, status, told):
        super().__init__(told.get("detail", f"HTTP {status}"))
        self.status, self.kind = status, told.get("kind", "")


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost")
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)


class Client:
    def __init__(self, root=None, scope="run"):
        state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state"
        self.file = Path(root or os.environ.get("BGT_ROOT") or Path(state) / "bgt") / "serve.json"
        self.scope = scope

    def ask(self, path, fields=None):
        # Read anew each time: a server that was started again has other tokens.
        known = json.loads(self.file.read_text())
        address = known["listen"][0]
        if address.startswith("unix:"):
            wire = UnixConnection(address.removeprefix("unix:"))
        else:
            wire = http.client.HTTPConnection(address.removeprefix("http://"))
        headers = {"Authorization": "Bearer " + known["tokens"][self.scope]}
        body = None
        if fields is not None:
            headers["Content-Type"] = "application/json"
            body = json.dumps(fields)
        try:
            wire.request("GET" if body is None else "POST", path, body, headers)
            answer = wire.getresponse()
            told = json.loads(answer.read())
        finally:
            wire.close()
        if answer.status != 200:
            raise Problem(answer.status, told)
        return told

    def call(self, operation, **fields):
        """An operation: run, submit, read, wait, list, why, send, stop, restart."""
        return self.ask(f"/v1/{operation}", fields)

    def task(self, number):
        return self.ask(f"/v1/tasks/{int(number)}")
