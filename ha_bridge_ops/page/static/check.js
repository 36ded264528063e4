// The findings of ha-bridge check, as they come.

import { lines, Problem } from "./api.js";
import { find, make } from "./dom.js";

const SIGNS = { ok: ["✓", "fine"], warning: ["!", "warning"], failed: ["✗", "failed"], skipped: ["–", "skipped"] };

let running = null;

export function startCheck() {
  find("#look").addEventListener("click", look);
}

/** Look once, however often it is asked for meanwhile; return the findings. */
export function look() {
  running ??= walk().finally(() => { running = null; });
  return running;
}

async function walk() {
  const [box, now, button] = [find("#findings"), find("#check-now"), find("#look")];
  const found = [];
  const parts = new Map();
  box.replaceChildren();
  button.disabled = true;
  now.textContent = "Looking …";
  try {
    for await (const one of lines("/api/check")) {
      found.push(one);
      const part = one.id.split(".")[0];
      if (!parts.has(part)) {
        const title = document.getElementById("parts").content.querySelector(`[data-part="${CSS.escape(part)}"]`);
        parts.set(part, make("div.part", {}, title.cloneNode(true)));
        box.append(parts.get(part));
      }
      parts.get(part).append(line(one));
    }
    const count = (status) => found.filter((one) => one.status === status).length;
    now.textContent = `${count("failed")} failed, ${count("warning")} warning${count("warning") === 1 ? "" : "s"}, ${count("ok")} fine, ${count("skipped")} skipped`;
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    now.textContent = error.message;
  } finally {
    button.disabled = false;
  }
  return found;
}

function line(one) {
  const [sign, word] = SIGNS[one.status];
  const [first, ...others] = one.told;
  return make(`div.finding.${one.status}`, {},
    make("span.sign", { role: "img", "aria-label": word }, sign),
    make("span.id", {}, one.id),
    make("span.saw", {}, first ? first.saw : one.saw),
    first ? make("div.help", {}, ...help(first),
      ...others.flatMap((other) => [make("p.saw", {}, other.saw), ...help(other)])) : null);
}

const help = (one) => [
  one.means ? make("p", {}, one.means) : null,
  one.fix ? make("p.fix", {}, `→ ${one.fix}`) : null,
  one.paste ? make("pre", { tabindex: "0", "aria-label": "To paste" }, one.paste) : null,
].filter(Boolean);

/** A finding by itself: beside a device, or as the cause of a failure. */
export function showFinding(one) {
  return make(`div.trouble.${one.status}`, {}, make("p.saw", {}, one.saw), ...help(one));
}
