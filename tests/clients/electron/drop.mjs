// `node drop.mjs MAIN SCAN`: run an app of Electron's with the stand-in, drop a scan on its window, and close that.
import { once } from 'node:events';
import { register } from 'node:module';
import { setTimeout as later } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';

const [main, scan] = process.argv.slice(2);
const standIn = new URL('stand_in.mjs', import.meta.url).href;
const hook = `export const resolve = (name, context, next) =>
  name === 'electron' ? { url: ${JSON.stringify(standIn)}, shortCircuit: true } : next(name, context);`;
register(`data:text/javascript,${encodeURIComponent(hook)}`);

const { app, news, run } = await import(standIn);
const opened = once(news, 'page');
await run(pathToFileURL(main).href);
const [{ output, fire }] = await opened;
fire('drop', { preventDefault() {}, dataTransfer: { files: [{ path: scan }] } });
while (!/^(completed|error|.*failed)/.test(output.textContent)) await later(20);
console.log(output.textContent);
const quit = once(news, 'quit');
app.emit('window-all-closed');
await quit;
