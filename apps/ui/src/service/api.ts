/** The client of the service's own document, `schema.ts`: who asks gets an answer, or an error that says why. */

import createClient from 'openapi-fetch';
import type { Client } from 'openapi-fetch';

import type { components, paths } from './schema.js';

export type Api = Client<paths>;
export type Schemas = components['schemas'];

/** The service refused, and says why. */
export class RefusedError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

/** It did not answer at all. */
export class AwayError extends Error {}

/** `unlock` is asked for the token once it is needed, and resolves when the service has accepted it. */
export function makeApi(unlock: () => Promise<void>, ask: typeof fetch = (request) => fetch(request)): Api {
  let unlocked: Promise<void> | undefined;
  const patient = async (request: Request): Promise<Response> => {
    for (;;) {
      const answer = await ask(request.clone()).catch((error: unknown) => {
        if (request.signal.aborted) throw error;
        throw new AwayError('The service does not answer.');
      });
      if (isOfProxy(answer)) throw new AwayError('The service does not answer.');
      if (answer.status !== 401 || request.url.endsWith('/session')) return answer;
      await (unlocked ??= unlock().finally(() => (unlocked = undefined)));
    }
  };
  return createClient<paths>({ baseUrl: location.origin, fetch: patient });
}

/** Whether a proxy answers in the place of a service that is away, or a service that is full: what it says itself is JSON. */
function isOfProxy({ status, headers }: Response): boolean {
  return [502, 503, 504].includes(status) && !(headers.get('Content-Type') ?? '').includes('json');
}

interface Answer<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/** What was answered. Throws RefusedError or AwayError. */
export async function told<T>(asked: Promise<Answer<T>>): Promise<NonNullable<T>> {
  const { data, error, response } = await asked;
  if (!response.ok) throw new RefusedError(response.status, reason(error) ?? `The service answered ${response.status}.`);
  return data as NonNullable<T>;
}

function reason(error: unknown): string | undefined {
  return (error as { error?: { message?: string } } | undefined)?.error?.message;
}
