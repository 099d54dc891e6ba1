import { DomainError, type DomainErrorCode } from '#domain';

/** Runs `action`, which must break a rule, and gives the error. */
export function domainErrorOf(action: () => unknown): DomainError {
  try {
    action();
  } catch (error) {
    if (error instanceof DomainError) return error;
    throw error;
  }
  throw new Error('expected a DomainError, nothing was thrown');
}

/** The code with which `action` fails. */
export function codeOf(action: () => unknown): DomainErrorCode {
  return domainErrorOf(action).code;
}
