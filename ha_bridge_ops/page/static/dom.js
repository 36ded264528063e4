// Building what is shown. Texts from the home are texts: never markup.

export const find = (selector, inside = document) => inside.querySelector(selector);
export const findAll = (selector, inside = document) => [...inside.querySelectorAll(selector)];

/** Make an element: tag.class, attributes, and what is in it. */
export function make(tag, attributes = {}, ...children) {
  const [name, ...classes] = tag.split(".");
  const element = document.createElement(name);
  element.classList.add(...classes);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (value !== false && value != null) element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child != null));
  return element;
}

export function fromTemplate(id) {
  return document.getElementById(id).content.firstElementChild.cloneNode(true);
}

export function setIcon(inside, name) {
  find("use", inside).setAttribute("href", `#icon-${name}`);
}

export function announce(text) {
  document.getElementById("live").textContent = text;
}

export async function copy(text, button) {
  const before = button.textContent;
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
  } catch {
    const area = make("textarea", { "aria-hidden": "true" });
    area.value = text;
    (button.closest("dialog") ?? document.body).append(area);
    area.select();
    button.textContent = document.execCommand("copy") ? "Copied" : "Select and copy it, please";
    area.remove();
  }
  announce(button.textContent);
  setTimeout(() => { button.textContent = before; }, 2000);
}

export function later(wait, run) {
  let timer;
  return (...values) => {
    clearTimeout(timer);
    timer = setTimeout(run, wait, ...values);
  };
}

/** A list of which only the beginning is built; the rest comes as one scrolls. */
export class LongList {
  constructor(list, makeItem, step = 60) {
    Object.assign(this, { list, makeItem, step, items: [], built: 0 });
    this.more = list.parentElement.querySelector(".more");
    find("[data-more]", this.more).addEventListener("click", () => this.grow());
    new IntersectionObserver((seen) => seen.some((one) => one.isIntersecting) && this.grow(),
      { rootMargin: "600px" }).observe(this.more);
  }

  show(items) {
    this.items = items;
    this.built = 0;
    this.list.replaceChildren();
    this.grow();
  }

  grow() {
    const next = this.items.slice(this.built, this.built + this.step);
    this.list.append(...next.map(this.makeItem));
    this.built += next.length;
    this.more.hidden = this.built >= this.items.length;
  }
}
