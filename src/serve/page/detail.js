// One task: what it is, why it is as it is, what has happened, its log, and what can be done.

import { call, get } from "./api.js";
import { $, ask, el, notice, setText, sizeWords } from "./dom.js";
import { ageOf, commandOf, isOver, label, tone } from "./list.js";
import { LogView } from "./log.js";

const scopes = ["read", "control", "run"];

export class Detail {
  constructor(scope, close) {
    this.allows = (wanted) => scopes.indexOf(scope) >= scopes.indexOf(wanted);
    this.close = close;
    this.root = $("detail");
    this.id = 0;
  }

  open(task) {
    if (this.id === task.id) return this.update(task);
    this.clear();
    this.id = task.id;
    this.root.hidden = false;
    document.body.classList.add("has-detail");
    this.title = el("h2", { tabindex: -1 });
    this.state = el("span", { class: "state" });
    this.actions = el("div", { class: "actions" });
    this.why = el("p", { class: "sentence" });
    this.next = el("p", { class: "next" });
    this.report = el("pre", { class: "report", hidden: true });
    this.facts = el("dl", {});
    this.events = el("ol", { class: "events" });
    this.log = new LogView(task.id, task.log?.bytes ?? 0);
    this.root.replaceChildren(
      el("div", { class: "top" },
        el("button", { class: "back", onclick: this.close, "aria-label": "Back to the list" }, "←"),
        this.title, this.state),
      this.actions, this.why, this.next, this.report, this.log.element,
      el("details", {}, el("summary", {}, "Details and events"), this.facts, this.events));
    this.key = "";
    this.update(task);
    this.title.focus({ preventScroll: true });
  }

  clear() {
    this.log?.close();
    this.log = null;
    this.asking?.abort();
    this.id = 0;
    this.root.hidden = true;
    this.root.replaceChildren();
    document.body.classList.remove("has-detail");
  }

  update(task) {
    this.task = task;
    setText(this.title, task.name ? `${task.id} ${task.name}` : `${task.id} ${commandOf(task)}`);
    setText(this.state, task.state);
    this.state.className = `state ${tone(task)}`;
    this.showFacts(task);
    const key = [task.state, task.attempt, task.paused].join();
    if (key === this.key) return;
    this.key = key;
    this.showActions(task);
    this.explain();
  }

  showFacts(task) {
    const facts = [
      ["Command", commandOf(task)],
      ["Folder", task.cwd],
      ["Age", ageOf(task)],
      ["Attempt", task.attempt > 1 ? String(task.attempt) : ""],
      ["Process", task.pid ? String(task.pid) : ""],
      ["Ports", (task.ports ?? []).join(", ")],
      ["Log", task.log ? sizeWords(task.log.bytes) : ""],
      ["Tags", Object.entries(task.tags ?? {}).map(([k, v]) => `${k}=${v}`).join(" ")],
      ["Started", task.started_at],
      ["Ended", task.ended_at],
      ["Problem", task.problem],
    ].filter(([, value]) => value);
    this.facts.replaceChildren(...facts.flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]));
  }

  showActions(task) {
    const over = isOver(task);
    const button = (text, act, kind) => el("button", { onclick: act, class: kind }, text);
    const buttons = [button("Report", () => this.showReport())];
    if (!over && this.allows("control")) {
      buttons.push(button("Stop", () => this.stop(false), "danger"));
      buttons.push(button("Kill now", () => this.stop(true), "danger"));
    }
    if (this.allows("run")) buttons.push(button("Restart", () => this.restart(), over ? "" : "danger"));
    const asksForInput = task.notices?.includes("waiting-input");
    if (!over && asksForInput && this.allows("control")) buttons.push(this.inputForm());
    this.actions.replaceChildren(...buttons);
  }

  inputForm() {
    const field = el("input", { "aria-label": "Text for its stdin", placeholder: "Its stdin", autocomplete: "off" });
    return el("form", {
      onsubmit: (event) => {
        event.preventDefault();
        this.act("send", { id: this.id, text: field.value, wait_s: 0 });
        field.value = "";
      },
    }, field, el("button", {}, "Send"));
  }

  async explain() {
    this.asking?.abort();
    this.asking = new AbortController();
    const { signal } = this.asking;
    try {
      const [why, whole] = await Promise.all([call("why", { id: this.id }, signal), get(`/v1/tasks/${this.id}`, signal)]);
      if (signal.aborted) return;
      setText(this.why, why.sentence + (why.cause ? ` (${why.cause})` : ""));
      setText(this.next, [why.not_ready?.join("; "), why.port_held_by, adviceOf(why)].filter(Boolean).join(" · "));
      this.events.replaceChildren(...whole.events.slice(-30).map(eventElement));
    } catch (error) {
      if (!signal.aborted) setText(this.why, error.message);
    }
  }

  async showReport() {
    this.report.hidden = !this.report.hidden;
    if (this.report.hidden) return;
    setText(this.report, "…");
    try {
      const why = await call("why", { id: this.id, detail: true });
      setText(this.report, why.report ?? [why.sentence, why.tail].filter(Boolean).join("\n\n"));
    } catch (error) {
      setText(this.report, error.message);
    }
  }

  async stop(now) {
    const how = now ? "Send SIGKILL at once to all processes of" : "End all processes of";
    if (await ask(`${how} task ${label(this.task)}?`, now ? "Kill" : "Stop"))
      this.act("stop", { ids: [this.id], now });
  }

  async restart() {
    const over = isOver(this.task);
    if (!over && !(await ask(`End the command of task ${label(this.task)} and start it again?`, "Restart"))) return;
    const answer = await this.act("restart", { id: this.id, wait_ready_s: 0 });
    if (answer && answer.id !== this.id) location.hash = `#task=${answer.id}`;
  }

  async act(operation, fields) {
    try {
      const answer = await call(operation, fields);
      if (answer.errors?.length) notice(answer.errors.join("; "));
      return answer;
    } catch (error) {
      notice(error.message);
      return null;
    }
  }
}

/** What to do next; a call of an operation has a button here. */
function adviceOf(why) {
  return /^(stop|restart|read|send) \{/.test(why.next ?? "") ? "" : why.next;
}

function eventElement({ at, event, ...more }) {
  const words = Object.entries(more).map(([key, value]) => `${key}=${value}`).join(" ");
  return el("li", {}, el("time", { datetime: at }, at.slice(11, 23)), ` ${event} ${words}`);
}
