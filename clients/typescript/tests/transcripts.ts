/** Replay the golden sessions of protocol/transcripts; their README defines steps and patterns. */

import assert from 'node:assert/strict';

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

export interface Step {
  about?: string;
  send?: Json;
  send_line?: string;
  skip?: Json[];
  recv?: Json;
  end?: true;
  exit?: number;
}

export interface Session {
  send(line: string): void;
  /** The next event, or undefined at the end of stdout. */
  receive(): Promise<Json | undefined>;
  end(): void;
  exitCode(): Promise<number | null>;
}

type Bound = Map<string, string>;

/** Play the host's part; fails where the worker does otherwise. */
export async function replay(steps: Step[], session: Session, variables: Record<string, string>): Promise<void> {
  const player = new Player(session, new Map(Object.entries(variables)));
  for (const step of steps) await player.play(step);
  if (!steps.some((step) => step.exit !== undefined)) {
    session.end();
    await player.play({ exit: 0 });
  }
}

class Player {
  #skipped: Json[] = [];

  constructor(
    private readonly session: Session,
    private readonly bound: Bound,
  ) {}

  async play(step: Step): Promise<void> {
    if (step.send !== undefined) this.session.send(`${JSON.stringify(this.#fill(step.send))}\n`);
    if (step.send_line !== undefined) this.session.send(`${putIn(step.send_line, this.bound)}\n`);
    if (step.skip) this.#skipped = step.skip;
    if (step.end) this.session.end();
    if (step.recv !== undefined) await this.#receive(step.recv);
    if (step.exit !== undefined) await this.#finish(step.exit);
  }

  async #receive(expected: Json): Promise<void> {
    for (;;) {
      const event = await this.session.receive();
      assert.notEqual(event, undefined, `the worker ended before ${JSON.stringify(expected)}`);
      const trial = new Map(this.bound);
      if (matches(expected, event as Json, trial)) {
        for (const [name, value] of trial) this.bound.set(name, value);
        return;
      }
      this.#skip(event as Json, expected);
    }
  }

  async #finish(code: number): Promise<void> {
    for (let event = await this.session.receive(); event !== undefined; event = await this.session.receive()) {
      this.#skip(event, 'the end');
    }
    assert.equal(await this.session.exitCode(), code);
  }

  #skip(event: Json, expected: Json): void {
    const isSkipped = this.#skipped.some((pattern) => matches(pattern, event, new Map(this.bound)));
    assert.ok(isSkipped, `${JSON.stringify(event)} is not ${JSON.stringify(expected)}`);
  }

  #fill(value: Json): Json {
    if (typeof value === 'string') return putIn(value, this.bound);
    if (Array.isArray(value)) return value.map((item) => this.#fill(item));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, this.#fill(inner)]));
  }
}

/** Whether a value is as the pattern says; variables that the pattern names for the first time are bound. */
export function matches(expected: Json, actual: Json | undefined, bound: Bound): boolean {
  if (typeof expected === 'string') return typeof actual === 'string' && wanted(expected, actual, bound) === actual;
  if (Array.isArray(expected)) {
    return (
      Array.isArray(actual) &&
      actual.length === expected.length &&
      expected.every((item, at) => matches(item, actual[at], bound))
    );
  }
  if (typeof expected !== 'object' || expected === null) return expected === actual;
  if (expected.$absent) return actual === undefined;
  if (typeof expected.$any === 'string') return isA(expected.$any, actual);
  if (typeof actual !== 'object' || actual === null || Array.isArray(actual)) return false;
  return Object.entries(expected).every(([name, inner]) => matches(inner, actual[name], bound));
}

function isA(type: string, value: Json | undefined): boolean {
  if (type === 'array') return Array.isArray(value);
  if (type === 'object') return typeof value === 'object' && value !== null && !Array.isArray(value);
  return type === 'integer' ? Number.isInteger(value) : typeof value === type;
}

function wanted(pattern: string, actual: string, bound: Bound): string {
  const name = /^\$\{(\w+)\}$/.exec(pattern)?.[1];
  if (name === undefined) return putIn(pattern, bound);
  if (!bound.has(name)) bound.set(name, actual);
  return bound.get(name) as string;
}

function putIn(text: string, bound: Bound): string {
  return text.replace(/\$\{(\w+)\}/g, (_, name: string) => bound.get(name) as string);
}
