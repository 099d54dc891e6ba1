const ANSWER_MS = 2_000;

/** @returns the answer's text @throws unless the answer is 2xx */
export async function requireOk(url: string, headers: Record<string, string> = {}): Promise<string> {
  const response = await fetch(url, { headers, signal: AbortSignal.timeout(ANSWER_MS) }).catch((error: Error) => {
    const cause = error.cause instanceof Error ? error.cause.message : error.message;
    throw new Error(`${url}: ${cause}`, { cause: error });
  });
  const text = await response.text();
  if (response.ok) return text;
  throw new Error(`${url} answers ${response.status} ${text.slice(0, 200)}`);
}
