export { type KeySet, type KnownClient, keySetSchema, keysFrom, type PublicKey } from './keys.js';
export {
  bearerOf,
  optionalUser,
  principalOf,
  requireOperator,
  requireScope,
  requireUser,
  userOf,
  viewerOf,
} from './middleware.js';
export { ANONYMOUS, isOperator, nameOf, type Principal, ROLES, type Role, SCOPES, type Scope } from './principal.js';
export { ALGORITHM, CLIENT_TOKEN_PREFIX, hashToken, type SigningKey, type Subject, signAccessToken } from './token.js';
export { createVerifier, type Verifier, type VerifierOptions } from './verifier.js';
