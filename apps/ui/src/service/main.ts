/** Put the page of the service together. */

import { mount, unmount } from 'svelte';

import '../app.css';
import { Desk } from '../model/desk.js';
import App from '../views/App.svelte';
import Login from '../views/Login.svelte';
import { AwayError, makeApi, told } from './api.js';
import type { Api } from './api.js';
import { ServiceHost } from './host.js';

const AGAIN_MS = 2000;
const target = document.querySelector('#app') as HTMLElement;
const api: Api = makeApi(unlock);

/** A dialog over whatever is there, until the service takes the token. */
async function unlock(): Promise<void> {
  await new Promise<void>((resolve) => {
    const dialog = mount(Login, {
      target: document.body,
      props: {
        open: async (token: string) => {
          await told(api.POST('/api/v1/session', { body: { token } }));
          await unmount(dialog);
          resolve();
        },
      },
    });
  });
}

/** A service that is just being started is waited for. */
async function begin(): Promise<ServiceHost> {
  for (;;) {
    try {
      const { languages } = await told(api.GET('/api/v1/languages'));
      const { paths_taken } = await told(api.GET('/api/v1/health'));
      return new ServiceHost(api, languages, paths_taken);
    } catch (error) {
      if (!(error instanceof AwayError)) throw error;
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    }
  }
}

const host = await begin();
mount(App, { target, props: { desk: new Desk(host, localStorage, (draw) => requestAnimationFrame(draw)) } });
void host.live();
document.body.dataset.ready = '';
