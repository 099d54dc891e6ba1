import type { Request, RequestHandler, Response } from 'express';
import { DomainError, type Viewer, viewerOfDevice, viewerOfUser } from '#domain';
import { Problem } from '#lib/http';
import { ANONYMOUS, isOperator, type Principal, type Scope } from './principal.js';
import type { Verifier } from './verifier.js';

/**
 * Reads the bearer token of a request.
 * @returns undefined when it has none
 * @throws Problem UNAUTHENTICATED for an Authorization header of another kind
 */
export function bearerOf(req: Pick<Request, 'get'>): string | undefined {
  const header = req.get('authorization');
  if (header === undefined) return undefined;
  const match = /^bearer +([\w~+/.=-]+)$/i.exec(header);
  if (match === null) throw new Problem('UNAUTHENTICATED', { detail: 'Authorization must be: Bearer <token>.' });
  return match[1];
}

/** Takes the token when there is one; a token that is not valid is refused, not ignored. */
export function optionalUser(verifier: Verifier): RequestHandler {
  return guard(verifier, () => undefined);
}

/** Lets in users only: 401 without a token, 403 with a client's. */
export function requireUser(verifier: Verifier): RequestHandler {
  return guard(verifier, (principal) => {
    if (principal.kind !== 'user') throw refusalOf(principal, 'This is for users.');
  });
}

/** Lets in operators, and the platform's own command line. */
export function requireOperator(verifier: Verifier): RequestHandler {
  return guard(verifier, (principal) => {
    if (!isOperator(principal)) throw refusalOf(principal, 'This is for operators.');
  });
}

/** Lets in clients whose token has the scope. */
export function requireScope(verifier: Verifier, scope: Scope): RequestHandler {
  return guard(verifier, (principal) => {
    const has = principal.kind === 'client' && principal.scopes.includes(scope);
    if (!has) throw refusalOf(principal, `This needs a client token with the scope ${scope}.`);
  });
}

function guard(verifier: Verifier, check: (principal: Principal) => void): RequestHandler {
  return async (req, res, next) => {
    const token = bearerOf(req);
    const principal = token === undefined ? ANONYMOUS : await verifier.verify(token);
    check(principal);
    res.locals.principal = principal;
    next();
  };
}

function refusalOf(principal: Principal, detail: string): Problem {
  if (principal.kind === 'anonymous') return new Problem('UNAUTHENTICATED', { detail: 'Authorization is missing.' });
  return new Problem('FORBIDDEN', { detail });
}

/** Who sent the request. @throws Error when no middleware of this module ran before: a defect */
export function principalOf(res: Response): Principal {
  const { principal } = res.locals as { principal?: Principal };
  if (principal === undefined) throw new Error('the route has no authentication middleware');
  return principal;
}

/** The user who sent the request, after `requireUser`. @throws Error otherwise: a defect */
export function userOf(res: Response): Extract<Principal, { kind: 'user' }> {
  const principal = principalOf(res);
  if (principal.kind !== 'user') throw new Error('the route does not require a user');
  return principal;
}

/**
 * Who watches: the signed-in user, or else the device of X-Device-UUID. After `optionalUser`.
 * @throws Problem UNAUTHENTICATED when there is neither, INVALID for a device that is no UUID, FORBIDDEN for a client
 */
export function viewerOf(req: Pick<Request, 'get'>, res: Response): Viewer {
  const principal = principalOf(res);
  if (principal.kind === 'user') return viewerOfUser(principal.userId);
  if (principal.kind === 'client') throw new Problem('FORBIDDEN', { detail: 'A client does not watch.' });
  const device = req.get('x-device-uuid');
  if (device === undefined) {
    throw new Problem('UNAUTHENTICATED', { detail: 'Send Authorization, or X-Device-UUID of an anonymous viewer.' });
  }
  try {
    return viewerOfDevice(device);
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    throw new Problem('INVALID', {
      detail: `X-Device-UUID: ${error.message}`,
      errors: [{ field: 'X-Device-UUID', message: error.message }],
    });
  }
}
