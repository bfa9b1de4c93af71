// Files for a new job: dropped, chosen, shown with check boxes, uploaded, started.

import { call, upload } from "./api.js";
import { $, make } from "./dom.js";

const AT_ONCE = 3;
const PICTURES = /^image\/(png|jpeg|gif|webp|bmp)$/;
const chosen = new Map();

export function setUp(started, failed) {
  $("pick-files").onclick = () => $("files").click();
  $("pick-folder").onclick = () => { $("folder").webkitdirectory = true; $("folder").click(); };
  for (const input of [$("files"), $("folder")]) {
    input.onchange = () => { add([...input.files]); input.value = ""; };
  }
  $("clear").onclick = clear;
  $("new").onsubmit = async (event) => {
    event.preventDefault();
    $("start").disabled = true;
    try {
      const jobId = await start();
      clear();
      started(jobId);
    } catch (error) {
      failed(error);
    }
    refresh();
  };
  const over = (event) => { event.preventDefault(); $("drop").classList.add("over"); };
  document.body.addEventListener("dragover", over);
  document.body.addEventListener("dragleave", () => $("drop").classList.remove("over"));
  document.body.addEventListener("drop", async (event) => {
    event.preventDefault();
    $("drop").classList.remove("over");
    const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
    add(entries.length ? (await Promise.all(entries.map(filesOf))).flat() : [...event.dataTransfer.files]);
  });
  refresh();
}

export async function offerLanguages() {
  const { languages } = await call("GET", "/api/v1/languages");
  $("languages").replaceChildren(
    ...languages.map((code) => make("option", { value: code, selected: code === "eng" }, code)),
  );
}

async function filesOf(entry) {
  if (entry.isFile) return [await new Promise((done, failed) => { entry.file(done, failed); })];
  const reader = entry.createReader(), found = [];
  for (;;) {
    const some = await new Promise((done, failed) => { reader.readEntries(done, failed); });
    if (!some.length) return (await Promise.all(found.map(filesOf))).flat();
    found.push(...some);
  }
}

function add(files) {
  for (const file of files) {
    if (file.name.startsWith(".")) continue;
    const address = PICTURES.test(file.type) ? URL.createObjectURL(file) : null;
    const box = make("input", { type: "checkbox", onchange: refresh });
    box.checked = true;
    const bar = make("progress", { max: Math.max(1, file.size), value: 0, hidden: true, "aria-label": `Upload of ${file.name}` });
    const look = address
      ? make("img", { src: address, alt: "", loading: "lazy" })
      : make("span", { class: "blank" }, file.name.split(".").pop().slice(0, 5));
    const item = make("li", {}, look, make("label", {}, box, file.name), bar);
    chosen.set(item, { file, box, bar, address, uploaded: null });
    $("chosen").append(item);
  }
  refresh();
}

function refresh() {
  const count = wanted().length;
  $("start").disabled = count === 0;
  $("start").textContent = count ? `Read ${count} ${count === 1 ? "file" : "files"}` : "Read";
  $("clear").hidden = chosen.size === 0;
}

const wanted = () => [...chosen.values()].filter((one) => one.box.checked);

function clear() {
  for (const { address } of chosen.values()) if (address) URL.revokeObjectURL(address);
  chosen.clear();
  $("chosen").replaceChildren();
  refresh();
}

async function start() {
  const waiting = wanted(), all = [...waiting];
  const worker = async () => {
    for (let one = waiting.shift(); one; one = waiting.shift()) {
      one.bar.hidden = false;
      one.uploaded ??= await upload(one.file, (bytes) => { one.bar.value = bytes; });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  const outputs = [...$("outputs").querySelectorAll(":checked")].map((box) => box.value);
  const languages = [...$("languages").selectedOptions].map((option) => option.value);
  const options = { outputs: [...outputs, "json"], existing_text: $("existing-text").value };
  if (languages.length) options.languages = languages;
  const files = all.map((one) => ({ upload: one.uploaded }));
  return (await call("POST", "/api/v1/jobs", { files, options })).job_id;
}
