"""A client of `bgt serve`, with the standard library only: raw requests on a socket, so that each
header is what a test wants it to be."""

from __future__ import annotations

import json
import select
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "support"))
from process_table import children  # noqa: E402
from program import PATIENCE, Lab, Problem, check, run_tests  # noqa: E402, F401

class Answer:
    def __init__(self, raw: bytes):
        head, _, self.body = raw.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        check(lines[0].startswith("HTTP/1.1 "), raw[:200])
        self.status = int(lines[0].split()[1])
        self.headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(": ")
            self.headers[name.lower()] = value

    def json(self):
        return json.loads(self.body)


class Server:
    def __init__(self, lab: Lab, *options: str):
        self.lab = lab
        self.process = subprocess.Popen(
            [lab.bgt, "serve", *options],
            env=lab.env,
            cwd=lab.work,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self.addresses = []
        for _ in range(max(options.count("--listen"), 1)):
            line = self.process.stdout.readline().decode().strip()
            if not line:
                raise Problem(self.process.stderr.read().decode())
            self.addresses.append(line)
        self.address = self.addresses[0]
        self.file = lab.root / "serve.json"
        self.tokens = json.loads(self.file.read_text())["tokens"]
        self.token = self.tokens.get("run") or self.tokens["read"]
        self.host = "localhost"
        if self.address.startswith("http://"):
            self.host = self.address.removeprefix("http://")

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        code = self.end()
        if kind is None:
            check(code == 0, f"exit code {code}")
            check(self.process.stderr.read() == b"", "something on stderr")

    def end(self, signal_number: int = signal.SIGTERM) -> int:
        self.process.send_signal(signal_number)
        return self.process.wait(PATIENCE)

    def helpers(self) -> list[int]:
        """The processes that answer, one for each connection."""
        return children(self.process.pid)

    def connect(self) -> socket.socket:
        if self.address.startswith("unix:"):
            out = socket.socket(socket.AF_UNIX)
            out.connect(self.address.removeprefix("unix:"))
        else:
            host, port = self.host.rsplit(":", 1)
            out = socket.create_connection((host.strip("[]"), int(port)))
        out.settimeout(PATIENCE)
        return out

    def request_bytes(self, method: str, target: str, body: bytes = b"", **headers) -> bytes:
        """`headers`: None leaves the usual one out."""
        usual = {"Host": self.host, "Authorization": f"Bearer {self.token}", "Connection": "close"}
        if method == "POST":
            usual |= {"Content-Type": "application/json", "Content-Length": str(len(body))}
        usual |= {name.replace("_", "-"): value for name, value in headers.items()}
        lines = [f"{method} {target} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in usual.items() if value is not None]
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + body

    def raw(self, data: bytes) -> bytes:
        with self.connect() as wire:
            wire.sendall(data)
            out = b""
            while block := wire.recv(65536):
                out += block
        return out

    def ask(self, method: str, target: str, body: bytes = b"", **headers) -> Answer:
        return Answer(self.raw(self.request_bytes(method, target, body, **headers)))

    def get(self, target: str, **headers):
        answer = self.ask("GET", target, **headers)
        check(answer.status == 200, answer.body)
        return answer.json()

    def post(self, operation: str, **fields):
        answer = self.ask("POST", f"/v1/{operation}", json.dumps(fields).encode())
        check(answer.status == 200, answer.body)
        return answer.json()

    def stream(self, target: str, **headers) -> "Stream":
        wire = self.connect()
        wire.sendall(self.request_bytes("GET", target, **headers))
        return Stream(wire)


class Stream:
    """Server-sent events."""

    def __init__(self, wire: socket.socket):
        self.wire, self.held, self.ended = wire, b"", False
        head = self.take(b"\r\n\r\n", PATIENCE)
        check(head is not None, "no head")
        self.head = Answer(head + b"\r\n\r\n")
        check(self.head.headers["content-type"] == "text/event-stream", head)

    def take(self, until: bytes, seconds: float):
        deadline = time.monotonic() + seconds
        while until not in self.held:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.wire], [], [], left)[0]:
                return None
            block = self.wire.recv(65536)
            if not block:
                self.ended = True
                return None
            self.held += block
        out, self.held = self.held.split(until, 1)
        return out

    def next(self, seconds: float = PATIENCE):
        """(event, id, data), or None."""
        text = self.take(b"\n\n", seconds)
        if text is None:
            return None
        fields = dict(line.split(": ", 1) for line in text.decode().split("\n"))
        return fields["event"], fields["id"], json.loads(fields["data"])

    def until(self, wanted, seconds: float = PATIENCE):
        deadline = time.monotonic() + seconds
        while one := self.next(max(deadline - time.monotonic(), 0)):
            if wanted(*one):
                return one
        raise Problem("the event has not come")

    def close(self):
        self.wire.close()


def await_true(condition, what: str, seconds: float = PATIENCE) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        check(time.monotonic() < deadline, what)
        time.sleep(0.02)
