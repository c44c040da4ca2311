"""What each tool does."""

from __future__ import annotations

import json
import sys
import time

from client import check, Checked

SERVER = """
import http.server, os
class H(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        text = open("page.txt").read()
        self.send_response(200); self.end_headers(); self.wfile.write(text.encode())
    def log_message(self, form, *args):
        print("GET", args[0], flush=True)
s = http.server.HTTPServer(("127.0.0.1", 0), H)
print("listening on http://127.0.0.1:%d/" % s.server_port, flush=True)
s.serve_forever()
"""


def test_run(lab):
    with Checked(lab) as client:
        done = client.call("run", command="echo one; echo two >&2; [[ 1 == 1 ]] && echo bash")
        check(done["state"] == "exit 0" and done["exit"] == 0, done)
        check(done["tail"] == "one\ntwo\nbash\n", done)
        result = client.call_result("run", command="echo broken; exit 3")
        check(result["isError"] is True and result["structuredContent"]["exit"] == 3, result)
        check("why" in result["structuredContent"]["hint"], result)
        (lab.work / "sub").mkdir()
        done = client.call(
            "run",
            argv=["sh", "-c", "pwd; echo $A; cat"],
            cwd=str(lab.work / "sub"),
            env={"A": "x y"},
            stdin_text="in\n",
        )
        check(done["tail"] == f"{lab.work}/sub\nx y\nin\n", done)
        started = time.monotonic()
        slow = client.call("run", command="echo begun; sleep 60", wait_s=0.5, name="slow")
        check(time.monotonic() - started < 10 and slow["state"] == "running", slow)
        check(slow["tail"] == "begun\n" and "exit" not in slow, slow)
        check("slow" in client.refused("run", command="true", name="slow"), "the name is in use")
        again = client.call(
            "run", command="echo begun; sleep 60", name="slow", if_exists="reuse", wait_s=0
        )
        check(again["id"] == slow["id"] and again["reused"], again)
        new = client.call("run", command="sleep 61", name="slow", if_exists="replace", wait_s=0)
        check(new["id"] != slow["id"], new)
        limited = client.call("run", command="sleep 60", timeout_s=0.2)
        check(limited["exit"] == 123 and limited["state"] == "timeout", limited)
        loud = client.call("run", command="seq 100000; printf '\\033[31mred\\033[0m\\n'")
        check(loud["tail"].endswith("100000\nred\n") and len(loud["tail"]) <= 2048, loud)
        check(loud["skipped"] > 500_000, loud)
        long = client.call("run", command="head -c 100000 /dev/zero | tr '\\0' x")
        check(len(json.dumps(long)) < 2048, len(json.dumps(long)))


def test_read(lab):
    with Checked(lab) as client:
        task = client.call("run", command="seq 1000; printf '\\033[1mbold\\r'; sleep 1; echo end")
        page = client.call("read", id=task["id"], **{"from": "start"}, max_bytes=100)
        check(page["text"].startswith("1\n2\n") and page["more"], page)
        seen = page["text"]
        while page["more"]:
            page = client.call("read", id=task["id"], cursor=page["cursor"])
            check(len(page["text"]) <= 4096, len(page["text"]))
            seen += page["text"]
        check(seen == "".join(f"{i}\n" for i in range(1, 1001)) + "endd\n", seen[-40:])
        check(page["exit"] == 0, page)
        found = client.call("read", id=task["id"], grep="^99[0-9]$")
        check(found["text"] == "".join(f"{i}\n" for i in range(990, 1000)), found)
        found = client.call("read", id=task["id"], grep="^7$", cursor=0)
        check(found["text"] == "7\n", found)
        # It blocks until there is something new.
        live = client.call("run", command="echo a; sleep 1; echo b; sleep 60", wait_s=0.3)
        started = time.monotonic()
        more = client.call("read", id=live["id"], cursor=live["cursor"])
        check(more["text"] == "b\n" and 0.2 < time.monotonic() - started < 8, more)
        started = time.monotonic()
        none = client.call("read", id=live["id"], cursor=more["cursor"], wait_s=0.5)
        check(none["text"] == "" and time.monotonic() - started >= 0.5, none)
        long = client.call("run", command="head -c 3000 /dev/zero | tr '\\0' x; echo; echo é")
        cut = client.call("read", id=long["id"], line_max=50)
        check(cut["text"].startswith("x" * 50 + "… (+2950)\né"), cut)


def test_wait(lab):
    with Checked(lab) as client:
        one = client.call("run", command="sleep 0.5; echo bye; exit 4", wait_s=0)["id"]
        two = client.call("run", command="sleep 60", wait_s=0)["id"]
        met = client.call("wait", ids=[one, two], any=True)
        check(met["result"] == "met" and met["id"] == one, met)
        check(met["tasks"][0]["tail"] == "bye\n" and met["tasks"][0]["exit"] == 4, met)
        started = time.monotonic()
        late = client.call("wait", mine=True, timeout_s=0.5)
        check(late["result"] == "timeout" and late["timed_out"] and late["hint"], late)
        check(0.5 <= time.monotonic() - started < 10, late)
        lines = client.call("run", command="echo old; sleep 1; echo 'new 7'; sleep 60", wait_s=0.3)
        line = client.call("wait", ids=[lines["id"]], until="log", pattern="old|new")
        check(line["result"] == "met" and line["line"] == "new 7", line)
        line = client.call("wait", ids=[lines["id"]], until="log", pattern="old", after_cursor=0)
        check(line["line"] == "old", line)
        gone = client.call("wait", ids=[one], until="log", pattern="x", after_cursor=0)
        check(gone["result"] == "impossible", gone)
        gone = client.call("wait", ids=[one], until="port")
        check(gone["result"] == "impossible" and "why" in gone["hint"], gone)
        quiet = client.call("wait", ids=[two], until="quiet", quiet_s=0.3)
        check(quiet["result"] == "met", quiet)
        asks = client.call("run", command="printf 'go on? '; read x; sleep 60", interactive=True)
        check(asks["prompt"] == "go on? ", asks)
        stuck = client.call("wait", ids=[asks["id"]], timeout_s=30)
        check(stuck["result"] == "stuck" and "send" in stuck["hint"], stuck)
        asked = client.call("wait", ids=[asks["id"]], until="input")
        check(asked["result"] == "met", asked)
        check(client.call("stop", mine=True)["tasks"], "the rest")
        check(client.call("wait", mine=True)["tasks"] == [], "nobody is left")


def test_send(lab):
    with Checked(lab) as client:
        task = client.call(
            "run",
            command="printf 'name? '; read n; echo \"hello $n\"; printf 'age? '; read a; echo \"$a\"",
            interactive=True,
        )
        check(task["prompt"] == "name? " and task["state"] == "needs input", task)
        answer = client.call("send", id=task["id"], text="ann")
        check(answer["text"].startswith("hello ann\nage? ") and answer["prompt"] == "age? ", answer)
        answer = client.call("send", id=task["id"], text="7\n", eof=True)
        check(answer["text"] == "7\n" and answer["exit"] == 0, answer)
        closed = client.call("run", command="sleep 60", wait_s=0)
        check("stdin" in client.refused("send", id=closed["id"], text="x"), "no pipe")


def test_stop_restart(lab):
    with Checked(lab) as client:
        script = "trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.1; done"
        task = client.call("run", command=script, ready={"log": "up"}, name="web")
        check(task["ready"] and task["state"] == "ready", task)
        again = client.call("restart", id="web")
        check(again["ready"] and again["attempts"] == 2, again)
        done = client.call("stop", ids=["web", 99])
        check(done["tasks"][0]["state"] == "killed" and "99" in done["errors"][0], done)
        new = client.call("restart", id=task["id"])
        check(new["id"] != task["id"] and new["instead_of"] == task["id"], new)
        client.call("stop", ids=[new["id"]], now=True)
        check(client.call("list", state="running")["tasks"] == [], "all are stopped")


def test_submit(lab):
    with Checked(lab) as client:
        first = client.call("submit", command="sleep 0.5; echo first", queue="q")
        second = client.call("submit", argv=["echo", "second"], queue="q", after=[str(first["id"])])
        check(second["queue"] == "q" and second["position"] >= 1, second)
        reason = client.call("why", id=second["id"])
        check(reason["sentence"], reason)
        done = client.call("wait", ids=[second["id"]])
        check(done["result"] == "met" and done["tasks"][0]["tail"] == "second\n", done)


def test_events(lab):
    with Checked(lab) as client:
        first = client.call("run", command="echo no space left; exit 3", name="bad")
        told = client.call("events", types=["ended"])
        while not told["events"]:
            told = client.call("events", types=["ended"], cursor=told["cursor"])
        end = told["events"][0]
        check(end["id"] == first["id"] and end["name"] == "bad" and end["level"] == "error", end)
        check(end["tail"].strip() == "no space left" and "exit_code=3" in end["text"], end)
        check(client.call("events", cursor=told["cursor"], wait_s=0)["events"] == [], "it continues")
        second = client.call("run", command="true")
        told = client.call("events", cursor=told["cursor"], ids=[second["id"]], types=["ended"])
        check([e["id"] for e in told["events"]] == [second["id"]], told)
        some = client.call("events", limit=2)
        check(len(some["events"]) == 2 and some["older"], some)
        check(len(json.dumps(some)) <= 1024, some)


def test_why(lab):
    with Checked(lab) as client:
        asks = client.call("run", command="printf 'ok? '; read x", interactive=True)
        told = client.call("why", id=asks["id"])
        check("input" in told["sentence"] and "send" in told["next"], told)
        check(len(json.dumps(told)) <= 1024, len(json.dumps(told)))
        whole = client.call("why", id=asks["id"], detail=True)
        check(len(whole["report"]) > len(told["sentence"]), whole)
        crashed = client.call("run", command="echo why; kill -SEGV $$")
        told = client.call("why", id=crashed["id"])
        check("SIGSEGV" in json.dumps(told) and told["tail"] == "why\n", told)
        holder = client.call("run", argv=[sys.executable, "-c", SERVER], ready={"port": 0})
        port = holder["ports"][0]
        other = client.call(
            "run", command=f"echo 'Error: listen EADDRINUSE: address already in use :::{port}'; exit 1"
        )
        told = client.call("why", id=other["id"])
        check(f"task {holder['id']}" in told["port_held_by"], told)
        late = client.call(
            "run", command="sleep 60", ready={"port": port + 1 if port < 65535 else 1024}, wait_s=0.2
        )
        told = client.call("why", id=late["id"])
        check(told["not_ready"], told)


def test_own_tasks(lab):
    with Checked(lab) as one, Checked(lab) as two:
        first = one.call("run", command="sleep 60", wait_s=0)["id"]
        second = two.call("run", command="sleep 60", wait_s=0)["id"]
        check([t["id"] for t in one.call("list")["tasks"]] == [first], "its own")
        check([t["id"] for t in two.call("list")["tasks"]] == [second], "its own")
        check(
            [t["id"] for t in one.call("list", mine=False)["tasks"]] == [first, second], "and all"
        )
        size = len(json.dumps(one.call("list")["tasks"][0]))
        check(size <= 160, size)
        check(len(one.call("list", mine=False, limit=1)["tasks"]) == 1, "a limit")
        one.call("stop", mine=True)
        check(lab.task(second)["lifecycle"] == "running", "the other's goes on")
