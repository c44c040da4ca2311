// Elements from data. Text is only ever set as text.

export const $ = (id) => document.getElementById(id);

/** el("p", { class: "x", onclick: f }, "text", child) */
export function el(tag, properties = {}, ...children) {
  const out = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) out.addEventListener(name.slice(2), value);
    else out.setAttribute(name, value === true ? "" : value);
  }
  out.append(...children.filter((child) => child !== null && child !== undefined));
  return out;
}

/** Changes the text only where it is another one, so that what is selected stays so. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

const svg = "http://www.w3.org/2000/svg";

/** A small graph of numbers, the newest on the right. */
export class Sparkline {
  constructor(label) {
    this.label = label;
    this.values = [];
    this.line = document.createElementNS(svg, "polyline");
    this.root = document.createElementNS(svg, "svg");
    this.root.setAttribute("viewBox", "0 0 60 16");
    this.root.setAttribute("preserveAspectRatio", "none");
    this.root.setAttribute("class", "spark");
    this.root.setAttribute("role", "img");
    this.root.append(this.line);
    this.value = el("span", { class: "value" });
    this.element = el("span", { class: "usage" }, this.root, this.value);
  }

  push(value, text, least) {
    this.values.push(value);
    if (this.values.length > 60) this.values.shift();
    const top = Math.max(least, ...this.values);
    const from = 60 - this.values.length;
    this.line.setAttribute(
      "points",
      this.values.map((v, i) => `${from + i},${(15 - (14 * v) / top).toFixed(1)}`).join(" "),
    );
    setText(this.value, text);
    this.root.setAttribute("aria-label", `${this.label} ${text}`);
  }
}

export function sizeWords(bytes) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  while (bytes >= 1024 && unit < units.length - 1) {
    bytes /= 1024;
    unit += 1;
  }
  return `${bytes < 10 && unit > 0 ? bytes.toFixed(1) : Math.round(bytes)} ${units[unit]}`;
}

export function ageWords(seconds) {
  const s = Math.max(0, Math.round(seconds));
  if (s < 60) return `${s}s`;
  if (s < 3600) return `${Math.floor(s / 60)}m${String(s % 60).padStart(2, "0")}s`;
  if (s < 86400) return `${Math.floor(s / 3600)}h${String(Math.floor((s % 3600) / 60)).padStart(2, "0")}m`;
  return `${Math.floor(s / 86400)}d${Math.floor((s % 86400) / 3600)}h`;
}

/** Asks; resolves to whether it is to be done. */
export function ask(question, yes) {
  const dialog = $("ask");
  setText($("question"), question);
  setText($("yes"), yes);
  dialog.returnValue = "no";
  dialog.showModal();
  return new Promise((done) => {
    dialog.addEventListener("close", () => done(dialog.returnValue === "yes"), { once: true });
  });
}

let hiding = 0;
export function notice(text) {
  const box = $("notice");
  box.hidden = false;
  setText(box, text);
  clearTimeout(hiding);
  hiding = setTimeout(() => (box.hidden = true), 8000);
}
