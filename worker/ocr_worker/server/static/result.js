// What was read on a page: its picture with a box around each word, and the text beside it.

import { call } from "./api.js";
import { $, make } from "./dom.js";

const SURE = 85, FAIR = 60;
const SVG = "http://www.w3.org/2000/svg";
let shown = { words: [], at: -1, text: "" };

export function setUp(go) {
  $("page-before").onclick = () => go(-1);
  $("page-after").onclick = () => go(1);
  $("doubtful").onclick = nextDoubtful;
  $("copy").onclick = () => navigator.clipboard.writeText(shown.text);
  $("text").addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    choose(Math.min(shown.words.length - 1, Math.max(0, shown.at + step)), true);
  });
  document.addEventListener("keydown", (event) => {
    if ($("result").hidden || event.target.matches("input, select, #text *") || event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key === "ArrowLeft") go(-1);
    if (event.key === "ArrowRight") go(1);
    if (event.key === "n") nextDoubtful();
  });
}

export async function show(jobId, number, page) {
  const base = `/api/v1/jobs/${jobId}/files/${number}`;
  const [file, read] = await Promise.all([call("GET", base), call("GET", `${base}/pages/${page}`)]);
  $("result-title").textContent = file.name;
  $("result-back").replaceChildren(make("a", { href: `#/job/${jobId}` }, "← All files of the job"));
  $("page-number").textContent = `Page ${page} of ${read.page_count}`;
  $("page-before").disabled = page <= 1;
  $("page-after").disabled = page >= read.page_count;
  $("result-downloads").replaceChildren(
    ...file.outputs.map((kind) => make("a", { class: "button", href: `${base}/outputs/${kind}`, download: true }, kind.toUpperCase())),
  );
  $("picture").alt = `Page ${page} of ${file.name}`;
  $("picture").src = `${base}/pages/${page}/picture`;
  draw(read);
}

function draw(read) {
  const boxes = $("boxes"), text = [], words = [];
  boxes.setAttribute("viewBox", `0 0 ${read.width_px || 1} ${read.height_px || 1}`);
  boxes.setAttribute("preserveAspectRatio", "none");
  boxes.replaceChildren();
  let before = null;
  for (const line of read.lines) {
    if (before && (before.block !== line.block || before.paragraph !== line.paragraph)) text.push("\n");
    for (const word of line.words) {
      const at = words.length, grade = gradeOf(word.confidence);
      const box = document.createElementNS(SVG, "rect");
      const [left, top, right, bottom] = word.box_px;
      for (const [name, value] of Object.entries({ x: left, y: top, width: right - left, height: bottom - top, class: grade })) box.setAttribute(name, value);
      const span = make("span", { class: grade, tabindex: at ? -1 : 0, onfocus: () => choose(at, false), onclick: () => choose(at, true) }, word.text);
      box.addEventListener("click", () => choose(at, true));
      boxes.append(box);
      words.push({ word, box, span });
      text.push(span, " ");
    }
    text.push("\n");
    before = line;
  }
  $("text").replaceChildren(...(words.length ? text : [read.text || "No text was found on this page."]));
  $("word").textContent = "";
  shown = { words, at: -1, text: read.text };
}

const gradeOf = (confidence) => (confidence === null ? "own" : confidence >= SURE ? "good" : confidence >= FAIR ? "fair" : "poor");

function choose(at, focus) {
  const old = shown.words[shown.at], one = shown.words[at];
  if (!one) return;
  for (const part of [old?.box, old?.span]) part?.classList.remove("here");
  if (old) old.span.tabIndex = -1;
  shown.at = at;
  one.span.tabIndex = 0;
  for (const part of [one.box, one.span]) part.classList.add("here");
  one.box.scrollIntoView({ block: "nearest" });
  const sure = one.word.confidence === null ? "text of the file itself" : `${Math.round(one.word.confidence)} % sure`;
  $("word").textContent = `“${one.word.text}”: ${sure}`;
  if (focus) one.span.focus({ preventScroll: false });
}

function nextDoubtful() {
  const { words, at } = shown, isDoubtful = ({ word }) => word.confidence !== null && word.confidence < SURE;
  const order = [...words.keys()].map((step) => (at + 1 + step) % words.length);
  const next = order.find((place) => isDoubtful(words[place]));
  if (next === undefined) $("word").textContent = "No word of this page is doubtful.";
  else choose(next, true);
}
