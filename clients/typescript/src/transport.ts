/** How a worker is reached. A transport runs one worker at a time; it knows bytes, not the protocol. */

export interface Transport {
  /** Start a worker. Rejects if there is none to start; whatever follows is told to the listener. */
  start(launch: Launch, listener: TransportListener): Promise<Started>;
  /** Write one line, which ends with LF. */
  write(line: string): Promise<void>;
  /** Ask the worker to end, or end it and everything it started by force. `ended` follows. */
  stop(how: 'terminate' | 'kill'): Promise<void>;
}

export interface Launch {
  /** Added to the worker's environment. */
  env: Record<string, string>;
}

export interface Started {
  pid?: number;
  /** The process to live and die with. */
  parentPid?: number;
  /** What relative paths start from; without it they are refused. */
  cwd?: string;
}

export interface TransportListener {
  data(chunk: Uint8Array | string): void;
  /** Once for each worker that was started, after all its data. */
  ended(how: Ended): void;
}

export interface Ended {
  code: number | null;
  signal: string | null;
  /** The end of what it wrote to stderr. */
  stderr: string;
}

/** Keeps the end of a stream of text. */
export class Ring {
  #chunks: string[] = [];
  #length = 0;

  constructor(private readonly most: number) {}

  add(text: string): void {
    this.#chunks.push(text.slice(-this.most));
    this.#length += Math.min(text.length, this.most);
    while (this.#length - (this.#chunks[0] as string).length >= this.most) {
      this.#length -= (this.#chunks.shift() as string).length;
    }
  }

  toString(): string {
    return this.#chunks.join('').slice(-this.most);
  }
}
