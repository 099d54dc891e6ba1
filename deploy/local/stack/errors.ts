/** A condition that a person can do something about: shown as one line and a hint, without a stack trace. */
export class SetupError extends Error {
  constructor(
    message: string,
    readonly hint: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
