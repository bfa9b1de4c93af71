/** The words of a file with their places, from NAME_ocr_results.json or page by page. */

import type { Disk, FileDone } from './host.js';

export type Grade = 'good' | 'fair' | 'poor' | 'own';

export interface Word {
  readonly text: string;
  /** Left, top, width and height in pixels of the upright page. */
  readonly box: readonly [number, number, number, number];
  readonly grade: Grade;
  /** In percent; null for text that the file had itself. */
  readonly confidence: number | null;
}

export interface Page {
  readonly number: number;
  readonly width: number;
  readonly height: number;
  /** Degrees clockwise by which the picture was turned upright. */
  readonly rotation: number;
  readonly text: string;
  readonly lines: readonly (readonly Word[])[];
  /** Why there is no text. */
  readonly error?: string;
}

export interface Results {
  readonly source: string;
  readonly isPicture: boolean;
  readonly pages: readonly Page[];
}

/** The pages of a file, to be leafed through: they may come one by one. */
export interface Book {
  readonly pageCount: number;
  /** A page, counted from 0. */
  page(at: number): Promise<Page>;
  /** The address of the picture behind a page's words; empty where there is none. */
  picture(page: Page): Promise<string>;
  /** Put another word in the place of one that was misread, and write the outputs anew. Resolves to the page as it is then. */
  correct?(page: Page, wordAt: number, text: string): Promise<Page>;
  close(): void;
}

const GOOD_PERCENT = 85;
const FAIR_PERCENT = 60;
// What web views draw of the types that the worker reads.
const PICTURES = ['png', 'jpeg', 'gif', 'webp', 'bmp'];

interface Written {
  source: { path: string; type: string };
  pages: WrittenPage[];
}

interface WrittenPage {
  page: number;
  width_px: number;
  height_px: number;
  rotation: number;
  text: string;
  error?: { message: string };
  lines: { words: { text: string; box_px: readonly number[]; confidence: number | null }[] }[];
}

export function readResults(json: string): Results {
  const { source, pages } = JSON.parse(json) as Written;
  return { source: source.path, isPicture: PICTURES.includes(source.type), pages: pages.map(readPage) };
}

/** All of a file's pages, from its file of results, with the picture that it is itself. */
export async function openBook(disk: Disk, done: FileDone): Promise<Book> {
  const results = readResults((await disk.results?.(done.outputs?.json ?? '')) ?? '');
  let address = '';
  return {
    pageCount: results.pages.length,
    page: async (at) => results.pages[at] as Page,
    async picture() {
      if (address === '' && results.isPicture && disk.picture) address = URL.createObjectURL(await disk.picture(results.source));
      return address;
    },
    close: () => URL.revokeObjectURL(address),
  };
}

function readPage(page: WrittenPage): Page {
  return {
    number: page.page,
    width: page.width_px,
    height: page.height_px,
    rotation: page.rotation,
    text: page.text,
    lines: page.lines.map(({ words }) => words.map(readWord)),
    ...(page.error && { error: page.error.message }),
  };
}

export function readWord({ text, box_px: [left = 0, top = 0, right = 0, bottom = 0], confidence }: WrittenPage['lines'][0]['words'][0]): Word {
  return { text, box: [left, top, right - left, bottom - top], grade: gradeOf(confidence), confidence };
}

function gradeOf(confidence: number | null): Grade {
  if (confidence === null) return 'own';
  if (confidence >= GOOD_PERCENT) return 'good';
  return confidence >= FAIR_PERCENT ? 'fair' : 'poor';
}

/** The first word from `start` on that should be looked at; undefined if there is none before the page's end. */
export function doubtfulFrom(words: readonly Word[], start: number): number | undefined {
  const at = words.findIndex(({ grade }, place) => place >= start && (grade === 'poor' || grade === 'fair'));
  return at < 0 ? undefined : at;
}

/** Where these words stand one after the other, whatever their case; undefined if they do not. */
export function placeOf(words: readonly Word[], wanted: string): number | undefined {
  const parts = wanted.toLowerCase().split(/\s+/).filter((part) => part !== '');
  const at = words.findIndex((_, start) => parts.every((part, step) => words[start + step]?.text.toLowerCase().includes(part)));
  return at < 0 || parts.length === 0 ? undefined : at;
}

/** How a picture as it is on disk is laid behind the upright page. */
export function uprightTransform({ width, height, rotation }: Page): string {
  const shift = { 90: `${width} 0`, 180: `${width} ${height}`, 270: `0 ${height}` }[rotation];
  return shift === undefined ? '' : `translate(${shift}) rotate(${rotation})`;
}
