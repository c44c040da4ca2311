// The page of bgt serve: a list of tasks that is live, and one task beside it.

import { findToken, follow, forgetToken, get, Refused, setToken } from "./api.js";
import { $, setText } from "./dom.js";
import { Detail } from "./detail.js";
import { showQueues, showSchedules, TaskList } from "./list.js";

const list = new TaskList();
let detail = null;
let stream = null;

function chosen() {
  const found = /^#task=(\d+)$/.exec(location.hash);
  return found ? Number(found[1]) : 0;
}

function close() {
  const id = chosen();
  history.pushState(null, "", location.pathname);
  showChosen();
  document.querySelector(`a[href="#task=${id}"]`)?.focus();
}

async function showChosen() {
  const id = chosen();
  list.select(id);
  if (!id) return detail.clear();
  try {
    const task = list.task(id) ?? (await get(`/v1/tasks/${id}`));
    if (chosen() === id) detail.open(task);
  } catch (error) {
    setText($("connection"), error.message);
    detail.clear();
  }
}

function take(event, data) {
  if (event === "tasks") {
    list.reset(data.tasks);
    const open = data.tasks.find((task) => task.id === detail.id);
    if (open) detail.update(open);
    else list.select(chosen());
  } else if (event === "task") {
    list.update(data);
    if (detail.id === data.id) detail.update(data);
    list.select(chosen());
  } else if (event === "removed") {
    list.remove(data.id);
    if (detail.id === data.id) close();
  } else if (event === "queues") {
    showQueues(data);
  } else if (event === "schedules") {
    showSchedules(data);
  } else if (event === "usage") {
    list.use(data.tasks);
  }
  return true;
}

function tell(words) {
  setText($("connection"), words);
  $("connection").className = words === "live" ? "good" : "bad";
}

async function start() {
  if (!(await findToken())) return login();
  try {
    const server = await get("/v1/server");
    setText($("scope"), server.scope === "run" ? "" : `${server.scope} only`);
    document.title = `bgt - ${server.root}`;
    detail ??= new Detail(server.scope, close);
    await showChosen();
    stream = new AbortController();
    await follow("/v1/events?usage=2", stream.signal, take, tell);
  } catch (error) {
    tell(error.message);
    if (error instanceof Refused && error.status === 401) {
      forgetToken();
      login();
    }
  }
}

function login() {
  const dialog = $("login");
  dialog.addEventListener("close", () => {
    if ($("token").value) setToken($("token").value);
    $("token").value = "";
    start();
  }, { once: true });
  if (!dialog.open) dialog.showModal();
}

$("filter").addEventListener("input", () => list.filter($("filter").value));
addEventListener("hashchange", () => {
  if (location.hash.startsWith("#token=")) {
    stream?.abort();
    start();
  } else if (detail) showChosen();
});
addEventListener("popstate", () => detail && showChosen());
addEventListener("keydown", (event) => {
  const typing = event.target instanceof HTMLInputElement;
  if (event.key === "/" && !typing) {
    event.preventDefault();
    $("filter").focus();
  } else if (event.key === "Escape" && !document.querySelector("dialog[open]")) {
    if (typing) {
      event.target.value = "";
      event.target.dispatchEvent(new Event("input"));
      event.target.blur();
    }
    else if (detail?.id) close();
  }
});

start();
