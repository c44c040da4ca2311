"""Resources and subscriptions, and the extension for tasks."""

from __future__ import annotations

import json
import time

from client import PREFIX, Client, check, eras


@eras
def test_resources(lab, era):
    with Client(lab, era) as client:
        task = client.call("run", command="echo hello; sleep 60", wait_s=0.3, name="web")["id"]

        def text(uri):
            contents = client.request("resources/read", uri=uri)["contents"]
            check(len(contents) == 1 and contents[0]["uri"] == uri, contents)
            return contents[0]["text"]

        check(json.loads(text("bgt://tasks"))["tasks"][0]["name"] == "web", "tasks")
        check(json.loads(text(f"bgt://task/{task}"))["command"][-1] == "echo hello; sleep 60", "task")
        check(text("bgt://task/web/log") == "hello\n", "log")
        check("sleep" in text(f"bgt://task/{task}/report"), "report")
        wrong = -32602 if era == "modern" else -32002
        for uri in ["bgt://task/99", "bgt://task/99/log", "bgt://", "file:///etc/passwd",
                    "bgt://task/../x", "bgt://task//log", "bgt://task/1/2", "bgt://task/%31"]:
            code = client.error("resources/read", uri=uri)
            check(code == wrong, (uri, code))
        check(client.error("resources/read") == -32602, "no URI")


def test_legacy_subscription(lab):
    with Client(lab) as client:
        task = client.call("run", command="sleep 1; echo x; sleep 60", wait_s=0)["id"]
        uri = f"bgt://task/{task}/log"
        check(client.request("resources/subscribe", uri=uri) == {}, "subscribed")
        told = client.read_until(lambda m: m.get("method") == "notifications/resources/updated")
        check(told["params"]["uri"] == uri, told)
        check(client.request("resources/unsubscribe", uri=uri) == {}, "unsubscribed")
        check(client.error("resources/subscribe", uri="bgt://x") == -32002, "no such resource")
        check(client.error("subscriptions/listen") == -32601, "of the other era")


def test_modern_subscription(lab):
    client = Client(lab, "modern")
    task = client.call("run", command="sleep 60", wait_s=0)["id"]
    uris = ["bgt://tasks", f"bgt://task/{task}", "bgt://task/99", "http://x/"]
    number = client.begin("subscriptions/listen", notifications={"resourceSubscriptions": uris})
    first = client.read_message()
    check(first["method"] == "notifications/subscriptions/acknowledged", first)
    check(first["params"]["notifications"]["resourceSubscriptions"] == uris[:2], first)
    check(first["params"]["_meta"][PREFIX + "subscriptionId"] == number, first)
    client.call("stop", ids=[task])
    while not any(n["params"].get("uri") == "bgt://tasks" for n in client.notifications):
        client.notifications.append(client.read_message(10))
    check(all(n["params"]["_meta"][PREFIX + "subscriptionId"] == number
              for n in client.notifications), client.notifications)
    check(client.error("resources/subscribe", uri="bgt://tasks") == -32601, "of the other era")
    client.server.stdin.close()
    closing = client.finish(number)
    check(closing["result"]["resultType"] == "complete", closing)
    check(client.server.wait(5) == 0, "exit code")



TASKS = {"extensions": {PREFIX + "tasks": {}}, "elicitation": {}}


def poll(client, task_id, statuses):
    deadline = time.monotonic() + 30
    while True:
        task = client.request("tasks/get", taskId=task_id)
        if task["status"] in statuses:
            return task
        check(time.monotonic() < deadline, task)
        time.sleep(0.1)


def test_task_extension(lab):
    with Client(lab, "modern", TASKS) as client:
        found = client.request("server/discover")["capabilities"]["extensions"]
        check(PREFIX + "tasks" in found, found)

        def start(**arguments):
            task = client.request("tools/call", name="run", arguments=arguments)
            check(task["resultType"] == "task" and task["status"] == "working", task)
            check(task["ttlMs"] is None and task["createdAt"] and task["lastUpdatedAt"], task)
            return task["taskId"]

        done = poll(client, start(command="echo well"), ["completed"])
        check(done["result"]["structuredContent"]["tail"] == "well\n", done)
        check(done["result"]["isError"] is False and done["resultType"] == "complete", done)
        failed = poll(client, start(command="exit 3"), ["completed"])
        check(failed["result"]["isError"] is True, failed)
        task = start(command="sleep 60")
        client.request("tasks/cancel", taskId=task)
        poll(client, task, ["cancelled"])
        task = start(command="printf 'name? '; read n; echo \"hi $n\"", interactive=True)
        asks = poll(client, task, ["input_required"])
        (key, question), = asks["inputRequests"].items()
        check(question["method"] == "elicitation/create", question)
        check(question["params"]["message"] == "name? ", question)
        client.request("tasks/update", taskId=task, inputResponses={"odd": {}})
        client.request("tasks/update", taskId=task, inputResponses={
            key: {"action": "accept", "content": {"text": "ann"}}})
        done = poll(client, task, ["completed"])
        check("hi ann" in done["result"]["structuredContent"]["tail"], done)
        for method in ["tasks/get", "tasks/cancel"]:
            check(client.error(method, taskId="99") == -32602, method)
            check(client.error(method, taskId="x") == -32602, method)
            check(client.error(method) == -32602, method)
        task = start(command="sleep 0.7")
        number = client.begin("subscriptions/listen", notifications={"taskIds": [task]})
        told = client.read_until(lambda m: m.get("method") == "notifications/tasks"
                                 and m["params"]["status"] == "completed")
        check(told["params"]["_meta"][PREFIX + "subscriptionId"] == number, told)
        client.send({"jsonrpc": "2.0", "method": "notifications/cancelled",
                     "params": {"requestId": number}})
    with Client(lab, "modern") as client:
        check(client.call("run", command="echo plain")["tail"] == "plain\n", "not declared")
        check(client.error("tasks/get", taskId="1") == -32021, "not declared")
        check(client.error("subscriptions/listen", notifications={"taskIds": ["1"]}) == -32021, "")
