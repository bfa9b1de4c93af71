/** The pages of a file that was read: they come one by one, with pictures that the service draws upright. */

import { readWord } from '../model/results.js';
import type { Book, Page } from '../model/results.js';
import type { FileDone } from '../model/host.js';
import { RefusedError, told } from './api.js';
import type { Api } from './api.js';

const FILE = /^\/api\/v1\/jobs\/([^/]+)\/files\/(\d+)\//;

/** What is needed of the document's page: answers have their boxes as lists. */
interface PageResult {
  readonly page: number;
  readonly width_px: number;
  readonly height_px: number;
  readonly text: string;
  readonly lines: readonly { readonly words: readonly { text: string; box_px: readonly number[]; confidence: number | null }[] }[];
}

/** The job and the number of a file that ended. */
export function placeOf(done: FileDone): { job_id: string; number: number } {
  const [, job_id, number] = FILE.exec(Object.values(done.outputs ?? {})[0] ?? '') ?? [];
  if (job_id === undefined) throw new Error('There is nothing to look at.');
  return { job_id, number: Number(number) };
}

export function openBook(api: Api, done: FileDone): Book {
  const file = placeOf(done);
  const pages = new Map<number, Promise<Page>>();
  const page = (at: number): Promise<Page> => {
    let asked = pages.get(at);
    if (!asked) {
      asked = ask(api, { ...file, page: at + 1 });
      pages.set(at, asked);
      // What could not be had now may be had later.
      asked.catch(() => pages.delete(at));
    }
    return asked;
  };
  return {
    pageCount: done.pages ?? 1,
    page,
    picture: async ({ number }) => `/api/v1/jobs/${file.job_id}/files/${file.number}/pages/${number}/picture`,
    async correct({ number }, word, text) {
      const path = { ...file, page: number };
      const body = { words: [{ word, text }] };
      const asked = api.POST('/api/v1/jobs/{job_id}/files/{number}/pages/{page}/words', { params: { path }, body });
      const corrected = readPage(await told(asked));
      pages.set(number - 1, Promise.resolve(corrected));
      return corrected;
    },
    close: () => pages.clear(),
  };
}

async function ask(api: Api, path: { job_id: string; number: number; page: number }): Promise<Page> {
  const empty = { number: path.page, width: 1, height: 1, rotation: 0, text: '', lines: [] };
  try {
    return readPage(await told(api.GET('/api/v1/jobs/{job_id}/files/{number}/pages/{page}', { params: { path } })));
  } catch (error) {
    if (error instanceof RefusedError) return { ...empty, error: error.message };
    throw error;
  }
}

function readPage({ page: number, width_px: width, height_px: height, text, lines }: PageResult): Page {
  return { number, width, height, rotation: 0, text, lines: lines.map(({ words }) => words.map(readWord)) };
}
