"""The rules of docs/threat-model.md for `bgt serve`, each with what breaks it."""

from __future__ import annotations

import json
import os
import pty
import socket
import stat
import subprocess
import time

from client import Answer, PATIENCE, Problem, Server, await_true, check

ROUTES = [
    ("GET", "/"),
    ("GET", "/v1/tasks"),
    ("GET", "/v1/tasks/1"),
    ("GET", "/v1/tasks/1/log"),
    ("GET", "/v1/events"),
    ("GET", "/v1/queues"),
    ("GET", "/v1/schedules"),
    ("GET", "/metrics"),
    ("GET", "/v1/server"),
    ("GET", "/app.js"),
    ("GET", "/openapi.json"),
    ("GET", "/nothing"),
    ("POST", "/v1/run"),
    ("POST", "/v1/stop"),
    ("POST", "/mcp"),
    ("POST", "/v1/token"),
]


def refused(server, status, method, target, **headers):
    answer = server.ask(method, target, b"{}" if method == "POST" else b"", **headers)
    check(answer.status == status, f"{method} {target} {headers}: {answer.status} {answer.body}")
    check(answer.headers["content-type"] == "application/problem+json", answer.headers)
    check(answer.json()["status"] == status and answer.json()["detail"], answer.body)
    return answer


def test_host_is_exactly_ours(lab):
    with Server(lab) as server:
        port = server.host.rsplit(":", 1)[1]
        for method, target in ROUTES:
            for host in (
                "evil.example",
                f"evil.example:{port}",
                f"localhost:{port}",
                "127.0.0.1",
                f"127.0.0.1:{port}.evil.example",
                f"{server.host} ",
                None,
            ):
                if host == f"{server.host} ":
                    continue  # blanks around a value are none of it
                refused(server, 421, method, target, Host=host)


def test_origin_only_ours(lab):
    with Server(lab) as server:
        for method, target in ROUTES:
            for origin in (
                "https://evil.example",
                "null",
                "http://127.0.0.1",
                f"https://{server.host}",
                f"http://{server.host}.evil.example",
                "",
            ):
                answer = refused(server, 403, method, target, Origin=origin)
                check(not any("allow-origin" in name for name in answer.headers), answer.headers)
        check(server.ask("GET", "/v1/tasks", Origin=server.address).status == 200, "its own origin")


def test_other_sites_get_nothing(lab):
    with Server(lab) as server:
        for method, target in ROUTES:
            for site in ("cross-site", "same-site", "Same-Origin", "x"):
                refused(server, 403, method, target, Sec_Fetch_Site=site)
        for site in ("same-origin", "none"):
            check(server.ask("GET", "/v1/tasks", Sec_Fetch_Site=site).status == 200, site)


def test_no_preflight_and_no_other_method(lab):
    with Server(lab) as server:
        for method in ("OPTIONS", "PUT", "DELETE", "PATCH", "HEAD", "TRACE", "CONNECT"):
            raw = server.raw(server.request_bytes(method, "/v1/run"))
            check(Answer(raw).status == 405, raw)
            check(b"access-control" not in raw.lower(), raw)
        foreign = server.ask("OPTIONS", "/v1/run", Origin="https://evil.example")
        check(foreign.status == 403, foreign.status)


def test_headers_twice(lab):
    with Server(lab) as server:
        for line in (
            f"Host: {server.host}",
            "Origin: https://evil.example\r\nOrigin: " + server.address,
            f"Authorization: Bearer {server.token}",
            "Sec-Fetch-Site: none\r\nSec-Fetch-Site: cross-site",
        ):
            data = server.request_bytes("GET", "/v1/tasks")
            data = data.replace(b"\r\n\r\n", b"\r\n" + line.encode() + b"\r\n\r\n")
            check(Answer(server.raw(data)).status == 400, line)


def test_token_always(lab):
    with Server(lab) as server:
        wrong = "0" * 64
        nearly = server.token[:-1] + ("0" if server.token[-1] != "0" else "1")
        for method, target in ROUTES:
            if target in ("/", "/app.js", "/nothing"):
                continue
            for given in (
                None,
                "",
                "Bearer",
                "Bearer ",
                f"Bearer {wrong}",
                f"Bearer {nearly}",
                f"Bearer {server.token}0",
                f"Bearer {server.token[:-1]}",
                f"bearer {server.token}",
                f"Basic {server.token}",
                server.token,
            ):
                refused(server, 401, method, target, Authorization=given)
            # It is taken neither from the query nor from a cookie.
            query = f"{target}?token={server.token}"
            answer = server.ask(method, query, b"{}" if method == "POST" else b"", Authorization=None)
            check(answer.status in (400, 401), f"{query}: {answer.status}")
            refused(server, 401, method, target, Authorization=None, Cookie=f"token={server.token}")


def test_token_is_a_secret(lab):
    with Server(lab) as server:
        seen = set(server.tokens.values())
        check(set(server.tokens) == {"read", "control", "run"} and len(seen) == 3, server.tokens)
        check(all(len(token) == 64 and int(token, 16) >= 0 for token in seen), "256 bits each")
        mode = server.file.stat().st_mode
        check(stat.S_IMODE(mode) == 0o600, oct(mode))
        server.post("run", command="env; sleep 60", wait_s=0)
        await_true(lambda: "BGT" in lab.run("logs", "1"), "the task says its environment")
        log = lab.run("logs", "1")
        check(not any(token in log for token in seen), "a token is in the environment of a task")
        pids = [p for p in os.listdir("/proc") if p.isdigit()]
        for pid in pids:
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as file:
                    line = file.read()
            except OSError:
                continue
            check(not any(token.encode() in line for token in seen), f"argv of {pid}: {line}")
        for folder, _, files in os.walk(lab.root):
            for name in files:
                path = os.path.join(folder, name)
                if name == "serve.json" or not stat.S_ISREG(os.lstat(path).st_mode):
                    continue
                with open(path, "rb") as file:
                    data = file.read()
                check(not any(token.encode() in data for token in seen), path)
    check(not server.file.exists(), "serve.json is left")
    with Server(lab) as again:
        check(again.token not in seen, "the token is the same as before")


def test_token_is_printed_in_the_fragment_on_a_terminal_only(lab):
    with Server(lab) as server:
        check("#" not in server.address and server.token not in server.address, server.address)
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [lab.bgt, "serve"], env=lab.env, cwd=lab.work, stdin=slave, stdout=slave, stderr=slave
    )
    os.close(slave)
    line = b""
    while not line.endswith(b"\n"):
        line += os.read(master, 1)
    token = json.loads((lab.root / "serve.json").read_text())["tokens"]["run"]
    process.terminate()
    check(process.wait(PATIENCE) == 0, "exit code")
    os.close(master)
    url = line.decode().strip()
    check(url.endswith(f"/#token={token}") and "?" not in url, url)


def test_scopes(lab):
    lab.start("--name", "one", "--", "sleep", "60")
    with Server(lab) as server:
        allowed = {"read": 0, "control": 1, "run": 2}
        needs = {
            "list": 0,
            "read": 0,
            "why": 0,
            "wait": 0,
            "send": 1,
            "stop": 1,
            "run": 2,
            "submit": 2,
            "restart": 2,
        }
        document = server.get("/openapi.json")
        for operation, level in needs.items():
            scope = document["paths"][f"/v1/{operation}"]["post"]["x-scope"]
            check(allowed[scope] == level, f"{operation}: {scope}")
            for name, token in server.tokens.items():
                given = f"Bearer {token}"
                # A body that no operation takes: who is let through gets 400.
                answer = server.ask("POST", f"/v1/{operation}", b'{"x":1}', Authorization=given)
                expected = 400 if allowed[name] >= level else 403
                check(answer.status == expected, f"{name} {operation}: {answer.status}")
    check(lab.task(1)["lifecycle"] == "running", "the task")


def test_read_only(lab):
    lab.start("--", "sleep", "60")
    with Server(lab, "--read-only") as server:
        check(set(server.tokens) == {"read"}, server.tokens)
        check(server.get("/v1/tasks")["tasks"], "tasks")
        refused(server, 403, "POST", "/v1/stop")
        refused(server, 403, "POST", "/v1/run")
        for empty in ("Bearer ", "Bearer"):
            refused(server, 401, "POST", "/v1/run", Authorization=empty)


def test_json_bodies_only(lab):
    with Server(lab) as server:
        body = b'{"command":"true"}'
        for kind in (
            "text/plain",
            "application/x-www-form-urlencoded",
            "multipart/form-data",
            "application/jsonx",
            "",
            None,
        ):
            answer = server.ask("POST", "/v1/run", body, Content_Type=kind)
            check(answer.status == 415, f"{kind}: {answer.status}")
        good = server.ask("POST", "/v1/run", body, Content_Type="application/json; charset=utf-8")
        check(good.status == 200, good.body)
        check(server.get("/v1/tasks")["tasks"][-1]["id"] == 1, "only one has been started")


def test_get_changes_nothing(lab):
    with Server(lab) as server:
        for operation in ("run", "stop", "restart", "submit", "send", "list"):
            check(server.ask("GET", f"/v1/{operation}").status == 405, operation)
        check(server.ask("POST", "/v1/tasks", b"{}").status == 405, "tasks")
        check(server.ask("GET", "/mcp").status == 405, "mcp")


def test_headers_of_every_answer(lab):
    lab.start("--", "true")
    with Server(lab) as server:
        answers = [server.ask(m, t, b"{}" if m == "POST" else b"") for m, t in ROUTES if "events" not in t]
        answers += [server.ask("GET", "/v1/tasks", Host="x"), server.ask("GET", "/", Authorization=None)]
        stream = server.stream("/v1/events")
        stream.close()
        for answer in [*answers, stream.head]:
            headers = answer.headers
            policy = headers["content-security-policy"]
            check("default-src 'none'" in policy and "script-src 'self';" in policy, policy)
            check("unsafe" not in policy and "frame-ancestors 'none'" in policy, policy)
            check("require-trusted-types-for 'script'" in policy, policy)
            check(headers["x-content-type-options"] == "nosniff", headers)
            check(headers["referrer-policy"] == "no-referrer", headers)
            check(headers["cache-control"] == "no-store", headers)
            check(headers["cross-origin-resource-policy"] == "same-origin", headers)
            check("set-cookie" not in headers and "server" not in headers, headers)
            check(not any(name.startswith("access-control") for name in headers), headers)
            check("content-type" in headers, headers)


def test_bounds_of_size(lab):
    with Server(lab) as server:
        big = server.request_bytes("GET", "/v1/tasks", X="a" * 9000)
        check(Answer(server.raw(big)).status == 431, "header of 9 kB")
        endless = b"GET /" + b"a" * 100_000
        check(Answer(server.raw(endless)).status == 431, "a request line without an end")
        fits = server.request_bytes("GET", "/v1/tasks", X="a" * 7000)
        check(Answer(server.raw(fits)).status == 200, "header of 7 kB")
        answer = server.ask("POST", "/v1/run", b"x" * (1 << 20) + b"y")
        check(answer.status == 413, answer.status)
        said = server.ask("POST", "/v1/run", b"{}", Content_Length="99999999999999999999")
        check(said.status in (400, 413), said.status)
        chunked = server.ask(
            "POST", "/v1/run", b"2\r\n{}\r\n0\r\n\r\n", Content_Length=None, Transfer_Encoding="chunked"
        )
        check(chunked.status == 411, chunked.status)
        both = server.ask("POST", "/v1/run", b"0\r\n\r\n", Transfer_Encoding="chunked")
        check(both.status in (400, 411), both.status)
        body = json.dumps({"command": "cat", "stdin_text": "x" * 200_000}).encode()
        check(server.ask("POST", "/v1/run", body).status == 200, "200 kB of stdin")
        deep = b'{"command":' + b"[" * 5000 + b"]" * 5000 + b"}"
        check(server.ask("POST", "/v1/run", deep).status == 400, "deep JSON")


def test_what_is_no_http(lab):
    with Server(lab) as server:
        for data in (
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
            b"hello\r\n\r\n",
            b"GET / HTTP/2.0\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost : x\r\n\r\n",
            b"GET / HTTP/1.1\r\nHo\x00st: x\r\n\r\n",
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        ):
            answer = server.raw(data)
            check(answer == b"" or Answer(answer).status in (400, 405, 421, 505), f"{data!r}: {answer[:80]!r}")
        for target in ("http://evil.example/v1/tasks", "*", "v1/tasks"):
            answer = server.raw(server.request_bytes("GET", target))
            check(Answer(answer).status == 400, f"{target}: {answer[:80]}")


def test_paths_only_from_ids(lab):
    lab.start("--name", "web", "--", "true")
    with Server(lab) as server:
        for target in (
            "/v1/tasks/web",
            "/v1/tasks/../tasks/1",
            "/v1/tasks/1/../1/log",
            "/v1/tasks/01",
            "/v1/tasks/0",
            "/v1/tasks/-1",
            "/v1/tasks/+1",
            "/v1/tasks/%31",
            "/v1/tasks/1/",
            "/v1/tasks/1/status",
            "/v1/tasks/99999999999999999999",
            "/v1/tasks/2",
            "/../../etc/passwd",
            "//etc/passwd",
            "/app.js/..",
            "/serve.json",
        ):
            check(server.ask("GET", target).status == 404, target)
        check(server.get("/v1/tasks/1")["name"] == "web", "by its id")


def test_slow_clients_are_bounded(lab):
    with Server(lab) as server:
        begun = time.monotonic()
        with server.connect() as silent, server.connect() as slow, server.connect() as body:
            head = server.request_bytes("POST", "/v1/run", b"{}", Content_Length="1000")
            body.sendall(head)
            slow.sendall(b"GET / HTTP/1.1\r\n")
            check(silent.recv(1000) == b"", "a silent client gets something")
            seconds = time.monotonic() - begun
            check(8 < seconds < 20, f"closed after {seconds:.1f} s")
            answer = b""
            while block := slow.recv(65536):
                answer += block
            check(Answer(answer).status == 408, answer)
            check(time.monotonic() - begun < 25, "a slow client")
            body.settimeout(45)
            check(b" 408 " in body.recv(65536), "a slow body")


def test_at_most_64_connections(lab):
    with Server(lab) as server:
        wires = [server.connect() for _ in range(64)]
        await_true(lambda: len(server.helpers()) == 64, "64 helpers")
        answer = Answer(server.raw(b""))
        check(answer.status == 503, answer.status)
        wires.pop().close()
        await_true(lambda: len(server.helpers()) == 63, "63 helpers")
        check(server.get("/v1/tasks")["tasks"] == [], "there is room again")
        for wire in wires:
            wire.close()


def test_only_loopback(lab):
    for address in (
        "0.0.0.0:0",
        "[::]:0",
        "192.168.0.1:80",
        ":8080",
        "8080",
        "example.com:80",
        "localhost:80",
        "127.0.0.1",
        "127.0.0.1:70000",
        "127.0.0.1:-1",
        "127.0.0.1:http",
        "unix:relative",
        "unix:",
        "",
    ):
        out = lab.run("serve", "--listen", address)
        check(out == "" and "--listen" in lab.errors or "socket" in lab.errors, f"{address}: {lab.errors}")
    check(not (lab.root / "serve.json").exists(), "serve.json is left")


def test_ipv6(lab):
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return
    with Server(lab, "--listen", "[::1]:0") as server:
        check(server.address.startswith("http://[::1]:"), server.address)
        check(server.get("/v1/tasks")["tasks"] == [], "tasks")
        refused(server, 421, "GET", "/", Host=server.host.replace("[::1]", "127.0.0.1"))


def test_unix_socket(lab):
    path = lab.folder / "sock"
    with Server(lab, "--listen", f"unix:{path}") as server:
        check(path.stat().st_mode & 0o077 == 0, "its mode")
        check(server.get("/v1/tasks")["tasks"] == [], "tasks")
        refused(server, 401, "GET", "/v1/tasks", Authorization=None)
        refused(server, 421, "GET", "/v1/tasks", Host="evil.example")
        if os.geteuid() == 0:
            os.chmod(path, 0o666)
            os.chmod(lab.folder, 0o755)
            code = (
                "import os,socket,sys\nos.setgid(65534);os.setuid(65534)\n"
                "s=socket.socket(socket.AF_UNIX);s.connect(sys.argv[1]);print(s.recv(100))"
            )
            done = subprocess.run(
                ["python3", "-c", code, str(path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
            )
            if b"PermissionError" not in done.stderr:
                check(b" 403 " in done.stdout, done)
    check(not path.exists(), "the socket is left")


def test_other_users_are_turned_away(lab):
    if os.geteuid() != 0:
        print("skipped: other_users_are_turned_away needs root")
        return
    with Server(lab) as server:
        host, port = server.host.split(":")
        code = (
            "import encodings.idna,os,socket,sys\nos.setgid(65534);os.setuid(65534)\n"
            "s=socket.create_connection((sys.argv[1],int(sys.argv[2])));print(s.recv(4096))"
        )
        done = subprocess.run(["python3", "-c", code, host, port], stdout=subprocess.PIPE, timeout=PATIENCE)
        check(b" 403 " in done.stdout, done)
        check(server.get("/v1/tasks")["tasks"] == [], "its own user")


def test_open_gives_the_token_once(lab):
    programs = lab.folder / "bin"
    programs.mkdir()
    script = programs / "xdg-open"
    script.write_text(f"#!/bin/sh\necho \"$1\" > {lab.folder}/url.new; mv {lab.folder}/url.new {lab.folder}/url\n")
    script.chmod(0o755)
    path = lab.env["PATH"]
    lab.env["PATH"] = f"{programs}:{path}"
    with Server(lab, "--open") as server:
        opened = lab.folder / "url"
        await_true(opened.exists, "xdg-open")
        url = opened.read_text().strip()
        check(url.startswith(server.address + "/#code="), url)
        code = url.rsplit("=", 1)[1]
        check(code not in server.tokens.values(), "it is a token")
        refused(server, 401, "GET", "/v1/tasks", Authorization=f"Bearer {code}")
        for wrong in (None, "Bearer ", "Bearer " + "0" * 64, f"Bearer {server.token}"):
            refused(server, 401, "POST", "/v1/token", Authorization=wrong)
        refused(server, 403, "POST", "/v1/token", Authorization=f"Bearer {code}", Origin="null")
        given = server.ask("POST", "/v1/token", b"{}", Authorization=f"Bearer {code}")
        check(given.status == 200 and given.json()["token"] == server.token, given.body)
        refused(server, 401, "POST", "/v1/token", Authorization=f"Bearer {code}")
    with Server(lab) as server:
        refused(server, 401, "POST", "/v1/token", Authorization="Bearer ")
    out = lab.run("serve", "--open", "--listen", f"unix:{lab.folder}/s")
    check("--open" in lab.errors, lab.errors)
    lab.env["PATH"] = "/nonexistent"
    lab.run("serve", "--open")
    check("xdg-open" in lab.errors, lab.errors)
    lab.env["PATH"] = path


def test_one_server_a_root(lab):
    with Server(lab) as server:
        check(lab.run("serve") == "" and "runs already" in lab.errors, lab.errors)
        check(server.get("/v1/tasks")["tasks"] == [], "tasks")
        server.process.kill()
        server.process.wait()
        check(server.file.exists(), "a killed server leaves its file")
        with Server(lab) as again:
            check(again.get("/v1/tasks")["tasks"] == [], "tasks")
        server.process.wait = lambda *_: 0
        server.process.send_signal = lambda *_: None


def test_environment_is_not_shown(lab):
    lab.env["SECRET_OF_MINE"] = "hunter2"
    with Server(lab) as server:
        done = server.post("run", command="sleep 60", env={"TOKEN": "swordfish"}, wait_s=0)
        for target in ("/v1/tasks", f"/v1/tasks/{done['id']}", "/openapi.json"):
            body = server.ask("GET", target).body
            check(b"swordfish" not in body and b"hunter2" not in body, target)
