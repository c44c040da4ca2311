"""The Model Context Protocol on HTTP (`POST /mcp`)."""

from __future__ import annotations

import base64
import json
import time

from client import Server, await_true, check

MODERN = "2026-07-28"
PREFIX = "io.modelcontextprotocol/"


def post(server, method, params=None, era=MODERN, number=1, **headers):
    params = dict(params or {})
    usual = {"Accept": "application/json, text/event-stream", "MCP-Protocol-Version": era}
    if era == MODERN:
        meta = {PREFIX + "protocolVersion": era, PREFIX + "clientCapabilities": {}}
        params["_meta"] = meta | params.get("_meta", {})
        usual |= {"Mcp-Method": method}
        if "name" in params or "uri" in params:
            usual |= {"Mcp-Name": params.get("name") or params["uri"]}
    message = {"jsonrpc": "2.0", "method": method, "params": params}
    if number is not None:
        message["id"] = number
    return server.ask("POST", "/mcp", json.dumps(message).encode(), **(usual | headers))


def tool(server, name, era=MODERN, **arguments):
    answer = post(server, "tools/call", {"name": name, "arguments": arguments}, era)
    check(answer.status == 200, answer.body)
    return answer.json()["result"]["structuredContent"]


def test_mcp_of_both_eras(lab):
    with Server(lab) as server:
        hello = post(server, "initialize", {"protocolVersion": "2025-11-25"}, "2025-11-25").json()
        check(hello["result"]["protocolVersion"] == "2025-11-25", hello)
        check(hello["result"]["capabilities"]["resources"] == {"subscribe": False}, hello)
        told = post(server, "notifications/initialized", era="2025-11-25", number=None)
        check(told.status == 202 and told.body == b"", told.body)
        check(post(server, "server/discover").json()["result"]["supportedVersions"], "discover")
        for era in (MODERN, "2025-11-25", "2025-06-18", None):
            names = [t["name"] for t in post(server, "tools/list", era=era).json()["result"]["tools"]]
            check("run" in names and "why" in names, names)
            done = tool(server, "run", era, command="echo hello; exit 2")
            check(done["exit"] == 2 and done["tail"] == "hello\n", done)
        answer = post(server, "resources/read", {"uri": "bgt://task/1/log"})
        check(answer.json()["result"]["contents"][0]["text"] == "hello\n", answer.body)


def test_mcp_refuses(lab):
    with Server(lab) as server:
        call = {"name": "list", "arguments": {}}
        encoded = "=?base64?" + base64.b64encode(b"list").decode() + "?="
        check(post(server, "tools/call", call, Mcp_Name=encoded).status == 200, "an encoded name")
        for headers in (
            {"Mcp_Method": "tools/list"},
            {"Mcp_Method": None},
            {"Mcp_Name": "run"},
            {"Mcp_Name": None},
            {"Mcp_Name": "=?base64?!?="},
            {"MCP_Protocol_Version": "2025-11-25"},
            {"MCP_Protocol_Version": None},
        ):
            usual = {name.replace("_", "-"): value for name, value in headers.items()}
            answer = post(server, "tools/call", call, **usual)
            check(answer.status == 400 and answer.json()["error"]["code"] == -32020, answer.body)
        for answer, status, code in (
            (post(server, "no/method"), 404, -32601),
            (post(server, "tools/list", era="2099-01-01"), 400, -32600),
            (post(server, "resources/subscribe", {"uri": "bgt://tasks"}, "2025-11-25"), 200, -32601),
            (server.ask("POST", "/mcp", b"[]"), 400, -32600),
            (server.ask("POST", "/mcp", b"{"), 400, -32700),
        ):
            check(answer.status == status and answer.json()["error"]["code"] == code, answer.body)


def test_mcp_scopes(lab):
    task = lab.start("--", "sleep", "60")
    with Server(lab) as server:
        for scope, name, arguments, status in (
            ("read", "list", {}, 200),
            ("read", "stop", {"ids": [task]}, 403),
            ("read", "run", {"command": "true"}, 403),
            ("control", "run", {"command": "true"}, 403),
            ("control", "stop", {"ids": [task]}, 200),
        ):
            given = "Bearer " + server.tokens[scope]
            answer = post(server, "tools/call", {"name": name, "arguments": arguments}, Authorization=given)
            check(answer.status == status, f"{scope} {name}: {answer.body}")
        check(len(server.get("/v1/tasks")["tasks"]) == 1, "something has been started")


def test_mcp_streams_progress(lab):
    lab.start("--", "sleep", "60")
    with Server(lab) as server:
        params = {
            "name": "wait",
            "arguments": {"ids": [1], "timeout_s": 2.5},
            "_meta": {"progressToken": "p"},
        }
        answer = post(server, "tools/call", params)
        check(answer.headers["content-type"] == "text/event-stream", answer.headers)
        lines = [l.removeprefix(b"data: ") for l in answer.body.split(b"\n") if l.startswith(b"data: ")]
        messages = [json.loads(line) for line in lines]
        check(messages[0]["method"] == "notifications/progress", messages)
        check(messages[-1]["result"]["structuredContent"]["result"] == "timeout", messages)
        plain = post(server, "tools/call", params, Accept="application/json")
        check(plain.json()["result"]["structuredContent"]["result"] == "timeout", plain.body)


def test_mcp_subscription_ends_with_its_client(lab):
    lab.start("--", "sleep", "60")
    with Server(lab) as server:
        body = {
            "jsonrpc": "2.0",
            "id": 1,
            "method": "subscriptions/listen",
            "params": {
                "notifications": {"resourceSubscriptions": ["bgt://tasks"]},
                "_meta": {PREFIX + "protocolVersion": MODERN, PREFIX + "clientCapabilities": {}},
            },
        }
        headers = {"Accept": "text/event-stream", "MCP-Protocol-Version": MODERN, "Mcp-Method": body["method"]}
        wire = server.connect()
        wire.sendall(server.request_bytes("POST", "/mcp", json.dumps(body).encode(), **headers))
        held = b""
        while b"acknowledged" not in held:
            held += wire.recv(65536)
        lab.run("kill", "--now", "1")
        while b"resources/updated" not in held:
            held += wire.recv(65536)
        wire.close()
        await_true(lambda: not server.helpers(), "the helper goes")
