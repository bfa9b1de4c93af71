// The list of jobs, one job with its files, and the orders that can be given.

import { call, watch } from "./api.js";
import { $, button, clock, make, plural, words } from "./dom.js";

const POLL_MS = 2500;
const WATCHED = 3;
const ACTIVE = ["queued", "running", "paused"];
const SHOWN_FILES = 200;
const known = new Map();
const watches = new Map();
let fail = () => {};
let opened = null;

export function setUp(failed) {
  fail = failed;
}

export async function poll() {
  for (;;) {
    if (!document.hidden) await refresh();
    await new Promise((done) => { setTimeout(done, POLL_MS); });
  }
}

export async function refresh() {
  try {
    const { jobs } = await call("GET", "/api/v1/jobs?limit=50");
    for (const id of [...known.keys()]) if (!jobs.some((job) => job.job_id === id)) known.delete(id);
    for (const job of jobs) take(job);
    fail(null);
  } catch (error) {
    fail(error);
  }
}

export async function open(jobId) {
  opened = jobId;
  if (jobId === null) return;
  const job = await call("GET", `/api/v1/jobs/${jobId}`);
  take(job);
  await showFiles();
}

function take(job) {
  const entry = known.get(job.job_id) ?? { progress: null, card: make("article", { class: "card" }) };
  known.set(job.job_id, Object.assign(entry, { job }));
  if (!ACTIVE.includes(job.state)) entry.progress = null;
  draw(entry);
  follow();
  place();
}

// Browsers keep six connections to a host: only the newest active jobs are watched, the others are asked for.
function follow() {
  const active = [...known.values()].filter((one) => ACTIVE.includes(one.job.state)).map((one) => one.job.job_id);
  const wanted = new Set([...(active.includes(opened) ? [opened] : []), ...active].slice(0, WATCHED));
  for (const [id, stop] of watches) if (!wanted.has(id)) { stop(); watches.delete(id); }
  for (const id of wanted) if (!watches.has(id)) watches.set(id, watch(id, (kind, data) => hear(id, kind, data)));
}

function hear(jobId, kind, data) {
  const entry = known.get(jobId);
  if (!entry) return;
  if (kind === "job") take(data);
  if (kind === "progress") { entry.progress = data; draw(entry); }
  if (kind === "file" && opened === jobId) showFile(data);
  if (kind === "end" || kind === "broken") { watches.delete(jobId); refresh(); }
}

function place() {
  const sorted = [...known.values()].sort((one, other) => (one.job.created_at < other.job.created_at ? 1 : -1));
  $("no-jobs").hidden = sorted.length > 0;
  const items = sorted.map((entry) => (entry.item ??= make("li", {})));
  if ([...$("jobs").children].some((item, at) => item !== items[at]) || $("jobs").children.length !== items.length) {
    $("jobs").replaceChildren(...items);
  }
  for (const entry of sorted) {
    const home = entry.job.job_id === opened ? $("job-card") : entry.item;
    if (entry.card.parentElement !== home) home.replaceChildren(entry.card);
  }
}

function draw(entry) {
  const { job, progress, card } = entry, held = document.activeElement?.dataset?.order;
  const isFocused = card.contains(document.activeElement);
  const pages = progress ? progress.percent : (100 * job.pages_done) / Math.max(1, job.pages_total);
  const { total, completed, failed, skipped } = job.stats;
  const more = total > 1 ? ` and ${total - 1} more` : "";
  const counts = `${completed + failed + skipped} of ${plural(total, "file")}` + (failed ? `, ${failed} failed` : "") + (skipped ? `, ${skipped} skipped` : "");
  const pace = progress?.eta_seconds != null && job.state === "running"
    ? ` · ${clock(progress.eta_seconds)} left · ${progress.pages_per_second.toFixed(1)} pages/s` : "";
  const name = `Progress of ${job.title}`;
  card.replaceChildren(
    make("a", { class: "title", href: `#/job/${job.job_id}` }, job.title + more),
    make("span", { class: `badge ${job.state}` }, words(job.state)),
    make("p", { class: "detail" }, counts + ` · ${job.pages_done} of ${plural(job.pages_total, "page")}` + pace),
    ...(ACTIVE.includes(job.state) ? [make("progress", { max: 100, value: pages, "aria-label": name })] : []),
    make("p", { class: "row" }, ...orders(job)),
  );
  if (isFocused && held) card.querySelector(`[data-order="${held}"]`)?.focus();
}

function orders(job) {
  const id = job.job_id, found = [];
  const order = (label, name) => found.push(button(label, () => give(id, name), { "data-order": name }));
  if (["queued", "running"].includes(job.state)) order("Pause", "pause");
  if (["paused", "interrupted", "cancelled", "stopped", "failed"].includes(job.state)) order("Resume", "resume");
  if (ACTIVE.includes(job.state)) order("Cancel", "cancel");
  if (!ACTIVE.includes(job.state) && job.stats.failed) order("Retry failed", "retry");
  if (job.stats.completed) found.push(make("a", { class: "button", href: `/api/v1/jobs/${id}/archive`, download: true }, "Download all"));
  if (!ACTIVE.includes(job.state)) found.push(button("Delete", () => remove(id), { "data-order": "delete" }));
  return found;
}

async function give(jobId, name) {
  try {
    take(await call("POST", `/api/v1/jobs/${jobId}/${name}`));
  } catch (error) {
    fail(error);
  }
}

async function remove(jobId) {
  if (!window.confirm("Delete this job, and the uploads and results that are kept of it?")) return;
  try {
    await call("DELETE", `/api/v1/jobs/${jobId}`);
    if (opened === jobId) window.location.hash = "#/";
  } catch (error) {
    fail(error);
  }
  await refresh();
}

async function showFiles() {
  const { files, total } = await call("GET", `/api/v1/jobs/${opened}/files?limit=${SHOWN_FILES}`);
  $("job-title").textContent = known.get(opened)?.job.title ?? opened;
  $("job-files").replaceChildren(...files.map(row));
  $("job-more").textContent = total > files.length ? `The first ${files.length} of ${total} files are shown.` : "";
}

function showFile(file) {
  const there = $("job-files").querySelector(`[data-number="${file.number}"]`);
  if (there) there.replaceWith(row(file));
}

function row(file) {
  const base = `/api/v1/jobs/${opened}/files/${file.number}`;
  const hasResults = file.outputs.includes("json");
  const name = hasResults ? make("a", { href: `#/job/${opened}/${file.number}/1` }, file.name) : file.name;
  const why = file.error?.message ?? file.reason ?? file.warnings[0] ?? "";
  const downloads = file.outputs.map((kind) => make("a", { href: `${base}/outputs/${kind}`, download: true, "aria-label": `${kind} of ${file.name}` }, kind));
  return make("tr", { "data-number": file.number },
    make("td", {}, name, ...(why ? [make("small", {}, why)] : [])),
    make("td", { class: file.status }, words(file.status)),
    make("td", {}, file.pages ?? ""),
    make("td", {}, file.confidence == null ? "" : `${Math.round(file.confidence)} %`),
    make("td", {}, ...downloads));
}
