/** Every code a rule can fail with. Codes are stable: clients and the documentation rely on them. */
export const DOMAIN_ERROR_CODES = [
  'AMOUNT_TOO_LARGE',
  'DAY_NOT_HELD',
  'DAY_NOT_OVER',
  'DAY_OUT_OF_RANGE',
  'INVALID_AD_COUNT',
  'INVALID_AMOUNT',
  'INVALID_DAY',
  'INVALID_EVENT_ID',
  'INVALID_ID',
  'INVALID_INSTANT',
  'INVALID_LENGTH',
  'INVALID_MONTH',
  'INVALID_PERIOD_KIND',
  'INVALID_POSITION',
  'INVALID_REASON',
  'INVALID_UNIT_PRICE',
  'INVALID_VIEWER',
  'INVALID_WEEK',
  'NO_POLICY_IN_EFFECT',
  'NO_TARIFF_IN_EFFECT',
  'RAW_DAY_DROPPED',
  'RAW_DAY_NEEDED',
  'RETENTION_TOO_SHORT',
  'RUN_ACTIVE',
  'SETTLEMENT_GAP',
  'STATISTICS_MISSING',
  'TARIFF_CLOSED_DAY',
  'TARIFF_OVERLAP',
] as const;

export type DomainErrorCode = (typeof DOMAIN_ERROR_CODES)[number];

/** One thing wrong with one field of an input, in words for the client. `field` is a JSON path such as `view[2].from`. */
export interface FieldError {
  readonly field: string;
  readonly message: string;
}

export interface DomainErrorOptions {
  /** The input's field that broke the rule, when there is one. */
  readonly field?: string;
  /** Facts for programs, e.g. `{firstMissingDay: '2026-03-02'}`. */
  readonly details?: Readonly<Record<string, string>>;
}

/** A rule was broken. `code` is stable, `message` is fit to be shown to a client, `field` names the input at fault. */
export class DomainError extends Error {
  readonly code: DomainErrorCode;
  readonly field?: string;
  readonly details?: Readonly<Record<string, string>>;

  constructor(code: DomainErrorCode, message: string, options: DomainErrorOptions = {}) {
    super(message);
    this.name = 'DomainError';
    this.code = code;
    if (options.field !== undefined) this.field = options.field;
    if (options.details !== undefined) this.details = options.details;
  }
}

/** Whether `error` is a broken rule (as opposed to a defect or a dependency's failure). */
export function isDomainError(error: unknown): error is DomainError {
  return error instanceof DomainError;
}
