/** Why a mail will not be tried again by itself. */
export type MailFailure =
  /** The creator has no address. */
  | 'NO_ADDRESS'
  /** The mail server refused it for good. */
  | 'REFUSED'
  /** It was tried as often as allowed. */
  | 'GAVE_UP'
  /** The server may or may not have taken it: sending it again could be a second mail. */
  | 'IN_DOUBT';

/** How an attempt ended that was not accepted. */
export interface FailedAttempt {
  /** Status that the server answered with, when it did. */
  readonly responseCode: number | undefined;
  /** Whether the end of the message was sent, or may have been. */
  readonly endMayBeSent: boolean;
}

export type Verdict = { readonly kind: 'retry' } | { readonly kind: 'failed'; readonly failure: MailFailure };

/**
 * What to do after a failed attempt. An answer is certain, whatever came before it: 5xx refuses for good (RFC 5321,
 * 4.2.1), 4xx for now. No answer after the end of the message leaves the one doubt that SMTP has.
 */
export function verdictOf(
  attempt: FailedAttempt,
  { attempts, attemptsMax }: { attempts: number; attemptsMax: number },
): Verdict {
  const { responseCode, endMayBeSent } = attempt;
  if (responseCode !== undefined && responseCode >= 500) return { kind: 'failed', failure: 'REFUSED' };
  if (responseCode === undefined && endMayBeSent) return { kind: 'failed', failure: 'IN_DOUBT' };
  return attempts >= attemptsMax ? { kind: 'failed', failure: 'GAVE_UP' } : { kind: 'retry' };
}

/** How long to wait after that many attempts, in ms: doubling from `firstMs`, at most an hour. */
export function backoffMs(attempts: number, firstMs: number): number {
  return Math.min(3_600_000, firstMs * 2 ** Math.min(20, attempts - 1));
}

/**
 * The Message-ID of a creator's mail of a week and revision: the same in every attempt, so that a server or client
 * that gets a second copy can tell.
 */
export function messageIdOf(mail: { creatorId: bigint; week: string; revision: number }, domain: string): string {
  return `<statement.${mail.creatorId}.${mail.week}.r${mail.revision}@${domain}>`;
}
