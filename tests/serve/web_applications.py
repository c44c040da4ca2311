"""The web applications of examples/ against a real server; each where its framework is there."""

from __future__ import annotations

import importlib.util
import json
import os
import sys
import time
from pathlib import Path

from client import PATIENCE, Server, check

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "examples"))


def has(module: str) -> bool:
    if importlib.util.find_spec(module):
        return True
    print(f"skipped: {module} is not installed")
    return False


def until_ended(get) -> dict:
    deadline = time.monotonic() + PATIENCE
    while True:
        report = get()
        if "output" in report:
            return report
        check(time.monotonic() < deadline, report)
        time.sleep(0.05)


def test_flask_app(lab):
    if not has("flask"):
        return
    os.environ["BGT_ROOT"] = str(lab.root)
    with Server(lab, "--listen", f"unix:{lab.folder}/sock") as server:
        import flask_app

        client = flask_app.app.test_client()
        made = client.post("/reports", json={"rows": 3})
        check(made.status_code == 202 and made.json == {"id": 1, "url": "/reports/1"}, made.json)
        done = until_ended(lambda: client.get("/reports/1").json)
        check(done["state"] == "exit 0" and done["output"] == "row 1\nrow 2\nrow 3\n", done)
        check(client.post("/reports", json={"rows": "x"}).status_code == 400, "bad input")
        lost = client.get("/reports/99")
        check(lost.status_code == 404 and lost.json["kind"] == "not-found", lost.json)
        client.post("/reports", json={"rows": 1000})
        check(client.delete("/reports/2").status_code == 204, "stop")
        check(lab.task(2)["lifecycle"] == "ended", "it is stopped")
        check(server.get("/v1/queues")["queues"], "queues")


def test_django_view(lab):
    if not has("django"):
        return
    os.environ["BGT_ROOT"] = str(lab.root)
    with Server(lab):
        import django_view
        from django.test import Client

        django_view.bgt = django_view.Client()
        client = Client()
        made = client.post("/reports", {"rows": "3"})
        check(made.status_code == 202, made.content)
        url = json.loads(made.content)["url"]
        done = until_ended(lambda: json.loads(client.get(url).content))
        check(done == {"state": "exit 0", "output": "1\n2\n3\n"}, done)
        check(client.post("/reports", {"rows": "0"}).status_code == 400, "bad input")
        check(client.get("/reports/99").status_code == 404, "no such task")
