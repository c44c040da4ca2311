"""What the protocol says: lists, versions, and messages and arguments that make no sense."""

from __future__ import annotations


from client import MODERN, PREFIX, Client, check, Checked, eras

TOOLS = ["run", "read", "wait", "list", "events", "why", "send", "stop", "restart", "submit"]


@eras
def test_lists(lab, era):
    with Checked(lab, era) as client:
        tools = client.request("tools/list")["tools"]
        check([t["name"] for t in tools] == TOOLS, [t["name"] for t in tools])
        check(client.request("tools/list")["tools"] == tools, "the order is not the same")
        for tool in tools:
            check(tool["description"] and tool["inputSchema"]["type"] == "object", tool)
            check(tool["inputSchema"]["additionalProperties"] is False, tool)
            hints = tool["annotations"]
            check(
                hints["readOnlyHint"] == (tool["name"] in ("read", "wait", "list", "events", "why")), tool
            )
        check(any("end with this server" in t["description"] for t in tools), "said of the lifetime")
        resources = client.request("resources/list")["resources"]
        check([r["uri"] for r in resources] == ["bgt://tasks"], resources)
        templates = client.request("resources/templates/list")["resourceTemplates"]
        check(len(templates) == 3, templates)
        prompts = client.request("prompts/list")["prompts"]
        check([p["name"] for p in prompts] == ["diagnose", "start-dev-server"], prompts)
        prompt = client.request("prompts/get", name="diagnose", arguments={"id": "7"})
        check("task 7" in prompt["messages"][0]["content"]["text"], prompt)


def test_versions(lab):
    for asked, spoken in [
        ("2025-06-18", "2025-06-18"),
        ("2025-11-25", "2025-11-25"),
        ("2024-11-05", "2025-11-25"),
        (MODERN, "2025-11-25"),
    ]:
        with Client(lab, asked) as client:
            check(client.hello["protocolVersion"] == spoken, client.hello)
            check(client.hello["serverInfo"]["name"] == "bgt", client.hello)
            check(client.request("ping") == {}, "ping")
    with Client(lab, "modern") as client:
        found = client.request("server/discover")
        check(found["supportedVersions"][0] == MODERN, found)
        check(found["ttlMs"] > 0 and found["cacheScope"] == "public", found)
        check("tools" in found["capabilities"] and found["instructions"], found)
        check(client.error("ping") == -32601, "ping is gone")
        meta = client.meta()
        meta[PREFIX + "protocolVersion"] = "1900-01-01"
        client.send({"jsonrpc": "2.0", "id": 90, "method": "tools/list", "params": {"_meta": meta}})
        error = client.finish(90)["error"]
        check(error["code"] == -32022 and MODERN in error["data"]["supported"], error)
        check(error["data"]["requested"] == "1900-01-01", error)
        del meta[PREFIX + "clientCapabilities"]
        meta[PREFIX + "protocolVersion"] = MODERN
        client.send({"jsonrpc": "2.0", "id": 91, "method": "tools/list", "params": {"_meta": meta}})
        check(client.finish(91)["error"]["code"] == -32602, "capabilities are missing")
        client.send({"jsonrpc": "2.0", "id": 92, "method": "tools/list"})
        check(client.finish(92)["error"]["code"] == -32602, "no version and no handshake")


def test_bad_messages(lab):
    with Client(lab) as client:
        for text, code, number in [
            (b"{", -32700, None),
            (b"\xff\xfe", -32700, None),
            (b'{"jsonrpc":"2.0","id":1,"method":"\xff"}', -32700, None),
            (b"[" * 100_000, -32700, None),
            (b"[]", -32600, None),
            (b'[{"jsonrpc":"2.0","id":1,"method":"ping"}]', -32600, None),
            (b"7", -32600, None),
            (b"{}", -32600, None),
            (b'{"jsonrpc":"1.0","id":5,"method":"ping"}', -32600, 5),
            (b'{"jsonrpc":"2.0","id":null,"method":"ping"}', -32600, None),
            (b'{"jsonrpc":"2.0","id":1.5,"method":"ping"}', -32600, None),
            (b'{"jsonrpc":"2.0","id":{},"method":"ping"}', -32600, None),
            (b'{"jsonrpc":"2.0","id":6}', -32600, 6),
            (b'{"jsonrpc":"2.0","id":6,"method":7}', -32600, 6),
            (b'{"jsonrpc":"2.0","id":"a","method":"ping","params":[]}', -32602, "a"),
            (b'{"jsonrpc":"2.0","id":7,"method":"no/such"}', -32601, 7),
            (b'{"jsonrpc":"2.0","id":8,"method":"tools/call"}', -32602, 8),
            (b'{"jsonrpc":"2.0","id":8,"method":"tools/call","params":{"name":"x"}}', -32602, 8),
            (b"x" * (5 << 20), -32600, None),
            (b'"' + b"\\u0000" * 400_000 + b'"', -32600, None),
        ]:
            client.send_bytes(text + b"\n")
            message = client.read_message()
            check(message and message["error"]["code"] == code, (text[:60], message))
            check(message["id"] == number, (text[:60], message))
        # What asks for nothing is not answered.
        client.send_bytes(b'\n   \n\r\n{"jsonrpc":"2.0","method":"no/such"}\n')
        client.send_bytes(b'{"jsonrpc":"2.0","id":1,"result":{}}\n')
        client.send_bytes(b'{"jsonrpc":"2.0","method":"notifications/cancelled"}\n')
        client.send_bytes(
            b'{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":[1]}}\n'
        )
        check(client.request("ping") == {}, "it goes on")
        # In pieces, and several at once.
        for byte in b'{"jsonrpc":"2.0","id":"p","method":"ping"}\r\n':
            client.send_bytes(bytes([byte]))
        check(client.read_message()["id"] == "p", "in pieces")
        client.send_bytes(
            b"".join(b'{"jsonrpc":"2.0","id":%d,"method":"ping"}\n' % i for i in range(500, 700))
        )
        check([client.read_message()["id"] for _ in range(200)] == list(range(500, 700)), "order")


def test_bad_arguments(lab):
    with Client(lab) as client:
        for tool, arguments, part in [
            ("run", {}, "command"),
            ("run", {"command": "true", "argv": ["true"]}, "either"),
            ("run", {"command": ""}, "nothing"),
            ("run", {"command": 7}, "command: expected a text"),
            ("run", {"command": "a\0b"}, "NUL"),
            ("run", {"argv": "true"}, "argv: expected a list"),
            ("run", {"argv": [""]}, "empty"),
            ("run", {"comand": "true"}, "did you mean command?"),
            ("run", {"command": "true", "wait_s": 51}, "wait_s: expected 0 to 50"),
            ("run", {"command": "true", "wait_s": -1}, "wait_s"),
            ("run", {"command": "true", "wait_s": "20"}, "wait_s: expected a number"),
            ("run", {"command": "true", "cwd": "/no/such"}, "/no/such"),
            ("run", {"command": "true", "env": {"A=B": "x"}}, "A=B"),
            ("run", {"command": "true", "env": {"A": 1}}, "env"),
            ("run", {"command": "true", "if_exists": "maybe"}, "fail|reuse|replace"),
            ("run", {"command": "true", "if_exists": "reuse"}, "name"),
            ("run", {"command": "true", "name": "a/b"}, "name"),
            ("run", {"command": "true", "ready": {"prt": 1}}, "did you mean port?"),
            ("run", {"command": "true", "ready": {"log": "("}}, "ready"),
            ("run", {"command": "true", "ready": {"port": 65536}}, "65535"),
            ("run", {"argv": ["/no/such/program"]}, "/no/such/program"),
            ("run", {"command": "x" * 300_000}, "at most"),
            ("read", {}, "id: it is missing"),
            ("read", {"id": 99}, "no such task 99"),
            ("read", {"id": 0}, "id"),
            ("read", {"id": []}, "id"),
            ("read", {"id": "no\nsuch"}, "no"),
            ("wait", {}, "ids"),
            ("wait", {"ids": [99]}, "no such task 99"),
            ("wait", {"ids": [1] * 101}, "at most 100"),
            ("wait", {"ids": [1], "mine": True}, "either"),
            ("stop", {}, "ids"),
            ("stop", {"ids": [99]}, "no such task 99"),
            ("why", {"id": 99}, "no such task 99"),
            ("send", {"id": 99, "text": "x"}, "no such task 99"),
            ("restart", {"id": 99}, "no such task 99"),
            ("list", {"state": "odd"}, "state"),
            ("list", {"limit": 0}, "limit"),
            ("events", {"cursor": "x"}, "cursor"),
            ("events", {"types": ["end"]}, "end"),
            ("submit", {"command": "true", "queue": "a b"}, "queue"),
            ("submit", {"command": "true", "after": ["99"]}, "99"),
        ]:
            text = client.refused(tool, **arguments)
            check(part in text and "\n" not in text, (tool, arguments, text))
        task = client.call("run", command="echo x")["id"]
        text = client.refused("read", id=task, grep="(")
        check("bad regular expression" in text, text)
        client.refused("read", id=task, cursor=10**9)
        client.refused("wait", ids=[task], until="log")
        client.refused("wait", ids=[task], until="log", pattern="(")
        client.refused("send", id=task, text="x")
        client.refused("send", id=task)
        check(client.call("list")["tasks"][0]["id"] == task, "and nothing else was started")
