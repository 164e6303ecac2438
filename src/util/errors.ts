/**
 * A mistake that the user can mend. The message names the thing, the value and the remedy;
 * the command line prints it without a stack trace and exits with code 2.
 */
export class HeedError extends Error {
  override readonly name: string = 'HeedError'

  constructor(message: string, options: { cause?: unknown; remedy?: string } = {}) {
    const text = options.remedy ? `${message}\n  ${options.remedy}` : message
    super(text, options.cause === undefined ? undefined : { cause: options.cause })
  }
}

/** A tensor was read after the state that it was to be computed from had been overwritten. */
export class StaleTensorError extends HeedError {
  override readonly name = 'StaleTensorError'
}

/** Shapes or dtypes that do not fit an operation. */
export class ShapeError extends HeedError {
  override readonly name = 'ShapeError'
}

/** Memory that cannot be had. The message says how much was asked, and what holds the most. */
export class OutOfMemoryError extends HeedError {
  override readonly name = 'OutOfMemoryError'
}
