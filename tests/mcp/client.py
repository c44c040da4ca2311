"""A client of the Model Context Protocol on stdio, with the standard library only. It checks that
each line that the server writes is a message, and counts the bytes."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "support"))
from program import PATIENCE, Lab, Problem, check, run_tests  # noqa: E402, F401

MODERN = "2026-07-28"
PREFIX = "io.modelcontextprotocol/"


class Client:
    """`era` is "modern", or a version of the protocol with a handshake."""

    def __init__(self, lab: Lab, era: str = "2025-11-25", extra: dict | None = None):
        self.lab, self.era = lab, era
        self.modern = era == "modern"
        self.capabilities = extra or {}
        self.server = subprocess.Popen(
            [lab.bgt, "mcp"],
            env=lab.env,
            cwd=lab.work,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
        )
        self.held = b""
        self.next_id = 1
        self.notifications: list[dict] = []
        self.answers: dict = {}
        self.received = 0
        if not self.modern:
            self.hello = self.request(
                "initialize",
                protocolVersion=era,
                capabilities=self.capabilities,
                clientInfo={"name": "test", "version": "1"},
            )
            self.send({"jsonrpc": "2.0", "method": "notifications/initialized"})

    def close(self) -> int:
        self.server.stdin.close()
        try:
            code = self.server.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.server.kill()
            raise Problem("the server goes on after the end of its stdin") from None
        check(self.server.stdout.read() == b"", "something comes after the end")
        errors = self.server.stderr.read()
        check(errors == b"", f"stderr: {errors!r}")
        return code

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind is None:
            check(self.close() == 0, "exit code")
        else:
            self.server.kill()
            self.server.wait()

    # ---- the wire ----

    def send_bytes(self, data: bytes) -> None:
        self.server.stdin.write(data)

    def send(self, message: dict) -> None:
        self.send_bytes(json.dumps(message).encode() + b"\n")

    def read_message(self, seconds: float = PATIENCE) -> dict | None:
        deadline = time.monotonic() + seconds
        while b"\n" not in self.held:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.server.stdout], [], [], left)[0]:
                return None
            data = os.read(self.server.stdout.fileno(), 65536)
            check(data, "the server has closed its stdout")
            self.held += data
        line, self.held = self.held.split(b"\n", 1)
        self.received += len(line) + 1
        message = json.loads(line.decode("utf-8", "strict"))
        check(message.get("jsonrpc") == "2.0", message)
        check(not any(c < 32 or c == 127 for c in line), f"a control character: {line!r}")
        return message

    def read_until(self, wanted, seconds: float = PATIENCE):
        """The first message that is wanted; others are kept."""
        deadline = time.monotonic() + seconds
        while True:
            message = self.read_message(max(deadline - time.monotonic(), 0))
            if message is None:
                raise Problem("no answer in time")
            if wanted(message):
                return message
            if "method" in message:
                self.notifications.append(message)
            else:
                self.answers[json.dumps(message["id"])] = message

    def meta(self, **more) -> dict:
        if not self.modern:
            return more
        return {
            PREFIX + "protocolVersion": MODERN,
            PREFIX + "clientInfo": {"name": "test", "version": "1"},
            PREFIX + "clientCapabilities": self.capabilities,
        } | more

    def begin(self, method: str, token=None, **params):
        number = self.next_id
        self.next_id += 1
        meta = self.meta(**({"progressToken": token} if token is not None else {}))
        if meta:
            params["_meta"] = meta
        self.send({"jsonrpc": "2.0", "id": number, "method": method, "params": params})
        return number

    def finish(self, number, seconds: float = PATIENCE) -> dict:
        known = self.answers.pop(json.dumps(number), None)
        return known or self.read_until(lambda m: "method" not in m and m["id"] == number, seconds)

    def request(self, method: str, **params) -> dict:
        message = self.finish(self.begin(method, **params))
        check("result" in message, message)
        result = message["result"]
        if self.modern:
            check(result.get("resultType") in ("complete", "task"), result)
            check(result["_meta"][PREFIX + "serverInfo"]["name"] == "bgt", result)
        return result

    def error(self, method: str, **params) -> int:
        message = self.finish(self.begin(method, **params))
        check("error" in message and message["error"]["message"], message)
        return message["error"]["code"]

    # ---- tools ----

    def call_result(self, tool: str, **arguments) -> dict:
        result = self.request("tools/call", name=tool, arguments=arguments)
        for block in result["content"]:
            check(block["type"] == "text", block)
        if "structuredContent" in result:
            check(json.loads(result["content"][0]["text"]) == result["structuredContent"], result)
        return result

    def call(self, tool: str, **arguments) -> dict:
        result = self.call_result(tool, **arguments)
        check("structuredContent" in result, result)
        return result["structuredContent"]

    def refused(self, tool: str, **arguments) -> str:
        result = self.call_result(tool, **arguments)
        check(result.get("isError") and "structuredContent" not in result, result)
        return result["content"][0]["text"]

ANSWER_BYTES = 16 * 1024  # at most, unless more is asked for


def matches(schema: dict, value) -> str | None:
    """Why the value does not fit the schema; of JSON Schema what the tools use."""
    kinds = {
        "object": dict,
        "array": list,
        "string": str,
        "boolean": bool,
        "integer": int,
        "number": (int, float),
    }
    allowed = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    if not any(
        isinstance(value, kinds[kind]) and (kind == "boolean" or not isinstance(value, bool))
        for kind in allowed
    ):
        return f"{value!r} is no {allowed}"
    if "enum" in schema and value not in schema["enum"]:
        return f"{value!r} is none of {schema['enum']}"
    if isinstance(value, list):
        return next(filter(None, (matches(schema["items"], one) for one in value)), None)
    if isinstance(value, dict) and "properties" in schema:
        for name in schema.get("required", []):
            if name not in value:
                return f"{name} is missing in {value}"
        for name, one in value.items():
            if name not in schema["properties"]:
                return f"{name} is not in the schema"
            wrong = matches(schema["properties"][name], one)
            if wrong:
                return f"{name}: {wrong}"
    return None


class Checked(Client):
    """Holds each answer to the outputSchema of its tool, and to its budget."""

    def __init__(self, *args, **kw):
        super().__init__(*args, **kw)
        self.schemas = {t["name"]: t["outputSchema"] for t in self.request("tools/list")["tools"]}

    def call_result(self, tool: str, **arguments) -> dict:
        result = super().call_result(tool, **arguments)
        if "structuredContent" in result:
            wrong = matches(self.schemas[tool], result["structuredContent"])
            check(wrong is None, f"{tool}: {wrong}")
            size = len(result["content"][0]["text"].encode())
            check(size <= ANSWER_BYTES or "max_bytes" in arguments, f"{tool}: {size} bytes")
        return result


def eras(test):
    """A test that is run with each version of the protocol."""
    test.eras = ("2025-06-18", "2025-11-25", "modern")
    return test
