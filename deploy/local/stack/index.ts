export type { AppEndpoint, Endpoint, StackEndpoints } from './endpoints.js';
export { SetupError } from './errors.js';
export { layoutOf, ROOT_DIR, type StateLayout } from './paths.js';
export { type PollOptions, poll } from './poll.js';
export type { RunStep } from './run-step.js';
export type { Credentials, Secrets } from './secrets.js';
export { credentialsOf } from './secrets.js';
export { connect, connectPool, withConnection } from './sql.js';
export { type Stack, type StackOptions, startStack } from './stack.js';
