export { addHealth, createServiceApp, type ServiceApp, type ServiceAppOptions } from './app.js';
export { ERROR_CODES, type ErrorCode } from './codes.js';
export { endable, type Listening } from './ending.js';
export { listen, toSidecar } from './listen.js';
export { answerErrors, answerOf, type FieldError, notFound, Problem, type ProblemOptions } from './problem.js';
export { identifyRequest, REQUEST_ID_HEADER, type RequestIdentity } from './request-identity.js';
export { parseOrRefuse } from './validation.js';
