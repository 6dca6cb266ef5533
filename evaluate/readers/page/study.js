// The reading itself: which case, what is asked, the keys, and how an answer is kept.
//
// An answer gets its id here and is put into localStorage before it is sent, and leaves it when the
// server says that it is kept: after a crash or a lost reply the same answer is sent again, and the
// server keeps it once.

import { Pane } from "/viewer.js";

const CAPTIONS = { image: "", query: "radiograph", reconstruction: "nearest normal image",
  map: "map of differences", left: "left", right: "right" };
const AGAIN = 1500; // ms until an answer that was not kept is sent again
const element = (id) => document.getElementById(id);
let state, shown, panes = [], answer = {}, marks = [], linked = true, busy = false, onCard = null;
let readingSince = 0, readFor = 0, moved = 0;

async function ask(path, body) {
  const options = { headers: { "X-Reader-Study": "1" } };
  if (state) options.headers["X-Reader"] = state.reader; // two readers may share a browser
  if (body) {
    options.method = "POST";
    options.headers["Content-Type"] = "application/json";
    options.body = JSON.stringify(body);
  }
  const reply = await fetch(path, options);
  const found = await reply.json().catch(() => null);
  // A reply that was cut off is none, whatever its status: it is asked for again.
  if (!found) throw new Error(`error ${reply.status}`);
  if (!reply.ok) throw Object.assign(new Error(found.error), { status: reply.status });
  return found;
}

function show(id) {
  for (const part of ["reading", "login", "card"]) element(part).hidden = part !== id;
  document.body.dataset.shown = id;
}

// Login ---------------------------------------------------------------------------------------

async function begin() {
  const token = decodeURIComponent(location.hash.replace(/^#token=/, ""));
  if (token) {
    history.replaceState(null, "", "/"); // not into the history of the browser
    element("token").value = token;
    if (await login()) return;
  } else {
    try {
      state = await ask("/api/state");
      return await entered();
    } catch (error) {
      if (error.status !== 401) element("login-message").textContent = error.message;
    }
  }
  show("login");
  element(token ? "password" : "token").focus();
}

async function login() {
  try {
    const given = { token: element("token").value.trim(), password: element("password").value };
    state = undefined;
    await ask("/api/login", given);
    state = await ask("/api/state");
    element("token").value = element("password").value = "";
    await entered();
    return true;
  } catch (error) {
    element("password-label").hidden &&= error.message !== "password needed";
    element("login-message").textContent = error.message;
    return false;
  }
}

async function entered() {
  document.title = element("title").textContent = state.title;
  const kept = localStorage.getItem(pendingKey());
  if (kept) await send(JSON.parse(kept));
  if (document.body.dataset.shown === "login" && kept && localStorage.getItem(pendingKey())) return;
  const done = state.done.filter(Boolean).length;
  if (state.first_open === state.count) return finished();
  const training = state.training ? ` The first ${state.training === 1 ? "one is" : `${state.training} are`} for training: the right answer is told, and nothing counts.` : "";
  const text = done ? `${done} of ${state.count} cases are answered. You go on with case ${state.first_open + 1}.`
    : `${state.count} cases.${training} Every answer is kept at once: stop whenever you like, and go on with the same link.`;
  card(done ? "Welcome back" : state.title, [state.text, text], done ? "Go on" : "Begin", () => open(state.first_open));
}

function leave(error) {
  element("login-message").textContent = error.message;
  show("login");
}

function card(title, paragraphs, button, go) {
  element("card-title").textContent = title;
  element("card-text").replaceChildren(...paragraphs.map((text) => {
    const paragraph = document.createElement("p");
    paragraph.textContent = text;
    return paragraph;
  }));
  element("card-go").hidden = !button;
  if (button) element("card-go").firstChild.textContent = `${button} `;
  onCard = go;
  progress();
  show("card");
}

function finished() {
  shown = null;
  card("All cases are answered", ["Thank you. Nothing is left to do; Page up shows the cases again."], "", null);
}

function progress() {
  const done = state.done.filter(Boolean).length;
  element("progress").max = state.count;
  element("progress").value = done;
  element("place").textContent = shown ? `case ${shown.position + 1} of ${state.count}, ${done} answered` : "";
}

// A case --------------------------------------------------------------------------------------

async function open(position, view) {
  if (busy) return;
  busy = true; // also while it is asked for again: a key would answer the case before
  try {
    const [next, images] = await fetched(position);
    shown = next;
    answer = { ...(next.answer || {}) };
    marks = (answer.marks || []).map((mark) => ({ ...mark }));
    delete answer.marks;
    message(next.answer && !next.locked ? "Saved; answer again to change it." : "");
    show("reading");
    hang(next.panes, images, view || next.display?.[next.panes[0]]);
    readFor = 0;
    readingSince = performance.now();
  } catch (error) {
    busy = false;
    return error.status === 401 ? leave(error) : message(error.message, true);
  }
  busy = false;
  update();
  document.body.dataset.position = `${shown.position} ${shown.phase}`;
}

async function fetched(position) {
  for (;;) {
    try {
      const next = await ask(`/api/case/${position}`);
      return [next, await Promise.all(next.panes.map((name) => load(`/image/${position}/${name}`)))];
    } catch (error) {
      if (error.status) throw error;
      message("The server does not answer; the case is asked for again until it does.", true);
      await new Promise((done) => setTimeout(done, AGAIN));
    }
  }
}

async function load(url) {
  const reply = await fetch(url);
  if (!reply.ok) throw Object.assign(new Error("an image can't be shown"), { status: reply.status });
  return createImageBitmap(await reply.blob());
}

function hang(names, images, view) {
  const hooks = (name) => ({ caption: CAPTIONS[name] ?? name, changed: spread,
    clicked: (pane, point) => { if (state.marks && pane === panes[0]) { panes[0].cross = point; mark(); } } });
  panes = names.map((name, index) => new Pane(name, images[index], hooks(name)));
  element("panes").replaceChildren(...panes.map((pane) => pane.figure));
  if (state.marks) panes[0].cross = { x: 0.5, y: 0.5 };
  for (const pane of panes) {
    if (view) pane.view = { ...pane.view, ...view };
    pane.resize();
  }
}

function spread(from) {
  if (linked) for (const pane of panes) if (pane !== from) pane.set({ ...from.view });
  said();
}

function update() {
  element("prompt").textContent = shown.prompt ? `Finding: ${shown.prompt}` : "";
  const notes = [];
  if (shown.training) notes.push("Training: does not count.");
  if (shown.phases.length > 1) notes.push(shown.phase === shown.phases[0] ? "First reading: the radiograph alone." : "Second reading: with the map.");
  const before = Object.values(shown.earlier)[0];
  if (before) notes.push(`You answered: ${state.questions.map((question) => question.choices.find(([value]) => value === before[question.name])[1]).join(", ")}.`);
  if (shown.feedback) notes.push(shown.feedback);
  element("note").textContent = notes.join(" ");
  element("questions").replaceChildren(...state.questions.map((question) => {
    const field = document.createElement("fieldset");
    const legend = document.createElement("legend");
    legend.textContent = question.text;
    field.append(legend, ...question.choices.map(([value, text, key]) => {
      const button = document.createElement("button");
      button.type = "button";
      button.dataset.key = key;
      button.disabled = shown.locked;
      button.setAttribute("aria-pressed", answer[question.name] === value);
      const label = document.createElement("kbd");
      label.textContent = key.toUpperCase();
      button.append(text, label);
      return button;
    }));
    return field;
  }));
  if (state.marks && !shown.locked) {
    const hint = document.createElement("p");
    hint.textContent = `${marks.length} marked. Where? Click, or arrow keys and Space; Backspace takes the last mark back. A digit after a mark is its confidence.`;
    element("questions").append(hint);
  }
  if (panes[0]) {
    panes[0].marks = marks;
    panes[0].draw();
  }
  element("commit").disabled = busy || !(complete() || shown.locked);
  element("commit").firstChild.textContent = shown.locked ? "Next " : "Save ";
  progress();
  said();
}

function said() {
  const view = panes[0]?.view;
  if (view) element("window").textContent = `Window ${Math.round(view.width)}, level ${Math.round(view.center)}${view.invert ? ", inverted" : ""}, zoom ${view.zoom.toFixed(1)}${panes.length > 1 ? (linked ? ", linked" : ", not linked") : ""}`;
}

function message(text, bad = false) {
  element("message").textContent = text;
  element("message").className = bad ? "bad" : "";
}

// Answers -------------------------------------------------------------------------------------

function complete() {
  const all = state.questions.every((question) => question.name in answer);
  return all && (!state.marks || (answer[state.marks[0]] === state.marks[1]) === marks.length > 0);
}

function choose(name, value) {
  if (shown.locked) return;
  answer[name] = value;
  if (state.marks && name === state.marks[0] && value !== state.marks[1]) marks = [];
  if (name === "confidence" && marks.length) marks[marks.length - 1].confidence = value;
  update();
}

function mark() {
  if (shown.locked || marks.length >= 20) return;
  answer[state.marks[0]] = state.marks[1];
  answer.confidence ??= 3;
  marks.push({ ...panes[0].cross, confidence: answer.confidence });
  update();
}

async function commit() {
  if (busy) return;
  if (shown.locked) return onward();
  if (!complete()) return message(state.marks && answer[state.marks[0]] === state.marks[1] ? "Mark where it is." : "Something is not answered yet.", true);
  const seconds = (readFor + (document.hidden ? 0 : performance.now() - readingSince)) / 1000;
  const display = Object.fromEntries(panes.map((pane) => [pane.name, pane.view]));
  const given = { id: newId(), position: shown.position, phase: shown.phase, revision: shown.revision,
    answer: state.marks ? { ...answer, marks } : answer, display, seconds };
  localStorage.setItem(pendingKey(), JSON.stringify(given));
  const kept = await send(given);
  if (!kept) return document.body.dataset.shown === "reading" && again();
  const phase = shown.phases.indexOf(shown.phase) + 1;
  if (phase < shown.phases.length || shown.training) return open(shown.position, panes[0].view);
  onward();
}

// What the server has, beside why the answer was not taken.
async function again() {
  const why = element("message").textContent;
  await open(shown.position);
  message(why, true);
}

function onward() {
  for (let step = 1; step <= state.count; step++) {
    const position = (shown.position + step) % state.count;
    if (!state.done[position]) return open(state.training > state.first_open ? state.first_open : position);
  }
  finished();
}

// Sends an answer until the server has it; false where it was not taken.
async function send(given) {
  busy = true;
  if (shown) update();
  try {
    for (;;) {
      try {
        state = await ask("/api/answer", given);
        localStorage.removeItem(pendingKey());
        return true;
      } catch (error) {
        if (error.status === 401) { leave(error); return false; } // sent after the next login
        if (error.status && error.status < 500) {
          localStorage.removeItem(pendingKey());
          state = await ask("/api/state");
          message(error.message, true);
          return false;
        }
        message(`Not saved yet (${error.message}); it is sent again until it is. Leave the page open.`, true);
        await new Promise((done) => setTimeout(done, AGAIN));
      }
    }
  } finally {
    busy = false;
  }
}

function pendingKey() { return `pending ${state.study} ${state.reader}`; }

function newId() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

// Keys ----------------------------------------------------------------------------------------

const EVERYWHERE = {
  PageUp: ["previous case", () => open(shown ? Math.max(shown.position - 1, 0) : state.count - 1)],
  PageDown: ["next case", () => shown && open(Math.min(shown.position + 1, state.count - 1))],
  End: ["first case that is not answered", () => (state.first_open < state.count ? open(state.first_open) : finished())],
  "+": ["zoom in", () => zoom(1.25)],
  "-": ["zoom out", () => zoom(0.8)],
  "[": ["window narrower", () => view((one) => ({ width: one.width / 1.1 }))],
  "]": ["window wider", () => view((one) => ({ width: one.width * 1.1 }))],
  ",": ["darker", () => view((one) => ({ center: one.center + 5 }))],
  ".": ["brighter", () => view((one) => ({ center: one.center - 5 }))],
  i: ["invert", () => view((one) => ({ invert: !one.invert }))],
  0: ["reset window, zoom and place", () => { for (const pane of panes) pane.reset(); said(); }],
  k: ["link the images, or let them go", () => { linked = !linked; if (linked) spread(panes[0]); said(); }],
};
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

function view(change) {
  if (!panes.length) return;
  panes[0].set(change(panes[0].view));
  spread(panes[0]);
}

function zoom(factor) {
  if (!panes.length) return;
  panes[0].zoom(factor);
  spread(panes[0]);
}

function arrow([dx, dy], fast) {
  const { cross } = panes[0];
  if (!cross || fast) return view((one) => ({ x: one.x - 0.05 * dx, y: one.y - 0.05 * dy }));
  // Steps grow while the key is held.
  moved = Math.min(moved + 1, 12);
  const step = 0.005 * Math.ceil(moved / 3);
  cross.x = Math.min(Math.max(cross.x + step * dx, 0), 1);
  cross.y = Math.min(Math.max(cross.y + step * dy, 0), 1);
  panes[0].draw();
}

function press(key, shift) {
  const help = element("help");
  if (key === "?" || (key === "Escape" && help.open)) return help.open ? help.close() : helped();
  if (help.open || busy || !state || document.body.dataset.shown === "login") return;
  if (document.body.dataset.shown === "card") {
    if (key === "Enter" && onCard) return onCard();
    if (["PageUp", "End"].includes(key) && !onCard) return EVERYWHERE[key][1]();
    return;
  }
  if (key === "Enter") return commit();
  for (const question of state.questions) {
    for (const [value, , own] of question.choices) if (key.toLowerCase() === own) return choose(question.name, value);
  }
  if (state.marks && key === " ") return mark();
  if (state.marks && key === "Backspace") { if (!shown.locked) marks.pop(); return update(); }
  if (key in ARROWS) return arrow(ARROWS[key], shift);
  if (key === "=") key = "+";
  EVERYWHERE[key]?.[1]();
}

function helped() {
  const rows = [];
  for (const question of state?.questions || []) for (const [, text, key] of question.choices) rows.push([key.toUpperCase(), `${question.text} ${text}`]);
  rows.push(["Enter", "save and go on"]);
  if (state?.marks) rows.push(["arrows, Space, Backspace", "move the cross, mark there, take the last mark back"]);
  rows.push([state?.marks ? "Shift + arrows" : "arrows", "move the image"]);
  for (const [key, [text]] of Object.entries(EVERYWHERE)) rows.push([{ PageUp: "Page up", PageDown: "Page down" }[key] || key, text]);
  element("keys").replaceChildren(...rows.map((cells) => {
    const row = document.createElement("tr");
    for (const [index, cell] of cells.entries()) {
      const data = document.createElement("td");
      const inner = index ? data : data.appendChild(document.createElement("kbd"));
      inner.textContent = cell;
      row.append(data);
    }
    return row;
  }));
  element("help").showModal();
  element("help").scrollTop = 0;
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.tagName === "INPUT") return;
  const ours = [" ", "Enter", "Backspace", "PageUp", "PageDown", "End", "Escape", "?", "/"];
  if (ours.includes(event.key) || event.key in ARROWS) event.preventDefault();
  // A key that is held saves once and answers once.
  if (event.repeat && !(event.key in ARROWS) && !["+", "=", "-", "[", "]", ",", "."].includes(event.key)) return;
  press(event.key, event.shiftKey);
});
document.addEventListener("keyup", () => { moved = 0; });
document.addEventListener("click", (event) => {
  const key = event.target.closest("[data-key]")?.dataset.key;
  if (!key) return;
  document.activeElement?.blur(); // or Enter would press the button again
  press(key, false);
});
document.addEventListener("visibilitychange", () => {
  if (document.hidden) readFor += performance.now() - readingSince;
  else readingSince = performance.now();
});
window.addEventListener("hashchange", () => location.reload()); // another link in the same tab
window.addEventListener("resize", () => panes.forEach((pane) => pane.resize()));
element("token-form").addEventListener("submit", (event) => {
  event.preventDefault();
  login();
});
begin();
