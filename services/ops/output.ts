import { DomainError } from '#domain';
import { ConfigError } from '#lib/config';
import { CommandError } from './errors.js';

/** Prints a command's result: a text for people, or the value itself for programs. */
export function printResult({ json, value, text }: { json: boolean; value: unknown; text: () => string }): void {
  process.stdout.write(`${json ? JSON.stringify(value, null, 2) : text()}\n`);
}

/** What is told of a failure. */
export interface Failure {
  readonly code: string;
  readonly detail: string;
}

/** One line, whatever was thrown. */
export function describeFailure(error: unknown): Failure {
  if (error instanceof CommandError) return { code: error.code, detail: oneLine(error.message) };
  if (error instanceof DomainError) {
    const field = error.field === undefined ? '' : `${error.field}: `;
    return { code: error.code, detail: oneLine(field + error.message) };
  }
  if (error instanceof ConfigError) return { code: 'CONFIGURATION', detail: oneLine(error.message) };
  const code = (error as { code?: unknown }).code;
  const detail = error instanceof Error ? error.message : String(error);
  return { code: typeof code === 'string' ? code : 'FAILED', detail: oneLine(detail) };
}

function oneLine(text: string): string {
  return text.replaceAll(/\s*\n\s*/g, ' ').trim();
}
