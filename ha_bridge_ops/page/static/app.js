// The frame: one part at a time, chosen by the address.

import { find, findAll } from "./dom.js";
import { look, startCheck } from "./check.js";
import { startChoose } from "./choose.js";
import { startHome, useSentView } from "./home.js";
import { sentView, startTalk } from "./talk.js";

const NAMES = ["home", "talk", "choose", "check"];
let wasChecked = false;

function route(event) {
  const wanted = location.hash.slice(1);
  const name = NAMES.includes(wanted) ? wanted : "home";
  for (const one of NAMES) document.getElementById(one).hidden = one !== name;
  for (const link of findAll("nav a")) {
    if (link.hash === `#${name}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  if (name === "talk") find("#sentence").focus();
  else if (event) find("#main").focus();
  if (event) scrollTo(0, 0);
  if (name === "check" && !wasChecked) {
    wasChecked = true;
    look();
  }
}

useSentView(sentView);
startTalk();
startChoose();
startCheck();
addEventListener("hashchange", route);
route();
startHome();
