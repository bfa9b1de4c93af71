// Put the page together: which part is shown is in the address, so that it survives a reload.

import { TokenNeeded, call } from "./api.js";
import * as chooser from "./chooser.js";
import { $, make } from "./dom.js";
import * as jobs from "./jobs.js";
import * as result from "./result.js";

const PARTS = ["desk", "job", "result", "found"];

function failed(error) {
  if (error instanceof TokenNeeded) {
    if (!$("login").open) $("login").showModal();
    return;
  }
  const away = error instanceof TypeError;
  $("state").textContent = away ? "The service is away; trying again …" : "";
  $("trouble").hidden = error === null || away;
  if (error !== null && !away) $("trouble").textContent = error.message;
}

async function route() {
  const [kind, ...rest] = window.location.hash.replace(/^#\/?/, "").split("/").map(decodeURIComponent);
  const part = kind === "job" && rest.length === 3 ? "result" : kind === "job" ? "job" : kind === "find" ? "found" : "desk";
  for (const name of PARTS) $(name).hidden = name !== part;
  $("trouble").hidden = true;
  try {
    await jobs.open(part === "job" ? rest[0] : null);
    if (part === "result") await result.show(rest[0], rest[1], Number(rest[2]));
    if (part === "found") await find(rest[0]);
    if (part === "desk") await jobs.refresh();
    else $(`${part}-title`).focus();
  } catch (error) {
    failed(error);
  }
}

async function find(wanted) {
  const { found, complete } = await call("GET", `/api/v1/search?q=${encodeURIComponent(wanted)}`);
  const count = `${found.length}${complete ? "" : " or more"} ${found.length === 1 ? "page" : "pages"}`;
  $("found-title").textContent = `“${wanted}”: ${count}`;
  $("found-list").replaceChildren(...found.map((one) => make("li", {},
    make("a", { href: `#/job/${one.job_id}/${one.number}/${one.page}` }, `${one.name}, page ${one.page}`),
    make("div", {}, `… ${one.excerpt} …`))));
}

function turn(step) {
  const parts = window.location.hash.split("/");
  const button = step < 0 ? $("page-before") : $("page-after");
  if (button.disabled) return;
  parts[parts.length - 1] = String(Number(parts[parts.length - 1]) + step);
  window.location.hash = parts.join("/");
}

async function begin() {
  try {
    await chooser.offerLanguages();
    await route();
  } catch (error) {
    failed(error);
  }
}

chooser.setUp((jobId) => { window.location.hash = `#/job/${jobId}`; }, failed);
jobs.setUp(failed);
result.setUp(turn);
$("search").onsubmit = (event) => {
  event.preventDefault();
  const wanted = $("search-words").value.trim();
  if (wanted) window.location.hash = `#/find/${encodeURIComponent(wanted)}`;
};
$("login").addEventListener("close", async () => {
  try {
    await call("POST", "/api/v1/session", { token: $("token").value });
    $("token").value = "";
    await begin();
  } catch (error) {
    failed(error);
  }
});
window.addEventListener("hashchange", route);
begin().then(jobs.poll);
