"""Each route of `bgt serve`."""

from __future__ import annotations

import json
import os
import signal
import time

from client import Answer, PATIENCE, Server, await_true, check


def test_operations(lab):
    with Server(lab) as server:
        done = server.post("run", command="echo hello; exit 3")
        check(done["exit"] == 3 and done["tail"] == "hello\n", done)
        web = server.post("run", argv=["sleep", "60"], name="web", wait_s=0)
        check(web["name"] == "web", web)
        listed = server.post("list")["tasks"]
        check([task["id"] for task in listed] == [2, 1], listed)
        check(server.post("read", id=1)["text"] == "hello\n", "read")
        check(server.post("why", id=1)["sentence"], "why")
        waited = server.post("wait", ids=["web"], timeout_s=0.1)
        check(waited["result"] == "timeout", waited)
        stopped = server.post("stop", ids=[2])
        check(stopped["tasks"][0]["state"].startswith(("killed", "SIG")), stopped)
        asks = server.post("run", command="read x; echo got $x", interactive=True, wait_s=0)
        sent = server.post("send", id=asks["id"], text="yes")
        check(sent["text"] == "got yes\n", sent)
        queued = server.post("submit", command="echo queued", keep=True)
        check(queued["queue"] == "default", queued)
        check(server.post("wait", ids=[queued["id"]])["result"] == "met", "the queued one")


def test_errors_have_their_kinds(lab):
    with Server(lab) as server:
        for operation, body, status, kind, code in (
            ("run", b"{}", 400, "usage", 125),
            ("run", b'{"command":"x","colour":1}', 400, "usage", 125),
            ("run", b"[]", 400, "usage", 125),
            ("run", b"", 400, "usage", 125),
            ("run", b'{"command":', 400, "usage", 125),
            ("run", b'{"argv":["/no/such/program"]}', 422, "no-command", 127),
            ("run", b'{"argv":["/etc/passwd"]}', 422, "cannot-exec", 126),
            ("read", b'{"id":99}', 404, "not-found", 125),
            ("stop", b'{"ids":[99]}', 404, "not-found", 125),
        ):
            answer = server.ask("POST", f"/v1/{operation}", body)
            check(answer.status == status, f"{operation} {body}: {answer.body}")
            problem = answer.json()
            check((problem["kind"], problem["code"]) == (kind, code), problem)
            check(problem["title"] and problem["detail"] and problem["status"] == status, problem)
        check(server.ask("POST", "/v1/nothing", b"{}").status == 404, "no such operation")
        for target in ("/v1/tasks?x=1", "/v1/tasks?state=none", "/v1/tasks?all=2", "/v1/events?usage=0"):
            check(server.ask("GET", target).status == 400, target)


def test_tasks(lab):
    lab.start("--name", "web", "--tag", "a=b", "--", "sleep", "60")
    lab.start("--", "sh", "-c", "echo out; exit 4")
    lab.run("wait", "2")
    with Server(lab) as server:
        tasks = server.get("/v1/tasks")["tasks"]
        check([(t["id"], t["state"]) for t in tasks] == [(1, "running"), (2, "exit 4")], tasks)
        check(tasks[0]["tags"] == {"a": "b"} and tasks[1]["last_line"] == "out", tasks)
        ended = server.get("/v1/tasks?state=ended&all=1")["tasks"]
        check([t["id"] for t in ended] == [2], ended)
        one = server.get("/v1/tasks/2")
        check(one["outcome"]["code"] == 4 and one["events"][-1]["event"], one)
        check(server.get("/v1/queues")["queues"] is not None, "queues")
        told = server.get("/v1/server")
        check(told["scope"] == "run" and told["root"] == str(lab.root) and told["version"], told)
        told = server.get("/v1/server", Authorization="Bearer " + server.tokens["read"])
        check(told["scope"] == "read", told)


def test_connection_is_kept(lab):
    with Server(lab) as server, server.connect() as wire:
        request = server.request_bytes("GET", "/v1/tasks", Connection=None)
        for _ in range(3):
            wire.sendall(request)
            head = b""
            while b"\r\n\r\n" not in head:
                head += wire.recv(1)
            answer = Answer(head)
            check(answer.headers["connection"] == "keep-alive", head)
            body = b""
            while len(body) < int(answer.headers["content-length"]):
                body += wire.recv(65536)
            check(json.loads(body)["tasks"] == [], body)
        wire.sendall(server.request_bytes("GET", "/v1/tasks"))
        check(b"Connection: close" in wire.recv(65536), "the last one")


def test_expect_continue(lab):
    with Server(lab) as server, server.connect() as wire:
        body = b'{"argv":["true"]}'
        head = server.request_bytes("POST", "/v1/run", body, Expect="100-continue")
        wire.sendall(head.removesuffix(body))
        check(wire.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n", "100")
        wire.sendall(body)
        check(b" 200 OK" in wire.recv(65536), "200")
        refused = server.request_bytes("POST", "/v1/run", body, Expect="100-continue", Authorization="x")
        check(Answer(server.raw(refused.removesuffix(body))).status == 401, "before the body is sent")


def test_an_operation_that_waits_blocks_nobody(lab):
    lab.start("--", "sleep", "60")
    with Server(lab) as server, server.connect() as wire:
        body = b'{"ids":[1],"timeout_s":50}'
        wire.sendall(server.request_bytes("POST", "/v1/wait", body))
        begun = time.monotonic()
        for _ in range(5):
            server.get("/v1/tasks")
        check(time.monotonic() - begun < 10, "others wait")


def test_who_goes_gives_up_its_request_and_no_task(lab):
    with Server(lab) as server:
        wire = server.connect()
        wire.sendall(server.request_bytes("POST", "/v1/run", b'{"command":"sleep 60","wait_s":50}'))
        await_true(lambda: server.get("/v1/tasks")["tasks"], "it is started")
        wire.close()
        await_true(lambda: not server.helpers(), "the helper goes")
        check(server.get("/v1/tasks")["tasks"][0]["lifecycle"] == "running", "the task")


def test_log_stream(lab):
    lab.start("--", "sh", "-c", "echo one; sleep 0.3; echo two; sleep 0.3; echo three")
    with Server(lab) as server:
        stream = server.stream("/v1/tasks/1/log?from=0")
        text, ids = "", []
        while one := stream.next():
            event, number, data = one
            if event == "end":
                break
            check(event == "output" and data["start"] == len(text), one)
            text += data["text"]
            check(int(number) == len(text), one)
            ids.append(number)
        check(text == "one\ntwo\nthree\n" and data["state"] == "exit 0", (text, data))
        check(stream.next() is None and stream.ended, "the stream goes on after the end")
        resumed = server.stream("/v1/tasks/1/log", Last_Event_ID=ids[0])
        check(resumed.next()[2]["text"] == text[int(ids[0]) :], "what came after it")
        check(server.stream("/v1/tasks/1/log?tail=6").next()[2]["text"] == "three\n", "its tail")
        for target, headers in (
            ("/v1/tasks/1/log?from=999", {}),
            ("/v1/tasks/1/log?from=-1", {}),
            ("/v1/tasks/1/log", {"Last_Event_ID": "x"}),
        ):
            check(server.ask("GET", target, **headers).status == 400, (target, headers))
        check(server.ask("GET", "/v1/tasks/7/log").status == 404, "no such task")


def test_log_of_hostile_text(lab):
    text = b"<img src=x onerror=alert(1)>\n\nevent: end\ndata: {}\n\x1b[31mred\x1b]0;t\x07\xff\x00\n"
    path = lab.work / "hostile"
    path.write_bytes(text)
    lab.start("--", "cat", str(path))
    lab.run("wait", "1")
    with Server(lab) as server:
        stream = server.stream("/v1/tasks/1/log?from=0")
        event, _, data = stream.next()
        check(event == "output" and "<img src=x onerror=alert(1)>" in data["text"], data)
        check("\x1b" not in data["text"] and "event: end\ndata: {}\n" in data["text"], data)
        check(stream.next()[0] == "end", "what the log says is no event")


def test_large_log(lab):
    lab.start("--", "seq", "1000000")
    lab.run("wait", "1")
    with Server(lab) as server:
        stream = server.stream("/v1/tasks/1/log?from=0")
        size, lines = 0, 0
        while (one := stream.next())[0] != "end":
            size += len(one[2]["text"])
            lines += one[2]["text"].count("\n")
        check((size, lines) == (6888896, 1000000), (size, lines))


def test_who_does_not_read_costs_nothing(lab):
    lab.start("--", "yes")
    with Server(lab) as server:
        wire = server.connect()
        wire.sendall(server.request_bytes("GET", "/v1/tasks/1/log?from=0"))
        check(wire.recv(100), "it begins")
        sizes = []
        for _ in range(5):
            time.sleep(0.2)
            for pid in server.helpers():
                with open(f"/proc/{pid}/statm") as file:
                    sizes.append(int(file.read().split()[1]) * 4096)
        check(sizes and max(sizes) < 40 << 20, sizes)
        check(server.get("/v1/tasks/1")["lifecycle"] == "running", "others are served")
        wire.close()
    lab.run("kill", "--now", "1")


def test_events(lab):
    lab.start("--name", "old", "--", "sleep", "60")
    with Server(lab) as server:
        stream = server.stream("/v1/events?usage=1")
        event, first, data = stream.next()
        check(event == "tasks" and [t["name"] for t in data["tasks"]] == ["old"], data)
        begun = time.monotonic()
        lab.start("--name", "new", "--", "sh", "-c", "sleep 0.5; exit 5")
        stream.until(lambda e, _, d: e == "task" and d["id"] == 2 and d["state"] == "running")
        check(time.monotonic() - begun < 5, "a start is told late")
        stream.until(lambda e, _, d: e == "task" and d["id"] == 2 and d["state"] == "exit 5")
        used = stream.until(lambda e, _, d: e == "usage")[2]["tasks"]
        check(used[0]["id"] == 1 and used[0]["rss_bytes"] > 0, used)
        lab.run("kill", "--now", "old")
        stream.until(lambda e, _, d: e == "task" and d["id"] == 1 and d["lifecycle"] == "ended")
        stream.close()
        for number in range(12):
            lab.start("--", "true")
        await_true(
            lambda: all(t["lifecycle"] == "ended" for t in server.get("/v1/tasks?all=1")["tasks"]),
            "all have ended",
        )
        fresh = server.stream("/v1/events").next()[2]["tasks"]
        check(len(fresh) == 10, [t["id"] for t in fresh])
        resumed = server.stream("/v1/events", Last_Event_ID=first).next()[2]["tasks"]
        check({t["id"] for t in resumed} == set(range(1, 15)), [t["id"] for t in resumed])


def test_events_before_the_first_task(lab):
    with Server(lab) as server:
        stream = server.stream("/v1/events")
        check(stream.next()[2]["tasks"] == [], "no tasks")
        lab.start("--", "sleep", "60")
        stream.until(lambda e, _, d: e == "task" and d["id"] == 1)
        lab.run("submit", "--queue", "jobs", "--", "sleep", "0.3")
        stream.until(lambda e, _, d: e == "queues" and any(q["name"] == "jobs" for q in d["queues"]))
        stream.until(lambda e, _, d: e == "task" and d["id"] == 2 and d["lifecycle"] == "ended")
        stream.close()


def test_a_change_is_told_within_500_ms(lab):
    lab.start("--", "sleep", "60")
    with Server(lab) as server:
        stream = server.stream("/v1/events")
        stream.next()
        lab.run("pause", "1")
        begun = time.monotonic()
        stream.until(lambda e, _, d: e == "task" and d["paused"])
        check(time.monotonic() - begun < 0.5, f"{time.monotonic() - begun:.2f} s")
        stream.close()


def test_metrics(lab):
    lab.start("--name", "m", "--", "false")
    lab.run("wait", "m")
    with Server(lab) as server:
        answer = server.ask("GET", "/metrics")
        check(answer.status == 200 and answer.headers["content-type"].startswith("text/plain"), answer.headers)
        text = answer.body.decode()
        check('bgt_runs_total{name="m"' in text and text.endswith("# EOF\n"), text)
        check(text.splitlines()[0].startswith("# HELP "), text[:100])


def test_schedules(lab):
    lab.run("schedule", "add", "nightly", "--cron", "30 2 * * *", "--", "true")
    with Server(lab) as server:
        told = server.get("/v1/schedules")["schedules"]
        check([s["name"] for s in told] == ["nightly"] and told[0]["next"], told)
        stream = server.stream("/v1/events")
        stream.until(lambda e, _, d: e == "schedules" and d["schedules"][0]["next"])
        lab.run("schedule", "pause", "nightly")
        stream.until(lambda e, _, d: e == "schedules" and d["schedules"][0]["paused"])
        lab.run("schedule", "rm", "nightly")
        stream.until(lambda e, _, d: e == "schedules" and d["schedules"] == [])
        stream.close()
        journal = lab.root / "queue" / "journal"
        await_true(lambda: not journal.exists(), "the dispatcher goes on")


def test_each_change_is_an_event(lab):
    with Server(lab) as server:
        task = server.post("run", argv=["sleep", "60"], name="web", wait_s=0)["id"]
        server.post("list", mine=False)
        server.post("stop", ids=[task])
        told = json.loads(lab.run("events", "--json", "--type", "http"))["events"]
        check([e["data"]["operation"] for e in told] == ["run", "stop"], told)
        for event in told:
            check(event["task"] == task and event["name"] == "web", event)
            check(event["data"]["scope"] == "run", event)
            check(event["data"]["peer"].startswith("127.0.0.1:"), event)
        check(server.post("events", types=["http"], mine=False)["events"], "the operation events")


def test_openapi(lab):
    printed = json.loads(lab.run("serve", "--openapi"))
    with Server(lab) as server:
        document = server.get("/openapi.json")
    check(document == printed, "it is not what --openapi prints")
    check(document["openapi"] == "3.1.0" and document["info"]["title"] == "bgt", document)
    operations = {p.removeprefix("/v1/") for p, v in document["paths"].items() if "post" in v}
    check({"run", "read", "wait", "list", "events", "why", "send", "stop", "submit"} <= operations, operations)
    ids = [o["operationId"] for path in document["paths"].values() for o in path.values()]
    check(len(ids) == len(set(ids)), ids)
    for path in document["paths"].values():
        for one in path.values():
            check(one["responses"]["200"] and one["responses"]["default"], one)
    for path in ("/v1/tasks", "/v1/tasks/{id}", "/v1/tasks/{id}/log", "/v1/events", "/v1/queues",
                 "/v1/schedules", "/metrics"):
        check("get" in document["paths"][path], path)


def test_tasks_end_with_the_server_unless_kept(lab):
    for ending in (signal.SIGTERM, signal.SIGKILL):
        with Server(lab) as server:
            ends = server.post("run", argv=["sleep", "60"], wait_s=0)["id"]
            keeps = server.post("run", argv=["sleep", "60"], wait_s=0, keep=True)["id"]
            server.end(ending)
            await_true(lambda: lab.task(ends)["lifecycle"] == "ended", "it goes on")
            check(lab.task(keeps)["lifecycle"] == "running", "it has ended")
            server.process.wait = lambda *_: 0
            server.process.send_signal = lambda *_: None


def test_the_end_of_the_server_ends_its_connections(lab):
    with Server(lab) as server:
        stream = server.stream("/v1/events")
        stream.next()
        server.end()
        check(stream.next(5) is None and stream.ended, "the stream goes on")


def test_idle(lab):
    with Server(lab) as server:
        server.get("/v1/tasks")
        await_true(lambda: not server.helpers(), "the helper goes")
        pid = server.process.pid

        def wakes():
            with open(f"/proc/{pid}/status") as file:
                return sum(int(l.split()[1]) for l in file if l.startswith(("voluntary", "nonvol")))

        before = wakes()
        time.sleep(1.5)
        check(wakes() == before, f"{wakes() - before} wake-ups in 1.5 s")
        with open(f"/proc/{pid}/smaps_rollup") as file:
            private = sum(int(l.split()[1]) for l in file if l.startswith("Private"))
        with open(f"/proc/{pid}/maps") as file:
            is_static = ".so" not in file.read()
        # With shared libraries, their relocated pages are private too.
        check(private <= (4096 if is_static else 8192), f"{private} KiB private")
