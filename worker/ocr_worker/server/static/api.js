// Talk to the service: JSON, uploads that go on where they broke off, and events that survive a lost connection.

const CHUNK = 8 * 1024 * 1024;
const ATTEMPTS = 6;
const CLOSED = 2;

export class TokenNeeded extends Error {}

export async function call(method, path, body) {
  const headers = body === undefined ? {} : { "Content-Type": "application/json" };
  const response = await fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
  if (response.status === 401) throw new TokenNeeded("A token is needed.");
  if (!response.ok) throw new Error(await reason(response));
  return response.status === 204 ? null : response.json();
}

async function reason(response) {
  try {
    return (await response.json()).error.message;
  } catch {
    return `The service answered ${response.status}.`;
  }
}

// The id of a file that was uploaded; `progress` hears how many bytes have come.
export async function upload(file, progress) {
  const name = btoa(String.fromCharCode(...new TextEncoder().encode(file.name)));
  const created = await fetch("/api/v1/uploads", {
    method: "POST",
    headers: { "Tus-Resumable": "1.0.0", "Upload-Length": String(file.size), "Upload-Metadata": `filename ${name}` },
  });
  if (created.status === 401) throw new TokenNeeded("A token is needed.");
  if (!created.ok) throw new Error(await reason(created));
  const place = created.headers.get("Location");
  let offset = 0, failures = 0;
  while (offset < file.size) {
    try {
      offset = await send(place, file, offset);
      failures = 0;
      progress(offset);
    } catch (error) {
      if (!(error instanceof TypeError) || ++failures === ATTEMPTS) throw error;
      await wait(300 * 2 ** failures);
      offset = await arrived(place, offset);
    }
  }
  return place.split("/").pop();
}

async function send(place, file, offset) {
  const sent = await fetch(place, {
    method: "PATCH",
    headers: { "Tus-Resumable": "1.0.0", "Upload-Offset": String(offset), "Content-Type": "application/offset+octet-stream" },
    body: file.slice(offset, offset + CHUNK),
  });
  if (!sent.ok) throw new Error(await reason(sent));
  return Number(sent.headers.get("Upload-Offset"));
}

async function arrived(place, offset) {
  try {
    const head = await fetch(place, { method: "HEAD" });
    return head.ok ? Number(head.headers.get("Upload-Offset")) : offset;
  } catch {
    return offset;
  }
}

// Watch a job; the result ends the watch. A service that is away is asked again.
export function watch(jobId, heard) {
  let source = null, ended = false;
  const open = () => {
    if (ended) return;
    source = new EventSource(`/api/v1/jobs/${jobId}/events`);
    for (const kind of ["job", "progress", "file", "end", "broken"]) {
      source.addEventListener(kind, (event) => {
        if (kind === "end" || kind === "broken") stop();
        heard(kind, JSON.parse(event.data));
      });
    }
    source.onerror = () => {
      if (source.readyState === CLOSED && !ended) setTimeout(open, 3000);
    };
  };
  const stop = () => { ended = true; source?.close(); };
  open();
  return stop;
}

export const wait = (milliseconds) => new Promise((done) => { setTimeout(done, milliseconds); });
