/** Keeps a worker alive: starts it, starts it again when it dies or falls silent, and ends it. Knows nothing of jobs. */

import { OcrError } from './errors.js';
import type { Metrics } from './metrics.js';
import { died, Session } from './session.js';
import type { Answer, Request } from './session.js';
import type { Ended, Launch, Transport } from './transport.js';
import type { Event, Hello } from './wire.js';

/** All in seconds. The defaults are what an app wants; tests have less time. */
export interface Timing {
  /** For the first answer of a worker. */
  hello: number;
  /** Without a word, then it is pinged. */
  silence: number;
  /** For the answer to that ping, then it is ended and started again. */
  ping: number;
  /** Before each restart. As many restarts as there are numbers, then the sidecar has failed. */
  backoff: readonly number[];
  /** After so long alive, restarts count from zero. */
  healthy: number;
  /** From the command to end to the signal, and from the signal to the end by force. */
  shutdown: number;
  terminate: number;
}

export const TIMING: Timing = {
  hello: 30,
  silence: 30,
  ping: 10,
  backoff: [0.25, 1, 4],
  healthy: 60,
  shutdown: 5,
  terminate: 2,
};

/** Pings that a worker misses before it takes its host for gone. */
const HOST_SILENCES = 3;

export interface LifeListener {
  event(event: Event): void;
  restarting(attempt: number, cause: OcrError): void;
  restarted(): void;
  /** For good: stopped on request, or given up. */
  over(error: OcrError): void;
}

export type StopMode = 'now' | 'drain';

export interface Conditions {
  readonly transport: Transport;
  readonly launch: Launch;
  readonly hello: Omit<Hello, 'command' | 'id'>;
  readonly timing: Timing;
}

export class Life {
  #opening: Session | undefined;
  #live: Session | undefined;
  #ready: Promise<Session>;
  #isStopping = false;
  #isOver = false;
  #failures = 0;
  #timers = new Set<() => void>();
  readonly #stops = new Map<StopMode, Promise<void>>();
  readonly #timing: Timing;

  constructor(
    private readonly conditions: Conditions,
    private readonly metrics: Metrics,
    private readonly listener: LifeListener,
  ) {
    this.#timing = conditions.timing;
    this.#ready = Promise.reject(new OcrError('The sidecar was not started', 'not_started'));
    this.#ready.catch(() => undefined);
  }

  /** The session in use, if the worker answers just now. */
  get session(): Session | undefined {
    return this.#live;
  }

  /** Start the first worker: one that cannot start at all is no case for restarts. */
  async start(): Promise<void> {
    this.#ready = this.#begin();
    await this.#ready;
  }

  /** Resolves once there is a worker to ask; rejects once there will be none. */
  ready(): Promise<Session> {
    return this.#ready;
  }

  async ask(request: Request, answered?: (answer: Answer) => void): Promise<Answer> {
    return (await this.#ready).ask(request, answered);
  }

  /** End the worker: by command, then by signal, then by force. Resolves when it is gone. */
  stop(mode: StopMode): Promise<void> {
    const stop = this.#stops.get(mode) ?? this.#stop(mode);
    this.#stops.set(mode, stop);
    return stop;
  }

  async #begin(): Promise<Session> {
    const { transport, hello } = this.conditions;
    const listener = {
      event: (event: Event): void => this.listener.event(event),
      ended: (which: Session, how: Ended): void => this.#ended(which, how),
    };
    const session = new Session(transport, this.metrics, listener, hello.max_event_bytes);
    const since = performance.now();
    this.#opening = session;
    let isLate = false;
    const giveUp = this.#after(this.#timing.hello, () => {
      isLate = true;
      void session.kill(ms(this.#timing.terminate));
    });
    try {
      await session.open(this.conditions.launch);
      await this.#greet(session);
    } catch (error) {
      await session.kill(ms(this.#timing.terminate));
      // That we ended it is not what it suffers from.
      throw isLate ? mute(this.#timing.hello, OcrError.from(error, 'worker_died')) : error;
    } finally {
      giveUp();
    }
    if (this.#isStopping) throw stopped();
    if (session.how) throw died(session.how);
    this.metrics.helloMs = performance.now() - since;
    this.#live = session;
    this.#after(this.#timing.healthy, () => (this.#failures = 0));
    this.#watch(session);
    return session;
  }

  async #greet(session: Session): Promise<void> {
    const { parentPid } = session.started;
    // Of a host whose process it does not know, the worker can tell only that it says nothing.
    const timeout = Math.max(1, HOST_SILENCES * this.#timing.silence);
    const host = parentPid === undefined ? { host_timeout_seconds: timeout } : { parent_pid: parentPid };
    const answer = await session.ask({ command: 'hello', ...this.conditions.hello, ...host });
    if (answer.data.kind === 'hello') session.hello = answer.data;
  }

  #ended(session: Session, how: Ended): void {
    if (session !== this.#live) return;
    this.#live = undefined;
    this.#clearTimers();
    if (this.#isStopping) return;
    this.#ready = this.#restart(died(how));
    this.#ready.catch(() => undefined);
  }

  async #restart(cause: OcrError): Promise<Session> {
    for (const seconds of this.#timing.backoff.slice(this.#failures)) {
      if (this.#isStopping) throw stopped();
      this.#failures += 1;
      this.metrics.restarts += 1;
      this.listener.restarting(this.#failures, cause);
      await new Promise<void>((resolve) => this.#after(seconds, resolve, resolve));
      if (this.#isStopping) throw stopped();
      try {
        const session = await this.#begin();
        queueMicrotask(() => this.listener.restarted());
        return session;
      } catch (error) {
        cause = OcrError.from(error, 'worker_died');
      }
    }
    this.#over(cause);
    throw cause;
  }

  async #stop(mode: StopMode): Promise<void> {
    this.#isStopping = true;
    this.#clearTimers();
    const session = this.#live ?? this.#opening;
    if (session && !session.how) await this.#end(session, mode);
    this.#over(stopped());
  }

  async #end(session: Session, mode: StopMode): Promise<void> {
    session.ask({ command: 'shutdown', mode }).catch(() => undefined);
    if (await session.isOver(mode === 'drain' ? Infinity : ms(this.#timing.shutdown))) return;
    await session.terminate();
    if (await session.isOver(ms(this.#timing.terminate))) return;
    await session.kill(ms(this.#timing.terminate));
  }

  #over(error: OcrError): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#ready = Promise.reject(error);
    this.#ready.catch(() => undefined);
    this.listener.over(error);
  }

  /** Ping a worker that is silent, and one that hears nothing from us, which may take that for our end. */
  #watch(session: Session): void {
    const now = performance.now();
    const left = ms(this.#timing.silence) - (now - Math.min(session.heardAt, session.askedAt));
    const isSilent = now - session.heardAt >= ms(this.#timing.silence);
    if (isSilent) this.#probe(session);
    else {
      if (left <= 0) session.ask({ command: 'ping' }).catch(() => undefined);
      this.#after(Math.max(left, 1) / 1000, () => this.#watch(session));
    }
  }

  #probe(session: Session): void {
    const since = session.heardAt;
    session.ask({ command: 'ping' }).catch(() => undefined);
    const hear = (late: () => void): void => {
      if (session.heardAt > since) this.#watch(session);
      else late();
    };
    const half = this.#timing.ping / 2;
    // In two halves: the machine may have slept through the first, and the answer waits to be read.
    this.#after(half, () => hear(() => this.#after(half, () => hear(() => this.#giveUp(session)))));
  }

  #giveUp(session: Session): void {
    this.metrics.silences += 1;
    void session.kill(ms(this.#timing.terminate));
  }

  /** Call back later, unless the worker ends first; `cleared` is called then. Returns what calls it off. */
  #after(seconds: number, callback: () => void, cleared?: () => void): () => void {
    const timer = setTimeout(() => {
      this.#timers.delete(clear);
      callback();
    }, ms(seconds));
    const clear = (): void => {
      clearTimeout(timer);
      this.#timers.delete(clear);
      cleared?.();
    };
    this.#timers.add(clear);
    return clear;
  }

  #clearTimers(): void {
    for (const clear of [...this.#timers]) clear();
  }
}

function stopped(): OcrError {
  return new OcrError('The worker was stopped', 'worker_stopped');
}

function mute(seconds: number, { details }: OcrError): OcrError {
  const message = `The worker did not answer within ${seconds} s. Is that program the worker?`;
  return new OcrError(message, 'worker_died', true, details);
}

function ms(seconds: number): number {
  return seconds * 1000;
}
