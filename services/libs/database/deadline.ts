/** A server has not answered in time. */
export class DeadlineError extends Error {}

/**
 * Waits for `work` no longer than that; what it does afterwards is nobody's concern.
 * @throws DeadlineError
 */
export async function withDeadline<T>(work: Promise<T>, deadlineMs: number, server: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new DeadlineError(`${server} did not answer within ${deadlineMs} ms`)), deadlineMs);
  });
  work.catch(() => undefined);
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
