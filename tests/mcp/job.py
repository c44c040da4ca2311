"""A whole job of a coding agent, with its bytes counted."""

from __future__ import annotations

import sys

from client import check, Checked, eras

from tools import SERVER

JOB_BYTES = 6 * 1024  # of all answers


@eras
def test_agents_job(lab, era):
    """Start a server, wait until it is ready, read, change, find why it hangs, end."""
    (lab.work / "page.txt").write_text("one\n")
    with Checked(lab, era) as client:
        client.received, texts = 0, 0

        def call(tool, **arguments):
            nonlocal texts
            result = client.call_result(tool, **arguments)
            texts += len(result["content"][0]["text"].encode())
            return result["structuredContent"]

        server = call("run", argv=[sys.executable, "-c", SERVER], name="web",
                      ready={"log": "listening on"})
        check(server["ready"] and "listening on http" in server["tail"], server)
        url = f"http://127.0.0.1:{server['ports'][0]}/"
        fetch = [sys.executable, "-c", f"import urllib.request as u;print(u.urlopen('{url}').read())"]
        check("one" in call("run", argv=fetch)["tail"], "the page")
        seen = call("read", id="web", cursor=server["cursor"])
        check(seen["text"] == "GET GET / HTTP/1.1\n", seen)
        (lab.work / "page.txt").write_text("two\n")
        check("two" in call("run", argv=fetch)["tail"], "the changed page")
        tests = call("run", command="echo 10 tests; echo 9 ok; echo 'not ok 10'; exit 1")
        check(tests["exit"] == 1, tests)
        job = call("run", command="echo building; sleep 600", wait_s=0.3)
        why = call("why", id=job["id"])
        check("sleep" in why["sentence"], why)
        late = call("wait", ids=[job["id"]], timeout_s=0.2)
        check(late["timed_out"], late)
        check([t["state"] for t in call("list")["tasks"]][:2] == ["ready", "running"], "list")
        ended = call("stop", mine=True)
        check(len(ended["tasks"]) == 2, ended)
        print(f"    {era}: 10 calls, {texts} bytes of answers, {client.received} on the wire")
        check(texts <= JOB_BYTES, f"{texts} bytes")
