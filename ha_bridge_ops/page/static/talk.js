// Sentences, and what became of everything that was sent.

import { post, Problem } from "./api.js";
import { announce, copy, find, findAll, fromTemplate, make } from "./dom.js";

const listeners = [];
const KEPT = 50;

export const onSent = (listen) => listeners.push(listen);

export function startTalk() {
  const input = find("#sentence");
  find("#say").addEventListener("submit", (event) => {
    event.preventDefault();
    say(input.value);
  });
}

/** Offer sentences that mean something in this home. */
export function showExamples(sentences) {
  const input = find("#sentence");
  const chip = (sentence) => make("button.chip", {
    type: "button", "data-example": "", onclick: () => {
      input.value = sentence;
      say(sentence);
    },
  }, sentence);
  input.placeholder = sentences[0] ?? "";
  find("#examples").hidden = !sentences.length;
  find("#examples").replaceChildren(make("span", {}, "Such as"), ...sentences.map(chip));
}

export async function say(sentence, id) {
  const answer = find("#answer");
  answer.replaceChildren(make("p.note", {}, "…"));
  try {
    const done = await post("/api/say", { sentence, id });
    if (!done) {
      answer.replaceChildren(make("p.note", {}, "Nothing was sent."));
      return;
    }
    answer.replaceChildren(...reply(sentence, done));
    if (done.exchange) showSent(done.exchange, sentence);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    answer.replaceChildren(make("p.trouble.reply", {}, error.message));
  }
}

function reply(sentence, done) {
  const parts = [];
  if (done.problem) parts.push(make("p.problem", {}, done.problem));
  if (done.others.length) {
    parts.push(make("p.note", {}, done.exchange
      ? "A name like that is near these too:" : "Which one is meant?"));
    parts.push(make("p.buttons", {}, ...done.others.map((one) => make("button.chip", {
      type: "button", "data-other": one.id, onclick: () => say(sentence, one.id),
    }, `${one.name} (${one.kind})`))));
  }
  return parts.length ? [make("div.reply", {}, ...parts)] : [];
}

/** Put what was sent on top of the history, and tell whoever wants to know. */
export function showSent(sent, said) {
  const history = find("#history");
  history.prepend(make("li", {}, make("p.said", {}, `“${said}” → ${sent.endpoint.name}`), sentView(sent)));
  while (history.children.length > KEPT) history.lastElementChild.remove();
  announce(`${sent.name}: ${sent.says}`);
  for (const listen of listeners) listen(sent);
}

export function sentView(sent) {
  const view = fromTemplate("sent");
  view.classList.toggle("bad", Boolean(sent.error));
  find(".says span", view).textContent = `Alexa would likely say: “${sent.says}”`;
  const time = `${sent.name} · ${sent.error || "answered"} in ${sent.milliseconds} ms`;
  find(".meta", view).textContent = sent.settled ? time : `${time} · it is still moving`;
  const changes = find(".changes", view);
  find("tbody", changes).append(...sent.changes.map((one) => make("tr", {},
    make("th", { scope: "row" }, one.label), make("td", {}, one.before || "–"), make("td", {}, one.after || "–"))));
  if (!sent.changes.length) {
    changes.replaceWith(make("p.meta.same", {}, sent.state.summary
      ? `State: ${sent.state.summary}${sent.name === "ReportState" ? "" : ", as before"}` : "It reports no state."));
  }
  const texts = [JSON.stringify(sent.directive, null, 2), JSON.stringify(sent.answer, null, 2), sent.log || "–"];
  findAll("pre", view).forEach((pre, index) => {
    pre.textContent = texts[index];
    pre.setAttribute("aria-label", pre.previousElementSibling.textContent);
  });
  find("[data-copy]", view).addEventListener("click", (event) => copy(sent.file, event.currentTarget));
  return view;
}
