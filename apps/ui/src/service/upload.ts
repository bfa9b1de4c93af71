/** Send a file by tus 1.0: what breaks off goes on where it was. */

import { AwayError, RefusedError, told } from './api.js';
import type { Api } from './api.js';

const CHUNK_BYTES = 8 * 2 ** 20;
const ATTEMPTS = 6;
const PAUSE_MS = 300;

export async function upload(api: Api, file: File, sent: (bytes: number) => void, stop: AbortSignal): Promise<string> {
  const header = { 'upload-length': file.size, 'upload-metadata': `filename ${base64(file.name)}` };
  const announce = () => told(api.POST('/api/v1/uploads', { params: { header }, signal: stop }));
  const { upload: id } = await patiently(stop, announce);
  try {
    for (let offset = 0; offset < file.size; sent(offset)) {
      let isKnown = true;
      offset = await patiently(stop, async () => {
        const from = isKnown ? offset : await arrived(api, id, stop);
        isKnown = false;
        return from < file.size ? append(api, id, file, from, stop) : from;
      });
    }
  } catch (error) {
    // What the service refuses it has taken away itself.
    if (!(error instanceof RefusedError)) takeBack(api, id);
    throw error;
  }
  return id;
}

/** Have the service forget a file. Where it can't be told, it forgets by itself in some days. */
export function takeBack(api: Api, id: string): void {
  api.DELETE('/api/v1/uploads/{upload_id}', { params: { path: { upload_id: id } } }).catch(() => undefined);
}

/** Whether the service will not have this file, rather than any. */
export function isOfOneFile(error: unknown): boolean {
  return error instanceof RefusedError && [413, 415, 422].includes(error.status);
}

async function append(api: Api, id: string, file: File, offset: number, stop: AbortSignal): Promise<number> {
  const part = file.slice(offset, offset + CHUNK_BYTES);
  const asked = api.PATCH('/api/v1/uploads/{upload_id}', {
    params: { path: { upload_id: id }, header: { 'upload-offset': offset } },
    headers: { 'Content-Type': 'application/offset+octet-stream' },
    // The document can say no more of bytes than that they are a string.
    body: part as unknown as string,
    bodySerializer: (body) => body as unknown as Blob,
    signal: stop,
  });
  await told(asked);
  return Number((await asked).response.headers.get('Upload-Offset'));
}

async function arrived(api: Api, id: string, stop: AbortSignal): Promise<number> {
  const path = { upload_id: id };
  return (await told(api.GET('/api/v1/uploads/{upload_id}', { params: { path }, signal: stop }))).offset;
}

/** Try again while the service is away, but not for ever. */
async function patiently<T>(stop: AbortSignal, attempt: () => Promise<T>): Promise<T> {
  for (let failures = 1; ; failures += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (stop.aborted || !(error instanceof AwayError) || failures === ATTEMPTS) throw error;
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS * 2 ** failures));
    }
  }
}

function base64(name: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(name)));
}
