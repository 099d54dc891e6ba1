/** Every code that an answer can carry, with its status. docs/errors.md lists the same ones. */
export const ERROR_CODES = {
  UNREADABLE: { status: 400, title: 'The request could not be read' },
  UNAUTHENTICATED: { status: 401, title: 'No valid token' },
  LOGIN_FAILED: { status: 401, title: 'Email or password is wrong' },
  REFRESH_REFUSED: { status: 401, title: 'The refresh token is not valid' },
  FORBIDDEN: { status: 403, title: 'Not yours' },
  NOT_FOUND: { status: 404, title: 'Not found' },
  NOT_ACCEPTABLE: { status: 406, title: 'There is no such form of it' },
  CLIENT_EXISTS: { status: 409, title: 'A client has this name' },
  EMAIL_TAKEN: { status: 409, title: 'The email address has an account' },
  RUN_ACTIVE: { status: 409, title: 'The day is already running' },
  SETTLEMENT_GAP: { status: 409, title: 'An earlier day is not settled' },
  DAY_NOT_HELD: { status: 409, title: 'The day is not held' },
  TARIFF_CLOSED_DAY: { status: 409, title: 'A day that the tariff would price is settled' },
  TARIFF_OVERLAP: { status: 409, title: 'Another tariff takes effect on that day' },
  STATISTICS_MISSING: { status: 409, title: 'The day has no statistics yet' },
  WEEK_NOT_SETTLED: { status: 409, title: 'A day of the week is not settled yet' },
  BODY_TOO_LARGE: { status: 413, title: 'The body is too large' },
  INVALID: { status: 422, title: 'A field fails a rule' },
  WEEK_NOT_OVER: { status: 422, title: 'The week is not over' },
  DAY_NOT_OVER: { status: 422, title: 'The day is not over' },
  TOO_MANY_REQUESTS: { status: 429, title: 'Too many requests' },
  INTERNAL: { status: 500, title: 'Something went wrong on our side' },
  UNAVAILABLE: { status: 503, title: 'A dependency is down' },
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;
