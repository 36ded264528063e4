// Asking ha-bridge, which asks the home.

import { find } from "./dom.js";

const csrf = find("meta[name=csrf]").content;

export class Problem extends Error {}

async function ask(path, options = {}) {
  const banner = document.getElementById("banner");
  let answer;
  try {
    answer = await fetch(path, { credentials: "same-origin", cache: "no-store", ...options });
  } catch {
    banner.textContent = "ha-bridge page has ended. Start it again, and open the new address.";
    banner.hidden = false;
    throw new Problem(banner.textContent);
  }
  banner.hidden = true;
  return answer;
}

async function read(answer) {
  const value = await answer.json().catch(() => ({ problem: "The answer cannot be read." }));
  if (!answer.ok && !value.question) throw new Problem(value.problem ?? "It was refused.");
  return value;
}

export const get = async (path) => read(await ask(path));

export const send = (path, body) => ask(path, {
  method: "POST",
  headers: { "Content-Type": "application/json", "X-CSRF-Token": csrf },
  body: JSON.stringify(body),
});

/** Post, and put the question if one is asked; null if the answer is no. */
export async function post(path, body) {
  const value = await read(await send(path, body));
  if (!value.question) return value;
  if (!await agrees(value.question)) return null;
  return read(await send(path, { ...body, agreed: true }));
}

function agrees(question) {
  const dialog = document.getElementById("confirm");
  find("#question", dialog).textContent = question;
  return new Promise((decide) => {
    const end = (is) => { dialog.close(); decide(is); };
    find("[data-yes]", dialog).onclick = () => end(true);
    find("[data-no]", dialog).onclick = () => end(false);
    dialog.oncancel = () => decide(false);
    dialog.showModal();
    find("[data-no]", dialog).focus();
  });
}

/** Post, and give each line of the answer as it comes. */
export async function* lines(path) {
  const answer = await send(path, {});
  if (!answer.ok) await read(answer);
  let rest = "";
  for await (const part of answer.body.pipeThrough(new TextDecoderStream())) {
    const found = (rest + part).split("\n");
    rest = found.pop();
    for (const line of found) yield JSON.parse(line);
  }
}
