// Tick, rename, and get the block.

import { post, Problem } from "./api.js";
import { copy, find, fromTemplate, later, LongList, make, setIcon } from "./dom.js";
import { devices, matching, onDevices } from "./home.js";

const KEY = "ha-bridge-choice";
// What was changed, by device: { off, name, category }. A reload keeps it.
let draft = {};
let list;

export function startChoose() {
  try {
    draft = JSON.parse(sessionStorage.getItem(KEY) ?? "{}");
  } catch {
    draft = {};
  }
  list = new LongList(find("#rows"), row);
  find("#choose-search").addEventListener("input", filter);
  find("#all").addEventListener("click", () => tick(true));
  find("#none").addEventListener("click", () => tick(false));
  find("#locale").addEventListener("change", ask);
  find("#copy-block").addEventListener("click", (event) => copy(find("#block").textContent, event.currentTarget));
  find("#reset").addEventListener("click", () => { draft = {}; changed(); filter(); });
  onDevices(() => { filter(); ask(); });
}

function filter() {
  const shown = matching(find("#choose-search").value);
  list.show(shown);
  find("#choose-shown").textContent = shown.length === devices.size ? "" : `${shown.length} of ${devices.size} devices`;
}

function tick(is) {
  for (const one of list.items) edit(one.id, { off: !is });
  changed();
  filter();
}

function edit(id, more) {
  draft[id] = { ...draft[id], ...more };
}

function changed() {
  sessionStorage.setItem(KEY, JSON.stringify(draft));
  ask();
}

function row(device) {
  const element = fromTemplate("row");
  const [box, name, category] = ["input[type=checkbox]", ".name", ".category"].map((one) => find(one, element));
  setIcon(element, device.icon);
  const labels = element.querySelectorAll("label .unseen");
  ["Alexa sees", "Name of", "Category of"].forEach((text, index) => { labels[index].textContent = `${text} ${device.name}`; });
  find(".entity", element).textContent = device.entity;
  category.append(document.getElementById("categories").content.cloneNode(true));
  if (device.category && ![...category.options].some((one) => one.value === device.category)) {
    category.append(make("option", { value: device.category }, device.category.toLowerCase()));
  }
  const own = draft[device.id] ?? {};
  box.checked = !own.off;
  name.value = own.name ?? device.name;
  category.value = own.category ?? device.category;
  const mark = () => {
    element.classList.toggle("off", !box.checked);
    element.classList.toggle("changed", name.value !== device.name || category.value !== device.category);
  };
  const take = () => {
    edit(device.id, { off: !box.checked, name: name.value || device.name, category: category.value });
    mark();
    changed();
  };
  for (const input of [box, name, category]) input.addEventListener("input", take);
  mark();
  return element;
}

const ask = later(150, async () => {
  const chosen = [...devices.values()].filter((one) => !draft[one.id]?.off).map((one) => ({
    id: one.id, name: draft[one.id]?.name ?? one.name, category: draft[one.id]?.category ?? one.category,
  }));
  const words = find("#words");
  try {
    const made = await post("/api/choice", { locale: find("#locale").value, chosen });
    words.textContent = made.words;
    find("#block").textContent = made.block;
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    words.textContent = error.message;
    find("#block").textContent = "";
  }
  find("#copy-block").disabled = !find("#block").textContent;
});
