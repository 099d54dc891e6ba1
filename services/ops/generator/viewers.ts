import type { Viewer } from '#domain';
import { mix } from './random.js';

const KIND_SALT = 0x41e3;
const DEVICE_SALTS = [0xdef1ce01, 0xdef1ce02, 0xdef1ce03, 0xdef1ce04] as const;
const VIEWERS_MIN = 64;
/** Bounds the memory: each viewer that occurs keeps some 80 bytes. */
const VIEWERS_MAX = 262_144;
const EVENTS_PER_VIEWER = 8;

/** How many viewers there are for that many events of a day; always even. */
export function viewerCount(events: number): number {
  const wanted = Math.ceil(events / EVENTS_PER_VIEWER / 2) * 2;
  return Math.min(VIEWERS_MAX, Math.max(VIEWERS_MIN, wanted));
}

/** The viewers 0 … size − 1: three in five are users (user id = index + 1), the others devices. Fixed for all seeds. */
export class ViewerPool {
  private readonly texts: (Viewer | undefined)[];

  constructor(readonly size: number) {
    this.texts = new Array<Viewer | undefined>(size).fill(undefined);
  }

  viewer(index: number): Viewer {
    let text = this.texts[index];
    if (text === undefined) {
      text = (mix(KIND_SALT, index) % 5 < 3 ? `u:${index + 1}` : `d:${deviceUuid(index)}`) as Viewer;
      this.texts[index] = text;
    }
    return text;
  }
}

function deviceUuid(index: number): string {
  const [a, b, c, d] = DEVICE_SALTS.map((salt) => mix(salt, index).toString(16).padStart(8, '0')) as [
    string,
    string,
    string,
    string,
  ];
  const variant = (8 + (Number.parseInt(c[0]!, 16) & 3)).toString(16);
  return `${a}-${b.slice(0, 4)}-4${b.slice(5)}-${variant}${c.slice(1, 4)}-${c.slice(4)}${d}`;
}
