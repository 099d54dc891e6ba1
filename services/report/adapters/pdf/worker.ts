import { parentPort } from 'node:worker_threads';
import type { Statement } from '../../domain/statement.js';
import { renderStatement } from './render.js';

/** What a thread is asked, and what it answers: the PDF's bytes, handed over without a copy, or why there are none. */
export interface RenderRequest {
  readonly id: number;
  readonly statement: Statement;
}

export type RenderAnswer =
  | { readonly id: number; readonly pdf: Uint8Array<ArrayBuffer> }
  | { readonly id: number; readonly error: string };

const port = parentPort;
if (port === null) throw new Error('this module is a worker thread');

port.on('message', async ({ id, statement }: RenderRequest) => {
  try {
    const pdf = new Uint8Array(await renderStatement(statement));
    port.postMessage({ id, pdf } satisfies RenderAnswer, [pdf.buffer]);
  } catch (error) {
    port.postMessage({ id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  }
});
