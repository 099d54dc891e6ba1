import { join } from 'node:path';
import type { Endpoint } from './endpoints.js';
import { requireOk } from './http.js';
import type { ProcessSpec } from './managed-process.js';
import { ROOT_DIR, type StateLayout } from './paths.js';
import { StopOrder } from './stop-order.js';

export interface InboxOptions {
  readonly layout: StateLayout;
  readonly smtp: Endpoint;
  readonly web: Endpoint;
  readonly env: NodeJS.ProcessEnv;
}

const MAILS_MAX = 2_000;

/** How the development inbox is run: it takes every mail, delivers none, and shows them on a web page. */
export function inboxSpec({ layout, smtp, web, env }: InboxOptions): ProcessSpec {
  return {
    name: 'mail-inbox',
    command: process.execPath,
    args: [
      join(ROOT_DIR, 'node_modules', 'maildev', 'dist', 'bin', 'maildev.js'),
      ...['--smtp', String(smtp.port), '--ip', smtp.host],
      ...['--web', String(web.port), '--web-ip', web.host],
      ...['--max-emails', String(MAILS_MAX), '--mail-directory', join(layout.stateDir, 'mail')],
    ],
    env: { PATH: env.PATH, HOME: env.HOME, TZ: 'UTC' },
    cwd: layout.stateDir,
    check: async () => void (await requireOk(`http://${web.host}:${web.port}/api/healthz`)),
    stopGraceMs: 3_000,
    stopOrder: StopOrder.controlPlane,
  };
}
