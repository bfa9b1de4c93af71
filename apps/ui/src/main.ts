/** Put the page together. */

import { mount } from 'svelte';

import './app.css';
import { findHost } from './hosts/find.js';
import { Desk } from './model/desk.js';
import App from './views/App.svelte';
import Nobody from './views/Nobody.svelte';

const target = document.querySelector('#app') as HTMLElement;

try {
  const host = await findHost(window);
  if (host) mount(App, { target, props: { desk: new Desk(host, localStorage, (draw) => requestAnimationFrame(draw)) } });
  else mount(Nobody, { target, props: { why: 'No app is around this page: it belongs into one that can reach the worker.' } });
} catch (error) {
  const why = `The worker could not be started: ${String((error as Error)?.message ?? error)}`;
  mount(Nobody, { target, props: { why } });
}
document.body.dataset.ready = '';
