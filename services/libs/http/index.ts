export { createServiceApp, type ServiceApp, type ServiceAppOptions } from './app.js';
export { ERROR_CODES, type ErrorCode } from './codes.js';
export { answerErrors, type FieldError, notFound, Problem, type ProblemOptions, sendProblem } from './problem.js';
export { parseOrRefuse } from './validation.js';
