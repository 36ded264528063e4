// The home: a card a device, its state, its hints, and a dialog to control it.

import { get, post, Problem } from "./api.js";
import { announce, find, fromTemplate, later, LongList, make, setIcon } from "./dom.js";
import { showFinding } from "./check.js";
import { onSent, showExamples, showSent } from "./talk.js";

export const devices = new Map();
const states = new Map();
const cards = new Map();
const listeners = [];
const waiting = new Set();
let list;
let open = null;

export const onDevices = (listen) => listeners.push(listen);

export function startHome() {
  list = new LongList(find("#cards"), card);
  for (const id of ["search", "kind", "hint"]) find(`#${id}`).addEventListener("input", filter);
  for (const id of ["again", "refresh"]) find(`#${id}`).addEventListener("click", discover);
  const dialog = find("#device");
  find("[data-close]", dialog).addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  dialog.addEventListener("close", () => { open = null; });
  onSent((sent) => learn(sent.endpoint.id));
  return discover();
}

export async function discover() {
  const parts = { looking: find("#looking"), failure: find("#failure"), found: find("#found") };
  const show = (name) => { for (const key in parts) parts[key].hidden = key !== name; };
  show("looking");
  const started = performance.now();
  const timer = setInterval(() => {
    find("#elapsed").textContent = `${Math.round((performance.now() - started) / 1000)} s`;
  }, 1000);
  try {
    const home = await get("/api/home");
    if (home.error) {
      show("failure");
      await fail(home);
      return;
    }
    const arrived = performance.now();
    take(home);
    show("found");
    filter();
    document.body.dataset.shownMs = Math.round(performance.now() - arrived);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    show("failure");
    find("#failure-type").textContent = "nothing";
    find("#failure-message").textContent = error.message;
  } finally {
    clearInterval(timer);
    find("#elapsed").textContent = "";
  }
}

async function fail(home) {
  find("#failure-type").textContent = home.error;
  find("#failure-message").textContent = home.message;
  const cause = find("#failure-cause");
  cause.replaceChildren(make("p.note", {}, "Looking for the cause …"));
  const { look } = await import("./check.js");
  const failed = (await look()).filter((one) => one.status === "failed");
  // A plain http address fails too, and stops nothing: what broke is further along.
  const reason = failed.find((one) => !/^(settings|address)\./.test(one.id)) ?? failed[0];
  cause.replaceChildren(reason ? showFinding(reason) : make("p.note", {}, "check finds nothing else wrong."));
}

// What one plays with first stands first; what can do nothing stands last.
const ORDER = ["light", "switch", "smartplug", "fan", "thermostat", "smartlock", "garage door", "door",
  "interior blind", "exterior blind", "tv", "speaker", "vacuum cleaner"];

const place = (one) => {
  if (one.abilities === "nothing") return ORDER.length + 1;
  const index = ORDER.indexOf(one.kind);
  return index < 0 ? ORDER.length : index;
};

function take(home) {
  devices.clear();
  states.clear();
  const words = new Intl.Collator(undefined, { numeric: true });
  home.endpoints.sort((a, b) => place(a) - place(b) || words.compare(a.kind, b.kind) || words.compare(a.name, b.name));
  for (const one of home.endpoints) {
    one.text = [one.name, one.kind, one.entity, one.abilities].join("\n").toLocaleLowerCase();
    devices.set(one.id, one);
  }
  showExamples(home.examples);
  const hinted = home.endpoints.filter((one) => one.troubles.length).length;
  const numbers = find("#numbers");
  numbers.replaceChildren(make("strong", {}, String(home.endpoints.length)),
    (home.endpoints.length > home.limit ? ` devices, more than the ${home.limit} that Alexa takes · `
      : ` of ${home.limit} devices that Alexa takes · `) + `${hinted} with hints · found in ${home.milliseconds} ms`);
  const meter = find("#meter");
  Object.assign(meter, { max: home.limit, high: home.limit * 0.8, optimum: 0, value: home.endpoints.length });
  options("#kind", home.endpoints.map((one) => one.kind));
  options("#hint", home.endpoints.flatMap((one) => [...new Set(one.troubles.map((t) => t.cause))]), HINTS,
    [["any", `Only with hints (${hinted})`]]);
  for (const listen of listeners) listen();
}

const HINTS = {
  bad_id: "id that Alexa refuses", bad_name: "name or text missing or too long", capabilities: "too much or nothing",
  category: "no category", duplicates: "the same name twice", group_word: "name of a room or group",
  hard: "hard to say", no_state: "no state to read", no_stream: "camera without stream",
  nothing: "nothing to control", same_id: "the same id twice",
};

function options(selector, values, words = {}, first = []) {
  const select = find(selector);
  const chosen = select.value;
  const counted = new Map();
  for (const value of values) counted.set(value, (counted.get(value) ?? 0) + 1);
  const sorted = [...counted].map(([value, count]) => [value, `${words[value] ?? value} (${count})`])
    .sort((a, b) => a[1].localeCompare(b[1]));
  select.replaceChildren(select.firstElementChild,
    ...[...first, ...sorted].map(([value, text]) => make("option", { value }, text)));
  select.value = [...select.options].some((one) => one.value === chosen) ? chosen : "";
}

export function matching(text) {
  const words = text.toLocaleLowerCase().split(/\s+/).filter(Boolean);
  return [...devices.values()].filter((one) => words.every((word) => one.text.includes(word)));
}

function filter() {
  const [kind, hint] = [find("#kind").value, find("#hint").value];
  const shown = matching(find("#search").value).filter((one) => (!kind || one.kind === kind)
    && (!hint || (hint === "any" ? one.troubles.length : one.troubles.some((t) => t.cause === hint))));
  cards.clear();
  list.show(shown);
  const all = shown.length === devices.size;
  const none = devices.size ? "No device is like that."
    : "Home Assistant offers Alexa no device. Check says what can be the cause.";
  find("#shown").textContent = shown.length ? (all ? "" : `${shown.length} of ${devices.size} devices`) : none;
}

// -- Cards

function card(device) {
  const element = fromTemplate("card");
  setIcon(element, device.icon);
  const name = find(".open", element);
  name.textContent = device.name;
  name.addEventListener("click", () => showDevice(device));
  find(".kind", element).textContent = device.kind === "none" ? "no category" : device.kind;
  find(".can", element).textContent = device.abilities === "nothing" ? "Alexa can do nothing with it" : device.abilities;
  if (device.troubles.length) {
    const hint = find(".hint", element);
    hint.hidden = false;
    hint.classList.toggle("bad", device.troubles.some((one) => one.status === "failed"));
    hint.lastElementChild.textContent = device.troubles.length === 1 ? "1 hint" : `${device.troubles.length} hints`;
    hint.title = device.troubles.map((one) => HINTS[one.cause] ?? one.cause).join(", ");
  }
  find(".switch", element).addEventListener("click", (event) => flip(device, event.currentTarget));
  cards.set(device.id, element);
  if (states.has(device.id)) paint(device.id);
  else seen.observe(element);
  element.dataset.id = device.id;
  return element;
}

// States are asked for when a card comes into sight: a home may have thousands.
const seen = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    if (!entry.isIntersecting) continue;
    seen.unobserve(entry.target);
    waiting.add(entry.target.dataset.id);
  }
  if (waiting.size) fetchStates();
}, { rootMargin: "200px" });

const fetchStates = later(30, async () => {
  while (waiting.size) {
    const ids = [...waiting].slice(0, 15);
    for (const id of ids) waiting.delete(id);
    try {
      const found = await post("/api/states", { ids });
      for (const [id, state] of Object.entries(found.states)) keep(id, state);
      for (const id of found.left ?? []) waiting.add(id); // a slow home: ask again
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
    }
  }
});

async function learn(id) {
  const found = await post("/api/states", { ids: [id] });
  if (found.states[id]) keep(id, found.states[id]);
}

function keep(id, state) {
  states.set(id, state);
  paint(id);
  if (open?.id === id) controls(open);
}

function paint(id) {
  const [element, state] = [cards.get(id), states.get(id)];
  if (!element || !state) return;
  find(".state", element).textContent = unbroken(state.summary || "no state");
  element.classList.toggle("is-on", state.power === "on");
  const button = find(".switch", element);
  const power = state.controls.find((one) => one.id === "Alexa.PowerController");
  // What opens something is asked about: not by a switch that one brushes.
  button.hidden = !power || power.choices.some((one) => one.opens);
  button.setAttribute("aria-checked", String(state.power === "on"));
  find(".unseen", button).textContent = `${devices.get(id).name}: power`;
}

async function flip(device, button) {
  const value = states.get(device.id)?.power === "on" ? "off" : "on";
  button.setAttribute("aria-checked", String(value === "on"));
  button.setAttribute("aria-busy", "true");
  try {
    await act(device, "Alexa.PowerController", value);
  } finally {
    button.removeAttribute("aria-busy");
    paint(device.id);
  }
}

async function act(device, control, value) {
  try {
    const done = await post("/api/act", { id: device.id, control, value });
    if (done) showSent(done.exchange, `${device.name}`);
    else await learn(device.id);
    return done?.exchange;
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    announce(error.message);
    if (open?.id !== device.id) showDevice(device);
    find("#device .exchange").replaceChildren(make("p.trouble", {}, error.message));
    if (states.has(device.id)) controls(device);
    return null;
  }
}

// -- The dialog

export function showDevice(device) {
  open = device;
  const dialog = find("#device");
  setIcon(dialog, device.icon);
  find("h2", dialog).textContent = device.name;
  find(".sub", dialog).textContent = `${device.kind} · ${device.entity} · ${device.abilities}`;
  find(".state", dialog).textContent = "…";
  find(".exchange", dialog).replaceChildren();
  find(".controls", dialog).replaceChildren();
  find(".hints", dialog).replaceChildren(...device.troubles.map(showFinding));
  if (states.has(device.id)) controls(device);
  learn(device.id).catch(() => {});
  if (!dialog.open) dialog.showModal();
}

function controls(device) {
  const dialog = find("#device");
  const state = states.get(device.id);
  const readings = state.readings.map((one) => `${one.label} ${one.text}`).join(" · ");
  find(".state", dialog).textContent = unbroken(readings || "It reports no state.");
  dialog.firstElementChild.classList.toggle("is-on", state.power === "on");
  find("header", dialog).classList.toggle("is-on", state.power === "on");
  const box = find(".controls", dialog);
  // Keep the focus where it was: the same control of the new state.
  const focused = document.activeElement?.dataset?.key;
  box.replaceChildren(...state.controls.map((one) => control(device, one)));
  if (focused) [...box.querySelectorAll("[data-key]")].find((one) => one.dataset.key === focused)?.focus();
}

function control(device, one) {
  const title = make("span.title", { id: `c-${one.id}` }, one.label);
  const set = make("div.set", { role: "group", "aria-labelledby": title.id }, ...KINDS[one.kind](device, one));
  return make("div.control", {}, title, set);
}

const tell = async (device, one, value) => {
  const sent = await act(device, one.id, value);
  if (sent && open?.id === device.id) find("#device .exchange").replaceChildren(sentView(sent));
};

let sentView = () => "";
export const useSentView = (view) => { sentView = view; };

const MANY = 8;

const KINDS = {
  choices(device, one) {
    if (one.choices.length > MANY) {
      const select = make("select", { "aria-label": one.label, "data-key": one.id,
        onchange: (event) => event.target.value && tell(device, one, event.target.value) },
        make("option", { value: "" }, "…"),
        ...one.choices.map((choice) => make("option", { value: choice.value, selected: choice.on }, choice.label)));
      return [select];
    }
    const hasState = one.choices.some((choice) => choice.on);
    return one.choices.map((choice) => make(choice.opens ? "button.opens" : "button", {
      type: "button", "data-key": `${one.id} ${choice.value}`, "data-value": choice.value,
      "aria-pressed": hasState ? String(choice.on) : false,
      onclick: () => tell(device, one, choice.value),
    }, choice.label));
  },
  scale(device, one) {
    const known = typeof one.value === "number";
    const value = known ? one.value : one.minimum;
    const output = make("output", {}, known ? `${round(value)} ${one.unit}` : "–");
    const send = later(350, (number) => tell(device, one, number));
    const input = make("input", {
      type: "range", min: one.minimum, max: one.maximum, step: one.step, value,
      "aria-label": one.label, "data-key": one.id,
      oninput: (event) => { output.textContent = `${round(event.target.valueAsNumber)} ${one.unit}`; },
      onchange: (event) => send(event.target.valueAsNumber),
    });
    input.value = value;
    return [input, output];
  },
  color(device, one) {
    return [make("input", {
      type: "color", value: one.value ?? "#ffffff", "aria-label": one.label, "data-key": one.id,
      onchange: (event) => tell(device, one, event.target.value),
    })];
  },
};

// 21 °C stays in one line.
const unbroken = (text) => text.replace(/ (?=[°%K])/g, "\u00a0");
const round = (number) => Math.round(number * 100) / 100;
