/** Bytes to lines to events, and commands to lines. */

import { OcrError } from './errors.js';
import { KINDS } from './wire.js';
import type { Command, Event } from './wire.js';

const LF = '\n';
const BLANK = /^[ \t\r]*$/;
const LONE_SURROGATE = /\p{Surrogate}/u;

/** Splits a stream at LF, wherever its chunks end. A CR before the LF, a byte order mark and blank lines are dropped. */
export class LineReader {
  readonly #decoder = new TextDecoder();
  #pending: string[] = [];
  #length = 0;
  #first = true;

  /** @param mostCharacters what is longer is dropped instead of filling the memory */
  constructor(private readonly mostCharacters: number) {}

  /** Lines that are too long come as `null`. */
  *feed(chunk: Uint8Array | string): Generator<string | null> {
    const parts = (typeof chunk === 'string' ? chunk : this.#decoder.decode(chunk, { stream: true })).split(LF);
    const rest = parts.pop() as string;
    for (const part of parts) {
      this.#keep(part);
      yield* this.finish();
    }
    this.#keep(rest);
  }

  /** The last line, if it had no LF. */
  *finish(): Generator<string | null> {
    const tooLong = this.#length > this.mostCharacters;
    let line = this.#pending.join('');
    this.#pending = [];
    this.#length = 0;
    if (this.#first && line.startsWith('\ufeff')) line = line.slice(1);
    this.#first = false;
    if (tooLong) yield null;
    else if (!BLANK.test(line)) yield line.endsWith('\r') ? line.slice(0, -1) : line;
  }

  #keep(text: string): void {
    this.#length += text.length;
    if (this.#length <= this.mostCharacters) this.#pending.push(text);
    else this.#pending = [];
  }
}

/** An event of the protocol, `UnknownEvent` for one of a later version, or undefined for what is none. */
export function readEvent(line: string): Event | undefined {
  let event: { type?: unknown; data?: { kind?: unknown } };
  try {
    event = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (typeof event !== 'object' || event === null || typeof event.type !== 'string') return undefined;
  const kinds = Object.hasOwn(KINDS, event.type) ? KINDS[event.type as keyof typeof KINDS] : undefined;
  const data = event.data;
  if (kinds && (typeof data !== 'object' || data === null)) return undefined;
  const isKnown = kinds && (kinds.length === 0 || (kinds as readonly unknown[]).includes(data?.kind));
  return isKnown ? (event as Event) : { type: 'unknown', event: event as Record<string, unknown> };
}

/**
 * One line for the worker. What it could not read, and so could not answer by id, is refused here.
 *
 * Throws OcrError `invalid_params` for text with half a surrogate pair and numbers that JSON has not, `line_too_long`.
 */
export function writeCommand(command: Command, mostBytes: number): string {
  requireWritable(command, '');
  const line = JSON.stringify(command);
  // Three bytes a UTF-16 unit at most: only lines near the limit are measured.
  if (line.length * 3 > mostBytes && new TextEncoder().encode(line).length > mostBytes) {
    throw new OcrError(
      `This ${command.command} is longer than the ${mostBytes} bytes that a line may have: send it in parts`,
      'line_too_long',
    );
  }
  return line + LF;
}

function requireWritable(value: unknown, field: string): void {
  if (typeof value === 'string') requireWellFormed(value, field);
  else if (typeof value === 'number') requireNumber(value, field);
  else if (typeof value === 'bigint') throw invalid(field, 'must be a number, not a bigint');
  else if (Array.isArray(value)) value.forEach((item) => requireWritable(item, field));
  else if (typeof value === 'object' && value !== null) {
    for (const [name, inner] of Object.entries(value)) {
      requireWellFormed(name, field);
      requireWritable(inner, field ? `${field}.${name}` : name);
    }
  }
}

function requireWellFormed(text: string, field: string): void {
  if (LONE_SURROGATE.test(text)) throw invalid(field, `holds half a surrogate pair: ${JSON.stringify(text.slice(0, 100))}`);
}

function requireNumber(value: number, field: string): void {
  if (!Number.isFinite(value)) throw invalid(field, `must be a finite number, not ${value}`);
  if (Number.isInteger(value) && !Number.isSafeInteger(value)) throw invalid(field, 'must be below 2^53');
}

function invalid(field: string, why: string): OcrError {
  return new OcrError(`Field ${field} ${why}`, 'invalid_params', false, { field });
}
