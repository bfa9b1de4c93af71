/** Files that were chosen for the next job, and how far they have come. A Svelte store. */

import { plural } from './words.js';

export interface Chosen {
  readonly id: number;
  readonly file: File;
  /** Whether it is to be read. */
  readonly isOn: boolean;
  /** Bytes that have arrived. */
  readonly sent: number;
  /** What the service calls it, once all of it has arrived. */
  readonly upload?: string;
  /** Why the service does not take it. */
  readonly trouble?: string;
}

export interface TrayView {
  readonly chosen: readonly Chosen[];
  readonly on: number;
  readonly isSending: boolean;
  readonly sentBytes: number;
  readonly bytes: number;
}

/** Sends a file, and says how many bytes have arrived; resolves to its name there. */
export type Send = (file: File, sent: (bytes: number) => void, stop: AbortSignal) => Promise<string>;

/** Whether another file may be tried after this error. */
export type IsOfOneFile = (error: unknown) => boolean;

const AT_ONCE = 3;

export class Tray {
  readonly #listeners = new Set<(view: TrayView) => void>();
  #chosen: Chosen[] = [];
  #places = new Map<number, number>();
  #stop: AbortController | undefined;
  #isDue = false;
  #lastId = 0;

  constructor(
    private readonly send: Send,
    private readonly isOfOneFile: IsOfOneFile,
    private readonly takeBack: (upload: string) => void,
    private readonly frame: (draw: () => void) => unknown,
  ) {}

  get view(): TrayView {
    let [on, sentBytes, bytes] = [0, 0, 0];
    for (const { isOn, sent, file } of this.#chosen) {
      if (!isOn) continue;
      on += 1;
      sentBytes += sent;
      bytes += file.size;
    }
    return { chosen: this.#chosen, on, isSending: this.#stop !== undefined, sentBytes, bytes };
  }

  subscribe(listener: (view: TrayView) => void): () => void {
    this.#listeners.add(listener);
    listener(this.view);
    return () => this.#listeners.delete(listener);
  }

  add(files: readonly File[]): void {
    this.#set([...this.#chosen, ...files.map((file) => ({ id: ++this.#lastId, file, isOn: true, sent: 0 }))]);
  }

  tick(id: number, isOn: boolean): void {
    this.#change(id, { isOn });
  }

  tickAll(isOn: boolean): void {
    this.#set(this.#chosen.map((one) => ({ ...one, isOn: isOn && one.trouble === undefined })));
  }

  /** Choose none of it any more; what has arrived goes from the service, too. */
  clear(): void {
    for (const { upload } of this.#chosen) if (upload !== undefined) this.takeBack(upload);
    this.#set([]);
  }

  stop(): void {
    this.#stop?.abort();
  }

  /** Send what is ticked. Returns the names that the service gave them; what it refuses stays, with its trouble. */
  async upload(): Promise<string[]> {
    const stop = (this.#stop = new AbortController());
    const waiting = this.#chosen.filter(({ isOn }) => isOn).map(({ id }) => id);
    const wanted = [...waiting];
    const work = async (): Promise<void> => {
      for (let id = waiting.shift(); id !== undefined; id = waiting.shift()) await this.#uploadOne(id, stop.signal);
    };
    try {
      await Promise.all(Array.from({ length: AT_ONCE }, work));
    } catch (error) {
      // The others that are on their way would go on for nothing.
      stop.abort();
      throw error;
    } finally {
      this.#stop = undefined;
      this.#draw();
    }
    return wanted.flatMap((id) => this.#at(id)?.upload ?? []);
  }

  /** Take off what has become a job. */
  drop(uploads: readonly string[]): void {
    const gone = new Set(uploads);
    this.#set(this.#chosen.filter(({ upload }) => upload === undefined || !gone.has(upload)));
  }

  async #uploadOne(id: number, stop: AbortSignal): Promise<void> {
    const one = this.#at(id);
    if (!one || one.upload !== undefined) return;
    stop.throwIfAborted();
    try {
      const upload = await this.send(one.file, (sent) => this.#change(id, { sent }), stop);
      this.#change(id, { upload, sent: one.file.size });
    } catch (error) {
      if (stop.aborted || !this.isOfOneFile(error)) throw error;
      this.#change(id, { trouble: String((error as Error).message), isOn: false, sent: 0 });
    }
  }

  #at(id: number): Chosen | undefined {
    const place = this.#places.get(id);
    return place === undefined ? undefined : this.#chosen[place];
  }

  #change(id: number, change: Partial<Chosen>): void {
    const one = this.#at(id);
    if (!one) return;
    this.#chosen[this.#places.get(id) as number] = { ...one, ...change };
    if (this.#isDue) return;
    this.#isDue = true;
    this.frame(() => this.#draw());
  }

  #set(chosen: Chosen[]): void {
    this.#chosen = chosen;
    this.#places = new Map(chosen.map(({ id }, place) => [id, place]));
    this.#draw();
  }

  #draw(): void {
    this.#isDue = false;
    this.#chosen = [...this.#chosen];
    const { view } = this;
    for (const listener of this.#listeners) listener(view);
  }
}

/** "Reading 3 files" is the job's; this is what comes before. */
export function sendingWords({ on, sentBytes, bytes }: TrayView): string {
  const percent = bytes > 0 ? Math.floor((100 * sentBytes) / bytes) : 0;
  return `Sending ${plural(on, 'file')}: ${percent} % of ${megabytes(bytes)}`;
}

export function megabytes(bytes: number): string {
  return bytes < 1e6 ? `${Math.max(1, Math.round(bytes / 1e3)).toLocaleString('en')} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}
