"""What goes on for long, and who ends with whom."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from client import Client, check, eras
from process_table import is_alive


@eras
def test_cancel(lab, era):
    with Client(lab, era) as client:
        task = client.call("run", command="sleep 60", wait_s=0)["id"]
        waits = [
            client.begin("tools/call", name="wait", arguments={"ids": [task], "timeout_s": 50}),
            client.begin("tools/call", name="read", arguments={"id": task, "wait_s": 50}),
            client.begin("tools/call", name="run", arguments={"command": "sleep 60", "wait_s": 50}),
        ]
        check(client.read_message(0.5) is None, "they wait")
        for number in waits:
            client.send(
                {
                    "jsonrpc": "2.0",
                    "method": "notifications/cancelled",
                    "params": {"requestId": number, "reason": "enough"},
                }
            )
        check(client.read_message(1.5) is None, "what was cancelled is not answered")
        check(client.call("list")["tasks"][0]["state"] == "running", "the task goes on")
        check(len(client.call("list")["tasks"]) == 2, "and so does the one that was started")


@eras
def test_progress(lab, era):
    with Client(lab, era) as client:
        task = client.call("run", command="echo at work; sleep 60", wait_s=0, name="job")["id"]
        arguments = {"ids": [task], "timeout_s": 5}
        number = client.begin("tools/call", token="tok", name="wait", arguments=arguments)
        answer = client.finish(number)
        check(answer["result"]["structuredContent"]["timed_out"], answer)
        told = [n["params"] for n in client.notifications]
        check(len(told) >= 2, told)
        check(all(t["progressToken"] == "tok" and t["total"] == 5 for t in told), told)
        check(all(a["progress"] < b["progress"] for a, b in zip(told, told[1:])), told)
        check("at work" in told[-1]["message"], told)
        client.notifications.clear()
        client.call("wait", **(arguments | {"timeout_s": 3}))
        check(client.notifications == [], "no token, no progress")


def test_many_requests(lab):
    with Client(lab) as client:
        task = client.call("run", command="sleep 60", wait_s=0)["id"]
        arguments = {"ids": [task], "timeout_s": 50}
        numbers = [
            client.begin("tools/call", name="wait", arguments=arguments) for _ in range(70)
        ]
        refused = [client.finish(number) for number in numbers[64:]]
        check(all("error" in message for message in refused), refused)
        client.send({"jsonrpc": "2.0", "id": numbers[0], "method": "tools/call",
                     "params": {"name": "list", "arguments": {}}})
        check(client.finish(numbers[0])["error"]["code"] == -32600, "an id that is in use")
        client.send({"jsonrpc": "2.0", "method": "notifications/cancelled",
                     "params": {"requestId": numbers[1]}})
        deadline = time.monotonic() + 10
        while "error" in client.finish(client.begin("tools/call", name="list", arguments={})):
            check(time.monotonic() < deadline, "room again after one was cancelled")
        check(client.request("ping") == {}, "ping is answered all the time")



def test_end_of_file(lab):
    client = Client(lab)
    task = client.call("run", command="sleep 60", wait_s=0)["id"]
    kept = client.call("run", command="sleep 60; :", wait_s=0, keep=True)["id"]
    waiting = client.call("submit", command="echo never", after=[str(task)])["id"]
    client.begin("tools/call", name="wait", arguments={"ids": [task], "timeout_s": 50})
    started = time.monotonic()
    check(client.close() == 0, "exit code")
    check(time.monotonic() - started < 1, "it ends within a second")
    end = lab.await_end(task)
    check(end["outcome"]["reason"] == "owner-gone", end)
    check(lab.await_end(waiting)["outcome"]["kind"] == "not-started", "what waited is taken out")
    check(lab.task(kept)["lifecycle"] == "running", "keep")
    lab.run("kill", str(kept))


def test_piped(lab):
    """What is asked right before the end of the input is answered, if that takes no time."""
    hello = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {}}
    text = "".join(
        json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params}) + "\n"
        for number, (method, params) in enumerate(
            [("initialize", hello), ("tools/call", {"name": "list", "arguments": {}})]
        )
    )
    done = subprocess.run(
        [lab.bgt, "mcp"], env=lab.env, cwd=lab.work, input=text.encode(), capture_output=True
    )
    check(done.returncode == 0 and done.stderr == b"", done)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    check([answer["id"] for answer in answers] == [0, 1], answers)
    check(answers[1]["result"]["structuredContent"] == {"tasks": []}, answers)


def test_killed_server(lab):
    client = Client(lab)
    task = client.call("run", command="sleep 60 & sleep 61", wait_s=0)["id"]
    waiting = client.call("submit", command="touch never", after=[f"{task}:any"])["id"]
    started = time.monotonic()
    client.server.kill()
    client.server.wait()
    end = lab.await_end(task)
    check(time.monotonic() - started < 5, "its tasks end at once")
    check(end["outcome"]["reason"] == "owner-gone", end)
    check(lab.await_end(waiting)["outcome"]["kind"] == "not-started", "what waited does not start")
    check(not (lab.work / "never").exists(), "never")


def test_killed_client(lab):
    """A client that is killed, and whose pipe somebody else keeps open."""
    script = """
import os, subprocess, sys, time
s = subprocess.Popen([sys.argv[1], "mcp"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
keeper = subprocess.Popen(["sleep", "30"], pass_fds=[s.stdin.fileno(), s.stdout.fileno()])
print(s.pid, keeper.pid, flush=True)
time.sleep(60)
"""
    client = subprocess.Popen(
        [sys.executable, "-c", script, lab.bgt], env=lab.env, cwd=lab.work, stdout=subprocess.PIPE
    )
    server, keeper = map(int, client.stdout.readline().split())
    time.sleep(0.3)
    check(os.path.exists(f"/proc/{server}"), "it runs")
    client.kill()
    client.wait()
    started = time.monotonic()
    try:
        while is_alive(server):
            check(time.monotonic() - started < 1.5, "the server outlives its client")
            time.sleep(0.02)
    finally:
        os.kill(keeper, signal.SIGKILL)


def descriptors_of(pid: int):
    for fd in os.listdir(f"/proc/{pid}/fd"):
        try:
            yield os.readlink(f"/proc/{pid}/fd/{fd}")
        except FileNotFoundError:
            pass  # the pipe of a helper, whose end is seen only after its answer


def test_no_port(lab):
    with Client(lab) as client:
        client.call("run", command="true")
        links = list(descriptors_of(client.server.pid))
        check(len(links) >= 3, links)
        check(not any("socket" in link for link in links), links)
        status = Path(f"/proc/{client.server.pid}/status").read_text()
        check("Threads:\t1\n" in status, status)
