// The list of tasks, and the queues above it.

import { $, ageWords, el, setText, sizeWords, Sparkline } from "./dom.js";

export const label = (task) => (task.name ? `${task.id} ${task.name}` : `${task.id}`);
export const commandOf = (task) => (task.command ?? []).join(" ");
export const isOver = (task) => task.lifecycle === "ended" || task.lifecycle === "lost";

export function tone(task) {
  if (task.problem) return "bad";
  if (isOver(task)) {
    if (task.outcome?.exit_code === 0) return "faint";
    return task.outcome?.reason === "killed" ? "faint" : "bad";
  }
  if (task.notices?.length || task.paused) return "busy";
  return task.lifecycle === "running" ? "good" : "busy";
}

export function ageOf(task) {
  const from = Date.parse(task.started_at ?? task.created_at ?? "");
  if (Number.isNaN(from)) return "";
  const to = isOver(task) ? Date.parse(task.ended_at ?? "") : Date.now();
  return Number.isNaN(to) ? "" : ageWords((to - from) / 1000);
}

/** The living by their ids, then the ended, the newest first: as bgt ps lists them. */
function inOrder(a, b) {
  const over = isOver(a);
  if (over !== isOver(b)) return over ? 1 : -1;
  return over ? b.id - a.id : a.id - b.id;
}

class Row {
  constructor(id) {
    this.state = el("span", { class: "state" });
    this.name = el("span", { class: "name" });
    this.command = el("span", { class: "command" });
    this.age = el("span", { class: "age" });
    this.progress = el("progress", { max: 1, hidden: true, "aria-label": "progress" });
    this.cpu = new Sparkline("CPU");
    this.memory = new Sparkline("memory");
    this.ports = el("span", { class: "ports" });
    this.last = el("span", { class: "last" });
    this.usage = el("span", { class: "graphs" }, this.cpu.element, this.memory.element);
    this.link = el(
      "a",
      { href: `#task=${id}`, class: "row" },
      el("span", { class: "id" }, String(id)),
      this.state, this.name, this.command, this.age, this.progress, this.usage, this.ports, this.last,
    );
    this.element = el("li", {}, this.link);
  }

  show(task) {
    this.task = task;
    setText(this.state, task.state);
    this.state.className = `state ${tone(task)}`;
    setText(this.name, task.name ?? "");
    setText(this.command, commandOf(task) || task.problem || "");
    const fraction = isOver(task) ? null : task.progress?.fraction;
    this.progress.hidden = fraction === null || fraction === undefined;
    if (!this.progress.hidden) this.progress.value = fraction;
    setText(this.ports, (task.ports ?? []).map((port) => `:${port}`).join(" "));
    setText(this.last, task.last_line ?? "");
    this.usage.hidden = isOver(task);
    if (typeof task.rss_bytes === "number" && !isOver(task)) this.use(task);
    this.tick();
  }

  use({ cpu, rss_bytes }) {
    if (typeof cpu === "number") this.cpu.push(cpu, `${Math.round(cpu * 100)}%`, 1);
    if (typeof rss_bytes === "number") this.memory.push(rss_bytes, sizeWords(rss_bytes), 1 << 20);
  }

  tick() {
    setText(this.age, ageOf(this.task));
  }

  fits(words) {
    const task = this.task;
    const tags = Object.entries(task.tags ?? {}).map(([k, v]) => `${k}=${v}`);
    const text = [task.id, task.name, task.state, commandOf(task), ...tags].join(" ").toLowerCase();
    return words.every((word) => text.includes(word));
  }
}

export class TaskList {
  constructor() {
    this.rows = new Map();
    this.words = [];
    this.list = $("tasks");
    this.list.addEventListener("keydown", (event) => this.move(event));
    setInterval(() => {
      if (document.hidden) return;
      for (const row of this.rows.values()) if (!isOver(row.task)) row.tick();
    }, 1000);
  }

  reset(tasks) {
    const ids = new Set(tasks.map((task) => task.id));
    for (const id of [...this.rows.keys()]) if (!ids.has(id)) this.drop(id);
    for (const task of tasks) this.put(task);
    this.arrange();
  }

  update(task) {
    this.put(task);
    this.arrange();
  }

  put(task) {
    let row = this.rows.get(task.id);
    if (!row) this.rows.set(task.id, (row = new Row(task.id)));
    row.show(task);
  }

  remove(id) {
    this.drop(id);
    this.arrange();
  }

  drop(id) {
    this.rows.get(id)?.element.remove();
    this.rows.delete(id);
  }

  use(rows) {
    for (const one of rows) this.rows.get(one.id)?.use(one);
  }

  task(id) {
    return this.rows.get(id)?.task;
  }

  filter(text) {
    this.words = text.toLowerCase().split(/\s+/).filter(Boolean);
    this.arrange();
  }

  select(id) {
    for (const row of this.rows.values()) {
      if (row.task.id === id) row.link.setAttribute("aria-current", "true");
      else row.link.removeAttribute("aria-current");
    }
  }

  arrange() {
    const shown = [...this.rows.values()].sort((a, b) => inOrder(a.task, b.task));
    let place = this.list.firstElementChild;
    for (const row of shown) {
      row.element.hidden = !row.fits(this.words);
      if (row.element === place) place = place.nextElementSibling;
      else this.list.insertBefore(row.element, place);
    }
    $("empty").hidden = this.rows.size > 0;
  }

  /** Arrows, j and k move between the tasks. */
  move(event) {
    const step = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1 }[event.key];
    if (!step || event.ctrlKey || event.metaKey || event.altKey) return;
    const links = [...this.list.querySelectorAll("li:not([hidden]) > a")];
    const next = links[links.indexOf(document.activeElement) + step];
    if (next) next.focus();
    event.preventDefault();
  }
}

export function showQueues(answer) {
  const told = answer.queues.filter((queue) => queue.name !== "default" || queue.running || queue.waiting);
  const cards = told.map((queue) => {
    const busy = queue.running ?? 0, slots = queue.slots ?? 0;
    const words = `${busy} of ${slots} slots, ${queue.waiting ?? 0} waiting${queue.held ? `, ${queue.held} held` : ""}`;
    return el(
      "div",
      { class: "queue" },
      el("b", {}, queue.name),
      el("meter", { min: 0, max: Math.max(slots, 1), value: busy, "aria-label": `${queue.name}: ${words}` }),
      el("span", {}, words),
      queue.idle_because ? el("span", { class: "why" }, queue.idle_because) : null,
    );
  });
  $("queues").replaceChildren(...cards);
}

function nextWords(schedule) {
  if (schedule.problem) return `never: ${schedule.problem}`;
  if (schedule.over) return "never again";
  if (schedule.paused) return "paused";
  return schedule.next ? new Date(schedule.next).toLocaleString() : "";
}

export function showSchedules(answer) {
  const rows = answer.schedules.map((schedule) => el(
    "li",
    { class: "schedule" },
    el("b", {}, schedule.name),
    el("span", { class: "words" }, schedule.words),
    el("span", { class: schedule.problem ? "next bad" : "next" }, nextWords(schedule)),
    schedule.last ? el("a", { href: `#task=${schedule.last.task}` }, `task ${schedule.last.task}`) : null,
  ));
  $("schedules").replaceChildren(...rows);
}
