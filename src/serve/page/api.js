// Requests to the server. The token comes in the fragment of the URL, is kept for this tab, and
// goes out in a header only.

const key = "bgt-token";
let token = "";

export class Refused extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

/** The token for the code with which bgt serve --open has opened this page. */
async function redeem(code) {
  history.replaceState(null, "", location.pathname);
  token = code;
  try {
    const answer = await call("token", {});
    sessionStorage.setItem(key, answer.token);
  } catch {
    // it has been used: the token of this tab may still be there
  }
}

export async function findToken() {
  const code = /^#code=([0-9a-f]{64})$/.exec(location.hash);
  if (code) await redeem(code[1]);
  const given = /^#token=([0-9a-f]{64})$/.exec(location.hash);
  if (given) {
    sessionStorage.setItem(key, given[1]);
    history.replaceState(null, "", location.pathname);
  }
  token = sessionStorage.getItem(key) ?? "";
  return token !== "";
}

export function setToken(text) {
  token = text.trim();
  sessionStorage.setItem(key, token);
}

export function forgetToken() {
  token = "";
  sessionStorage.removeItem(key);
}

async function request(path, options = {}) {
  const response = await fetch(path, {
    ...options,
    headers: { Authorization: `Bearer ${token}`, ...options.headers },
    credentials: "omit",
    cache: "no-store",
    redirect: "error",
  });
  if (response.ok) return response;
  let detail = `${response.status} ${response.statusText}`;
  try {
    detail = (await response.json()).detail ?? detail;
  } catch {
    // it is no JSON: the status has to do
  }
  throw new Refused(response.status, detail);
}

export async function get(path, signal) {
  return (await request(path, { signal })).json();
}

export async function call(operation, fields, signal) {
  const response = await request(`/v1/${operation}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(fields),
    signal,
  });
  return response.json();
}

/** Server-sent events until the stream ends. `take` gets (event, data, id). */
async function readEvents(path, lastId, signal, take) {
  const headers = lastId ? { "Last-Event-ID": lastId } : {};
  const response = await request(path, { headers, signal });
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let held = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    held += value;
    const parts = held.split("\n\n");
    held = parts.pop();
    for (const part of parts) {
      const fields = {};
      for (const line of part.split("\n")) {
        const colon = line.indexOf(": ");
        fields[line.slice(0, colon)] = line.slice(colon + 2);
      }
      take(fields.event, JSON.parse(fields.data), fields.id);
    }
  }
}

/** Goes on after each interruption, from the last event that came, until `take` returns false. */
export async function follow(path, signal, take, tell) {
  let last = "", pause = 250, over = false;
  while (!over && !signal.aborted) {
    try {
      await readEvents(path, last, signal, (event, data, id) => {
        pause = 250;
        last = id ?? last;
        tell("live");
        if (take(event, data) === false) over = true;
      });
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof Refused && error.status < 500) throw error;
    }
    if (over || signal.aborted) return;
    tell("not connected");
    await new Promise((done) => setTimeout(done, pause));
    pause = Math.min(pause * 2, 5000);
  }
}
