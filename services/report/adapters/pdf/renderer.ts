import { Worker } from 'node:worker_threads';
import type { Statement } from '../../domain/statement.js';
import type { RenderAnswer, RenderRequest } from './worker.js';

interface Job {
  readonly statement: Statement;
  readonly resolve: (pdf: Buffer) => void;
  readonly reject: (error: Error) => void;
}

interface Thread {
  readonly worker: Worker;
  job: Job | undefined;
  done: number;
}

export interface PdfRendererOptions {
  readonly threads: number;
  /** The compiled worker module. */
  readonly module?: URL;
  /** Documents after which a thread is replaced, so that what libraries keep cannot grow for ever. */
  readonly documentsPerThread?: number;
  /** Heap of a thread in MB. */
  readonly heapMb?: number;
}

/** Makes PDFs in worker threads, one at a time each; a thread that dies fails its document only. */
export class PdfRenderer {
  readonly #queue: Job[] = [];
  readonly #threads = new Set<Thread>();
  #nextId = 1;
  #closed = false;

  constructor(private readonly options: PdfRendererOptions) {}

  /** @throws Error when the document cannot be made */
  render(statement: Statement): Promise<Buffer> {
    if (this.#closed) return Promise.reject(new Error('the renderer is closed'));
    return new Promise((resolve, reject) => {
      this.#queue.push({ statement, resolve, reject });
      this.#deal();
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#threads].map(({ worker }) => worker.terminate()));
  }

  #deal(): void {
    while (this.#queue.length > 0) {
      const thread = this.#freeThread();
      if (thread === undefined) return;
      thread.job = this.#queue.shift();
      if (thread.job === undefined) return;
      thread.worker.postMessage({ id: this.#nextId, statement: thread.job.statement } satisfies RenderRequest);
      this.#nextId += 1;
    }
  }

  #freeThread(): Thread | undefined {
    for (const thread of this.#threads) if (thread.job === undefined) return thread;
    return this.#threads.size < this.options.threads ? this.#startThread() : undefined;
  }

  #startThread(): Thread {
    const worker = new Worker(this.options.module ?? new URL('./worker.js', import.meta.url), {
      resourceLimits: { maxOldGenerationSizeMb: this.options.heapMb ?? 192 },
    });
    worker.unref();
    const thread: Thread = { worker, job: undefined, done: 0 };
    this.#threads.add(thread);
    worker.on('message', (answer: RenderAnswer) => this.#onAnswer(thread, answer));
    worker.on('error', (error) => this.#onEnd(thread, error));
    worker.on('exit', () => this.#onEnd(thread, new Error('the thread has ended')));
    return thread;
  }

  #onAnswer(thread: Thread, answer: RenderAnswer): void {
    const { job } = thread;
    thread.job = undefined;
    thread.done += 1;
    if (thread.done >= (this.options.documentsPerThread ?? 2_000)) {
      this.#threads.delete(thread);
      void thread.worker.terminate();
    }
    if ('pdf' in answer) job?.resolve(Buffer.from(answer.pdf.buffer));
    else job?.reject(new Error(answer.error));
    this.#deal();
  }

  #onEnd(thread: Thread, error: Error): void {
    this.#threads.delete(thread);
    thread.job?.reject(error);
    thread.job = undefined;
    if (!this.#closed) this.#deal();
  }
}
