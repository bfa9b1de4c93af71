/** What the user wants of the next batches; kept over restarts where the page may keep things. */

import type { BatchOptions } from './host.js';
import { nameOf } from './words.js';

export const OUTPUTS = ['pdf', 'txt', 'json', 'hocr', 'alto'] as const;

export interface Wishes {
  readonly languages: readonly string[];
  readonly outputs: readonly (typeof OUTPUTS)[number][];
  readonly existingText: NonNullable<BatchOptions['existing_text']>;
  readonly onExisting: NonNullable<BatchOptions['on_existing']>;
  /** Empty: a folder `ocr` beside the first file. */
  readonly outputDir: string;
}

export const DEFAULTS: Wishes = {
  languages: ['eng'],
  outputs: ['pdf', 'txt', 'json'],
  existingText: 'skip',
  onExisting: 'skip',
  outputDir: '',
};

/** The part of localStorage that is needed. */
export type Keep = Pick<Storage, 'getItem' | 'setItem'>;
const KEY = 'ocr-wishes';

export function recall(keep: Keep): Wishes {
  try {
    return { ...DEFAULTS, ...(JSON.parse(keep.getItem(KEY) ?? '{}') as Partial<Wishes>) };
  } catch {
    return DEFAULTS;
  }
}

export function remember(keep: Keep, wishes: Wishes): void {
  try {
    keep.setItem(KEY, JSON.stringify(wishes));
  } catch {
    // A full or forbidden store costs the user nothing but the memory of options.
  }
}

export function optionsOf(wishes: Wishes): BatchOptions {
  return {
    languages: wishes.languages.length > 0 ? [...wishes.languages] : [...DEFAULTS.languages],
    outputs: wishes.outputs.length > 0 ? [...wishes.outputs] : [...DEFAULTS.outputs],
    existing_text: wishes.existingText,
    on_existing: wishes.onExisting,
  };
}

export function outputDirOf(wishes: Wishes, files: readonly string[]): string {
  const first = files[0] ?? '';
  return wishes.outputDir || first.slice(0, first.length - nameOf(first).length) + 'ocr';
}

/** "deu + eng", as Tesseract's users write it, with or without blanks. */
export function languagesOf(text: string): string[] {
  return text.split(/[+,\s]+/).filter((part) => part !== '');
}
