// The page of bgt serve in a real browser: what is seen, what is told, and that hostile text stays
// text. Needs playwright-core and a chromium; shots of both schemes and widths go to a folder.
//
// usage: node page.mjs BGT CHROMIUM [FOLDER]      the last line is "N passed, N failed"

import { execFileSync, spawn } from "node:child_process";
import { createRequire } from "node:module";
import { createServer } from "node:http";
import { mkdtempSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const [bgtPath, chromiumPath, shots] = process.argv.slice(2);
const bgt = resolve(bgtPath);
const { chromium } = createRequire(join(process.cwd(), "x.js"))("playwright-core");

const folder = mkdtempSync(join(tmpdir(), "bgt-page-"));
writeFileSync(join(folder, "xdg-open"), `#!/bin/sh\necho "$1" > ${folder}/url\n`, { mode: 0o755 });
const env = { PATH: `${folder}:${process.env.PATH}`, HOME: folder, LC_ALL: "C.UTF-8", BGT_ROOT: join(folder, "root") };
const run = (...words) => execFileSync(bgt, words, { env, cwd: folder, stdio: ["ignore", "pipe", "ignore"] }).toString();
const start = (...words) => Number(run("run", ...words));

let passed = 0, failed = 0;
function check(holds, what) {
  if (holds) passed += 1;
  else {
    failed += 1;
    console.log(`failed: ${what}`);
  }
}
async function within(ms, what, holds) {
  const end = Date.now() + ms;
  let last;
  while (Date.now() < end) {
    try {
      if (await holds()) return check(true, what);
    } catch (error) {
      last = error;
    }
    await new Promise((done) => setTimeout(done, 20));
  }
  check(false, `${what} (within ${ms} ms)${last ? `: ${last}` : ""}`);
}

const server = spawn(bgt, ["serve", "--open"], { env, cwd: folder, stdio: ["ignore", "pipe", "inherit"] });
const address = await new Promise((done) => server.stdout.once("data", (data) => done(data.toString().trim())));
const tokens = JSON.parse(readFileSync(join(env.BGT_ROOT, "serve.json"))).tokens;
const foreign = createServer((_, answer) => answer.end("<title>foreign</title>")).listen(0, "127.0.0.1");

const hostile = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>";
start("--name", "web", "--service", "--tag", "team=front", "--", "sh", "-c", "echo ready; while :; do sleep 1; echo tick; done");
start("--name", "build", "--", "sh", "-c", `echo "${hostile.replaceAll('"', '\\"')}"; for i in $(seq 60); do echo "[$i/60] compiling file$i.cpp"; sleep 1; done`);
start("--", "sh", "-c", "echo one; sleep 0.2; exit 3");
const large = start("--name", "large", "--", "seq", "1000000");
start("--name", "burn", "--", "sh", "-c", "while :; do :; done");
run("submit", "--queue", "reports", "--", "sleep", "300");
run("submit", "--queue", "reports", "--name", "waits", "--", "echo", hostile);

async function end() {
  await browser?.close();
  foreign.close();
  server.kill();
  run("kill", "--now", "--all");
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  console.log(`${passed} passed, ${failed} failed`);
  process.exit(failed ? 1 : 0);
}
process.on("uncaughtException", (error) => {
  check(false, error.stack);
  end();
});
const browser = await chromium.launch({
  executablePath: chromiumPath,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});
const complaints = [];
async function open(scheme, width, token, height = 800) {
  const context = await browser.newContext({ colorScheme: scheme, viewport: { width, height } });
  const page = await context.newPage();
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  await page.goto(`${address}/#token=${token}`);
  await page.waitForSelector("#connection.good");
  return page;
}
async function shot(page, name) {
  if (!shots) return;
  mkdirSync(shots, { recursive: true });
  await page.screenshot({ path: join(shots, `${name}.png`) });
}
const overflows = (page) => page.evaluate(() => document.documentElement.scrollWidth > innerWidth);

const page = await open("light", 1280, tokens.run);
check(!(await page.url()).includes("token"), "the token stays in the URL");
check((await page.locator("#tasks li").count()) === 7, "seven tasks are listed");
check(await page.getByText("No tasks.").isHidden(), "the empty text");
await within(6000, "graphs of CPU", async () => (await page.locator(".row .spark polyline[points]").count()) >= 4);
await within(3000, "a burning task", async () => /^\d\d+%$/.test(await page.locator("li", { hasText: "burn" }).locator(".value").first().textContent()));
await within(20000, "a progress bar", async () => (await page.locator("li", { hasText: "build" }).locator("progress").isVisible()));
check((await page.locator("#queues").textContent()).includes("reports"), "the queue");
run("schedule", "add", "nightly", "--cron", "30 2 * * *", "--", "true");
await within(1000, "a schedule with its next time", async () => /nightly.*:30/.test(await page.locator("#schedules").textContent()));
await shot(page, "list-light-1280");

// A change is on the page within 500 ms.
run("pause", "web");
await within(500, "a pause", async () => (await page.locator("li", { hasText: "web" }).locator(".state").textContent()) === "paused");
run("resume", "web");

// Hostile text stays text, in the list and in the log.
await page.locator("a", { hasText: "build" }).click();
await within(3000, "the log", async () => (await page.locator(".line").first().textContent()).includes("<img src=x onerror"));
check((await page.locator(".line img, .row img").count()) === 0, "no element comes of a log");
await within(5000, "the sentence", async () => (await page.locator(".sentence").textContent()).length > 5);
check((await page.title()).startsWith("bgt"), "no script of a log runs");
await within(3000, "it follows", async () => (await page.locator(".line").last().textContent()).includes("compiling"));
await shot(page, "task-light-1280");
await page.getByRole("button", { name: "Report" }).click();
await within(8000, "the report", async () => (await page.locator(".report").textContent()).length > 40);
await shot(page, "report-light-1280");

// A million lines.
await page.evaluate((id) => (location.hash = `#task=${id}`), large);
await within(15000, "a million lines", async () => (await page.locator(".info").textContent()) === "1,000,000 lines");
await within(3000, "the last one", async () => (await page.locator(".line").allTextContents()).includes("1000000"));
check((await page.locator(".line").count()) < 100, "only what is seen is an element");
await page.getByLabel("Search the log").fill("777777");
await within(5000, "the search", async () => (await page.locator(".count").textContent()) === "1 of 1");
await within(2000, "the match", async () => (await page.locator(".line.current").textContent()) === "777777");
await page.locator(".pane").evaluate((pane) => (pane.scrollTop = 0));
await within(2000, "the first line", async () => (await page.locator(".line").first().textContent()) === "1");
await shot(page, "large-light-1280");

// Keyboard: escape closes, arrows move, slash filters.
await page.keyboard.press("Escape");
await page.keyboard.press("Escape");
await within(2000, "it is closed", () => page.locator("#detail").isHidden());
await page.locator("#tasks a").first().focus();
await page.keyboard.press("ArrowDown");
check((await page.evaluate(() => document.activeElement.getAttribute("href"))) === "#task=2", "an arrow moves");
await page.keyboard.press("/");
await page.keyboard.type("team=front");
await within(2000, "the filter", async () => (await page.locator("#tasks li:visible").count()) === 1);
await page.keyboard.press("Escape");
await page.locator("#filter").fill("");

// An action that destroys is asked back.
await page.locator("a", { hasText: "burn" }).click();
await page.getByRole("button", { name: "Stop" }).click();
check(await page.locator("#ask").isVisible(), "it asks");
await shot(page, "ask-light-1280");
await page.getByRole("button", { name: "Cancel" }).click();
check((await page.locator("#detail .state").textContent()) === "running", "it is not stopped");
await page.getByRole("button", { name: "Stop" }).click();
await page.locator("#yes").click();
await within(8000, "it is stopped", async () => /killed|SIG/.test(await page.locator("#detail .state").textContent()));

// A token for reading gets no buttons that change anything; dark and narrow.
const dark = await open("dark", 1280, tokens.read);
await dark.locator("a", { hasText: "web" }).click();
await within(5000, "the sentence", async () => (await dark.locator(".sentence").textContent()).length > 5);
check((await dark.getByRole("button", { name: "Stop" }).count()) === 0, "no button to stop");
check((await dark.locator("#scope").textContent()) === "read only", "the scope is told");
await shot(dark, "task-dark-1280");
for (const scheme of ["light", "dark"]) {
  const narrow = await open(scheme, 360, tokens.run, 740);
  await within(6000, "graphs", async () => (await narrow.locator(".row .spark polyline[points]").count()) >= 2);
  check(!(await overflows(narrow)), `360 px are enough for the list (${scheme})`);
  await shot(narrow, `list-${scheme}-360`);
  await narrow.locator("a", { hasText: "build" }).click();
  await within(5000, "the sentence", async () => (await narrow.locator(".sentence").textContent()).length > 5);
  check(!(await overflows(narrow)), `360 px are enough for a task (${scheme})`);
  await shot(narrow, `task-${scheme}-360`);
}

// The page that --open opens gets the token for its code, once.
const invited = await (await browser.newContext()).newPage();
await invited.goto(readFileSync(join(folder, "url")).toString().trim());
await within(5000, "the page that is opened", () => invited.locator("#connection.good").isVisible());
check(!invited.url().includes("code"), "the code stays in the URL");
await invited.reload();
await within(5000, "it is loaded again", () => invited.locator("#connection.good").isVisible());

// A wrong token, and none.
check(complaints.length === 0, `the console: ${complaints.join(" | ")}`);
const other = await (await browser.newContext()).newPage();
await other.goto(`${address}/`);
await within(3000, "it asks for a token", () => other.locator("#login").isVisible());

// A page of another origin gets nothing, and a link on it leads nowhere.
await other.goto(`http://127.0.0.1:${foreign.address().port}/`);
const got = await other.evaluate(async ([url, token]) => {
  const out = [];
  for (const options of [{}, { mode: "no-cors" }, { headers: { Authorization: `Bearer ${token}` } }, { method: "POST", mode: "no-cors", body: "{}" }])
    try {
      const answer = await fetch(`${url}/v1/tasks`, options);
      out.push(`${answer.type} ${(await answer.text()).length}`);
    } catch (error) {
      out.push("refused");
    }
  return out;
}, [address, tokens.run]);
check(got.every((one) => one === "refused" || one === "opaque 0"), `a foreign page: ${got}`);
const refusal = other.waitForResponse((response) => response.url().startsWith(address));
await other.evaluate((url) => {
  const a = document.createElement("a");
  a.href = url;
  document.body.append(a);
  a.click();
}, address);
check((await refusal).status() === 403, "a link of a foreign page leads to the page");
await end();
