/** A command could not do what it was asked; shown to the operator as one line, `code: message`. */
export class CommandError extends Error {
  constructor(
    readonly code: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'CommandError';
  }
}
