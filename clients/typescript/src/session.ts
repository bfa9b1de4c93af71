/** One life of a worker: what it is asked, and which of its events answers what. Knows nothing of restarts or jobs. */

import { OcrError } from './errors.js';
import { LineReader, readEvent, writeCommand } from './lines.js';
import type { Metrics } from './metrics.js';
import { ANSWERS } from './wire.js';
import type { Command, CommandName, Event, HelloData, InfoEvent, ResultEvent } from './wire.js';
import type { Ended, Launch, Started, Transport } from './transport.js';

export type Answer = InfoEvent | ResultEvent;
/** A command before it has an id, which only a session gives. */
export type Request = WithoutId<Command>;
type WithoutId<C> = C extends Command ? Omit<C, 'id'> : never;

export interface SessionListener {
  event(event: Event): void;
  ended(session: Session, how: Ended): void;
}

interface Pending {
  command: CommandName;
  /** Called while the event is dispatched, so that nothing overtakes it. */
  answered(answer: Answer): void;
  refused(error: OcrError): void;
}

const MOST_LINE_BYTES = 8 * 2 ** 20;
/** What a worker leaves lists out above, unless `hello` asks for more. */
const MOST_EVENT_BYTES = 2 ** 20;
/** For a worker that has closed its stdin to end. */
const LAST_WORDS_MS = 2000;

export class Session {
  started: Started = {};
  hello?: HelloData;
  /** When it last said anything. */
  heardAt = performance.now();
  /** When it was last asked anything. */
  askedAt = performance.now();
  readonly #pending = new Map<number, Pending>();
  readonly #reader: LineReader;
  readonly #end: Promise<void>;
  #ended!: () => void;
  #how?: Ended;
  #lastSeq = 0;
  #lastId = 0;

  constructor(
    private readonly transport: Transport,
    private readonly metrics: Metrics,
    private readonly listener: SessionListener,
    mostEventBytes = MOST_EVENT_BYTES,
  ) {
    // What is left without its lists is far shorter; a longer line is not the worker's.
    this.#reader = new LineReader(8 * Math.max(mostEventBytes, MOST_EVENT_BYTES));
    this.#end = new Promise((resolve) => (this.#ended = resolve));
  }

  async open(launch: Launch): Promise<void> {
    const data = (chunk: Uint8Array | string): void => this.#data(chunk);
    const starting = this.transport.start(launch, { data, ended: (how) => this.#finish(how) });
    try {
      this.started = await Promise.race([starting, this.#givenUp()]);
    } catch (error) {
      this.#finish({ code: null, signal: null, stderr: '' });
      // One that comes when nobody waits for it any more.
      starting.then(() => this.transport.stop('kill')).catch(() => undefined);
      throw OcrError.from(error, 'not_started');
    }
    this.heardAt = performance.now();
  }

  async #givenUp(): Promise<never> {
    await this.#end;
    throw died(this.#how as Ended);
  }

  /** Send a command; resolves with the event that answers it, after `answered` was called with it. */
  ask(request: Request, answered?: (answer: Answer) => void): Promise<Answer> {
    return new Promise((resolve, reject) => {
      if (this.#how) throw died(this.#how);
      const id = (this.#lastId += 1);
      const line = writeCommand({ ...request, id } as Command, this.hello?.limits.max_line_bytes ?? MOST_LINE_BYTES);
      this.#pending.set(id, {
        command: request.command,
        answered: (answer) => {
          answered?.(answer);
          resolve(answer);
        },
        refused: reject,
      });
      this.askedAt = performance.now();
      this.metrics.commands += 1;
      this.metrics.bytesWritten += line.length;
      this.transport.write(line).catch((error) => this.#deaf(id, error));
    });
  }

  /** A worker that reads no more is about to end, which settles what it was asked, and says why. */
  async #deaf(id: number, error: unknown): Promise<void> {
    await this.isOver(LAST_WORDS_MS);
    this.#settle(id)?.refused(OcrError.from(error, 'worker_died'));
  }

  /** How it ended, if it has. */
  get how(): Ended | undefined {
    return this.#how;
  }

  /** Resolves once the worker has ended, or after so long; true if it has. */
  async isOver(withinMs: number): Promise<boolean> {
    if (withinMs === Infinity) await this.#end;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, this.#how ? 0 : withinMs)));
    await Promise.race([this.#end, late]);
    clearTimeout(timer);
    return this.#how !== undefined;
  }

  /** End it by force, and take it for ended even if nothing confirms that. */
  async kill(waitMs: number): Promise<void> {
    await this.transport.stop('kill').catch(() => undefined);
    if (!(await this.isOver(waitMs))) this.#finish({ code: null, signal: 'SIGKILL', stderr: '' });
  }

  async terminate(): Promise<void> {
    await this.transport.stop('terminate').catch(() => undefined);
  }

  #data(chunk: Uint8Array | string): void {
    if (this.#how) return;
    this.heardAt = performance.now();
    this.metrics.bytesRead += chunk.length;
    for (const line of this.#reader.feed(chunk)) {
      const event = line === null ? undefined : readEvent(line);
      if (event) this.#dispatch(event);
      else this.metrics.badLines += 1;
    }
  }

  #dispatch(event: Event): void {
    this.metrics.events += 1;
    if (event.type === 'unknown') this.metrics.unknownEvents += 1;
    const { seq } = event.type === 'unknown' ? (event.event as { seq?: number }) : event;
    if (typeof seq === 'number') {
      this.metrics.lostEvents += Math.max(0, seq - this.#lastSeq - 1);
      this.#lastSeq = seq;
    }
    this.#answer(event);
    this.listener.event(event);
  }

  #answer(event: Event): void {
    if (event.type === 'unknown' || event.type === 'progress' || typeof event.id !== 'number') return;
    const pending = this.#pending.get(event.id);
    if (!pending) return;
    if (event.type === 'error') this.#settle(event.id)?.refused(OcrError.of(event.data));
    else if (ANSWERS[pending.command].includes(event.data.kind)) this.#settle(event.id)?.answered(event);
  }

  #settle(id: number): Pending | undefined {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    return pending;
  }

  #finish(how: Ended): void {
    if (this.#how) return;
    this.#how = how;
    for (const id of [...this.#pending.keys()]) this.#settle(id)?.refused(died(how));
    this.#ended();
    this.listener.ended(this, how);
  }
}

export function died(how: Ended): OcrError {
  const cause = how.signal ? `by ${how.signal}` : `with code ${how.code}`;
  return new OcrError(`The worker ended ${cause}`, 'worker_died', true, {
    exit_code: how.code,
    signal: how.signal,
    stderr: how.stderr,
  });
}
