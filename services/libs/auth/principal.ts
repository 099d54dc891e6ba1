import type { UserId } from '#domain';

export const ROLES = ['creator', 'operator'] as const;
/** Every user is a creator (who registers a video) and a viewer; an operator is both and answers for the platform. */
export type Role = (typeof ROLES)[number];

export const SCOPES = ['ingest', 'operator'] as const;
/** `ingest`: vouches for viewers of events. `operator`: the platform's own command line. */
export type Scope = (typeof SCOPES)[number];

/** Who sent a request, as proven by its token. */
export type Principal =
  | { readonly kind: 'anonymous' }
  | { readonly kind: 'user'; readonly userId: UserId; readonly roles: readonly Role[]; readonly sessionId: string }
  | { readonly kind: 'client'; readonly clientId: string; readonly scopes: readonly Scope[] };

export const ANONYMOUS: Principal = { kind: 'anonymous' };

/** For records of who did something: `u:<id>`, `c:<client>` or `anonymous`. */
export function nameOf(principal: Principal): string {
  if (principal.kind === 'user') return `u:${principal.userId}`;
  return principal.kind === 'client' ? `c:${principal.clientId}` : 'anonymous';
}

/** Whether the principal answers for the platform: an operator, or the platform's own command line. */
export function isOperator(principal: Principal): boolean {
  if (principal.kind === 'user') return principal.roles.includes('operator');
  return principal.kind === 'client' && principal.scopes.includes('operator');
}
