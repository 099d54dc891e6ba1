/**
 * Loaded before a service's own code (Node's `--import`): from one moment to the next its time of day is off by what a
 * file says, as after a wrong setting of the machine's clock. The file is `<replica>.clock` in the folder of the URL's
 * `dir`, with a number of milliseconds; without it the time is right.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const LOOK_INTERVAL_MS = 100;
const file = join(
  new URL(import.meta.url).searchParams.get('dir') ?? '.',
  `${process.env.PLAYBILL_REPLICA ?? 'none'}.clock`,
);
const realNow = Date.now.bind(Date);
let offsetMs = 0;

function look(): void {
  try {
    offsetMs = Number(readFileSync(file, 'utf8'));
  } catch {
    offsetMs = 0;
  }
}

look();
setInterval(look, LOOK_INTERVAL_MS).unref();
Date.now = () => realNow() + offsetMs;
globalThis.Date = new Proxy(Date, {
  construct: (target, args, newTarget) => Reflect.construct(target, args.length === 0 ? [Date.now()] : args, newTarget),
  apply: (target) => new target(Date.now()).toString(),
});
