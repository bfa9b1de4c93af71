/** All that the page shows: jobs that run or ran, jobs to take up again, the last notice. A Svelte store. */

import { cardOf } from './card.js';
import type { Card } from './card.js';
import type { Host, JobSummary, OcrJob } from './host.js';
import { optionsOf, outputDirOf, recall, remember } from './wishes.js';
import type { Keep, Wishes } from './wishes.js';
import { plural } from './words.js';

export interface View {
  /** Newest first. */
  readonly cards: readonly Card[];
  readonly interrupted: readonly JobSummary[];
  readonly wishes: Wishes;
  /** For the eye and for screen readers; empty if there is nothing to say. */
  readonly notice: string;
}

/** Calls once before the next picture is drawn, as requestAnimationFrame does. */
export type Frame = (draw: () => void) => unknown;

export class Desk {
  readonly #jobs = new Map<number, OcrJob>();
  readonly #stale = new Set<number>();
  readonly #leave = new Map<number, () => void>();
  readonly #listeners = new Set<(view: View) => void>();
  #view: View;
  #isDue = false;
  #lastKey = 0;

  constructor(
    readonly host: Host,
    private readonly keep: Keep,
    private readonly frame: Frame,
  ) {
    this.#view = { cards: [], interrupted: [], wishes: recall(keep), notice: '' };
    host.onJob((job) => this.#show(job));
    host.disk.onDrop((paths) => void this.add(paths));
    void this.look();
  }

  get view(): View {
    return this.#view;
  }

  subscribe(listener: (view: View) => void): () => void {
    this.#listeners.add(listener);
    listener(this.#view);
    return () => this.#listeners.delete(listener);
  }

  wish(wishes: Wishes): void {
    remember(this.keep, wishes);
    this.#set({ wishes });
  }

  /** Begin a batch of these files, and of what is in these folders. */
  async add(paths: readonly string[]): Promise<void> {
    await this.try(async () => {
      const files = paths.length > 0 ? await this.host.disk.expand(paths) : [];
      if (files.length === 0) {
        this.#set({ notice: 'There is no file to read in this: PDF, TIFF, PNG, JPEG and other images are read.' });
        return;
      }
      const { wishes } = this.#view;
      this.host.begin(files, this.host.service ? wishes.outputDir : outputDirOf(wishes, files), optionsOf(wishes));
      this.#set({ notice: `${plural(files.length, 'file')} taken in.` });
    });
  }

  /** Begin a batch of what is ticked in the tray. */
  async addTray(): Promise<void> {
    await this.try(async () => {
      const { service } = this.host;
      const { wishes } = this.#view;
      const count = await service?.beginTray(service.takesPaths ? wishes.outputDir : '', optionsOf(wishes));
      if (count) this.#set({ notice: `${plural(count, 'file')} taken in.` });
    });
  }

  async choose(what: 'files' | 'folder'): Promise<void> {
    await this.try(async () => {
      const paths = await this.host.disk.choose?.(what);
      if (paths && paths.length > 0) await this.add(paths);
    });
  }

  async chooseOutputDir(): Promise<void> {
    await this.try(async () => {
      const [outputDir] = (await this.host.disk.choose?.('folder')) ?? [];
      if (outputDir !== undefined) this.wish({ ...this.#view.wishes, outputDir });
    });
  }

  async steer(key: number, command: 'pause' | 'resume' | 'cancel' | 'retry'): Promise<void> {
    await this.try(async () => this.#jobs.get(key)?.[command]?.());
  }

  async open(path: string): Promise<void> {
    await this.try(async () => this.host.disk.open?.(path));
  }

  /** Take an ended job off the page; its outputs stay. */
  dismiss(key: number): void {
    this.#leave.get(key)?.();
    for (const map of [this.#jobs, this.#leave]) map.delete(key);
    this.#stale.delete(key);
    this.#set({ cards: this.#view.cards.filter((card) => card.key !== key) });
  }

  /** Look for jobs that the app's last end interrupted. */
  async look(): Promise<void> {
    await this.try(async () => this.#set({ interrupted: await this.host.interrupted() }));
  }

  reopen(jobId: string): void {
    this.#set({ interrupted: this.#view.interrupted.filter(({ job_id }) => job_id !== jobId) });
    this.host.reopen(jobId);
  }

  #show(job: OcrJob): void {
    if ([...this.#jobs.values()].includes(job)) return;
    const key = ++this.#lastKey;
    this.#jobs.set(key, job);
    this.#set({ cards: [cardOf(key, job), ...this.#view.cards] });
    let wasOver = job.isOver;
    const leave = job.subscribe(() => {
      this.#changed(key);
      if (job.isOver && !wasOver) this.#set({ notice: cardOf(key, job).words });
      wasOver = job.isOver;
    });
    this.#leave.set(key, leave);
  }

  /** Events come by the hundred a second; pictures do not. */
  #changed(key: number): void {
    this.#stale.add(key);
    if (this.#isDue) return;
    this.#isDue = true;
    this.frame(() => this.#draw());
  }

  #draw(): void {
    this.#isDue = false;
    const cards = this.#view.cards.map((card) => {
      const job = this.#stale.has(card.key) ? this.#jobs.get(card.key) : undefined;
      return job ? cardOf(card.key, job) : card;
    });
    this.#stale.clear();
    this.#set({ cards });
  }

  /** Do it, or say why it cannot be done. */
  async try(attempt: () => Promise<unknown>): Promise<void> {
    try {
      await attempt();
    } catch (error) {
      this.#set({ notice: String((error as Error)?.message ?? error) });
    }
  }

  #set(change: Partial<View>): void {
    this.#view = { ...this.#view, ...change };
    for (const listener of this.#listeners) listener(this.#view);
  }
}
