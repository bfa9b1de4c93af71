/** A worker on the other side of a MessagePort: Electron's main process, or a worker thread. */

import { OcrError } from './errors.js';
import type { Ended, Launch, Started, Transport, TransportListener } from './transport.js';

/** A MessagePort of the web or of Node, or Electron's MessagePortMain, each of which has an event type of its own. */
export interface Port {
  postMessage(message: unknown): void;
  start?(): void;
  close(): void;
  addEventListener?(type: 'message' | 'close', listener: (event: any) => void): void;
  on?(type: 'message' | 'close', listener: (event: { data?: unknown }) => void): unknown;
}

type ToWorker =
  | { ask: 'start'; launch: Launch }
  | { ask: 'write'; line: string }
  | { ask: 'stop'; how: 'terminate' | 'kill' };
type FromWorker =
  | { say: 'started'; started: Started }
  | { say: 'refused'; message: string; details: Record<string, unknown> }
  | { say: 'data'; chunk: Uint8Array | string }
  | { say: 'ended'; how: Ended };

/** In the page: the worker that `serve` has at the port's other end. */
export function port(end: Port): Transport {
  return new PortTransport(end);
}

export interface ServeOptions {
  /** The worker's state folder, whatever the page asks for. */
  stateDir?: string;
}

/**
 * Where processes may be started: run one worker for the page at the port's other end, by another transport.
 *
 * When the port closes, so when the page is left or reloaded, the worker is ended. Of the page's environment only names
 * that begin with OCR_WORKER_ reach it.
 */
export function serve(end: Port, transport: Transport, options: ServeOptions = {}): void {
  const say = (message: FromWorker): void => end.postMessage(message);
  const listener: TransportListener = {
    data: (chunk) => say({ say: 'data', chunk }),
    ended: (how) => say({ say: 'ended', how }),
  };
  const carryOut = async (asked: ToWorker): Promise<void> => {
    if (asked.ask === 'write') await transport.write(asked.line);
    else if (asked.ask === 'stop') await transport.stop(asked.how);
    else say({ say: 'started', started: await transport.start({ env: workerEnv(asked.launch, options) }, listener) });
  };
  listen(
    end,
    (message) => {
      const asked = message as ToWorker;
      // What could not be written is told by the worker's end.
      carryOut(asked).catch((error) => asked.ask === 'start' && say(refusal(error)));
    },
    () => void endWorker(transport),
  );
}

class PortTransport implements Transport {
  #listener: TransportListener | undefined;
  #isClosed = false;
  #starting: { resolve(started: Started): void; reject(error: OcrError): void } | undefined;

  constructor(private readonly end: Port) {
    listen(
      end,
      (message) => this.#hear(message as FromWorker),
      () => this.#lose(),
    );
  }

  start(launch: Launch, listener: TransportListener): Promise<Started> {
    if (this.#isClosed) return Promise.reject(closed());
    this.#listener = listener;
    return new Promise((resolve, reject) => {
      this.#starting = { resolve, reject };
      this.#ask({ ask: 'start', launch });
    });
  }

  async write(line: string): Promise<void> {
    this.#ask({ ask: 'write', line });
  }

  async stop(how: 'terminate' | 'kill'): Promise<void> {
    this.#ask({ ask: 'stop', how });
  }

  #ask(message: ToWorker): void {
    this.end.postMessage(message);
  }

  #hear(message: FromWorker): void {
    switch (message.say) {
      case 'data':
        this.#listener?.data(message.chunk);
        break;
      case 'ended':
        this.#listener?.ended(message.how);
        break;
      case 'started':
        this.#starting?.resolve(message.started);
        break;
      case 'refused':
        this.#starting?.reject(new OcrError(message.message, 'not_started', false, message.details));
    }
  }

  #lose(): void {
    this.#isClosed = true;
    this.#starting?.reject(closed());
    this.#listener?.ended({ code: null, signal: null, stderr: 'the port is closed' });
  }
}

function listen(end: Port, hear: (message: unknown) => void, closed: () => void): void {
  if (end.addEventListener) {
    end.addEventListener('message', ({ data }) => hear(data));
    end.addEventListener('close', closed);
  } else {
    end.on?.('message', ({ data }) => hear(data));
    end.on?.('close', closed);
  }
  end.start?.();
}

function workerEnv(launch: Launch, { stateDir }: ServeOptions): Record<string, string> {
  const allowed = Object.entries(launch.env).filter(([name]) => name.startsWith('OCR_WORKER_'));
  return { ...Object.fromEntries(allowed), ...(stateDir !== undefined && { OCR_WORKER_STATE_DIR: stateDir }) };
}

const GRACE_MS = 2000;

async function endWorker(transport: Transport): Promise<void> {
  await transport.stop('terminate').catch(() => undefined);
  setTimeout(() => void transport.stop('kill').catch(() => undefined), GRACE_MS);
}

function closed(): OcrError {
  return new OcrError('The port is closed', 'not_started');
}

function refusal(error: unknown): FromWorker {
  const { message, details } = OcrError.from(error, 'not_started');
  return { say: 'refused', message, details };
}
