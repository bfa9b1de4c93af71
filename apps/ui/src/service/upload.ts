/** Send a file by tus 1.0: what breaks off goes on where it was. */

import { AwayError, RefusedError, told } from './api.js';
import type { Api } from './api.js';

const CHUNK_BYTES = 8 * 2 ** 20;
const ATTEMPTS = 6;
const PAUSE_MS = 300;

export async function upload(api: Api, file: File, sent: (bytes: number) => void, stop: AbortSignal): Promise<string> {
  const header = { 'upload-length': file.size, 'upload-metadata': `filename ${base64(file.name)}` };
  const { upload: id } = await told(api.POST('/api/v1/uploads', { params: { header }, signal: stop }));
  let [offset, failures] = [0, 0];
  while (offset < file.size) {
    try {
      offset = await append(api, id, file, offset, stop);
      failures = 0;
    } catch (error) {
      if (stop.aborted || !(error instanceof AwayError) || ++failures === ATTEMPTS) throw error;
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS * 2 ** failures));
      offset = await arrived(api, id, offset);
    }
    sent(offset);
  }
  return id;
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

async function arrived(api: Api, id: string, offset: number): Promise<number> {
  try {
    return (await told(api.GET('/api/v1/uploads/{upload_id}', { params: { path: { upload_id: id } } }))).offset;
  } catch (error) {
    if (error instanceof AwayError) return offset;
    throw error;
  }
}

function base64(name: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(name)));
}
