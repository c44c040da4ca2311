"""A Flask application whose jobs are tasks of bgt: they wait in a queue, outlive the application, and
can be looked at with `bgt ps`, `bgt why` and `bgt logs`.

    bgt queue set reports slots=2
    bgt serve &
    flask --app examples/flask_app run

    curl -X POST -H 'Content-Type: application/json' -d '{"rows": 3}' http://127.0.0.1:5000/reports
    curl http://127.0.0.1:5000/reports/1
"""

import sys

from bgt_client import Client, Problem
from flask import Flask, jsonify, request, url_for

app = Flask(__name__)
bgt = Client()

REPORT = """
import sys, time
for row in range(int(sys.argv[1])):
    print(f"row {row + 1}", flush=True)
    time.sleep(0.05)
"""


@app.errorhandler(Problem)
def problem(error):
    return jsonify(error=str(error), kind=error.kind), error.status


@app.post("/reports")
def submit():
    rows = (request.get_json() or {}).get("rows")
    if not isinstance(rows, int) or not 1 <= rows <= 1000:
        return jsonify(error="rows: expected 1 to 1000"), 400
    job = bgt.call(
        "submit",
        argv=[sys.executable, "-c", REPORT, str(rows)],
        queue="reports",
        keep=True,  # it goes on when `bgt serve` is restarted
    )
    return jsonify(id=job["id"], url=url_for("report", number=job["id"])), 202


@app.get("/reports/<int:number>")
def report(number):
    task = bgt.task(number)
    if task["lifecycle"] not in ("ended", "lost"):
        return jsonify(state=task["state"], last=task["last_line"])
    output = bgt.call("read", id=number, **{"from": "start"}, wait_s=0)
    return jsonify(state=task["state"], exit=task["outcome"]["exit_code"], output=output["text"])


@app.delete("/reports/<int:number>")
def stop(number):
    bgt.call("stop", ids=[number])
    return "", 204
