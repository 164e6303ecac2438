/** Exceptions of Python and Jinja that a template can raise. */
export type FailureType =
  | 'TypeError'
  | 'ValueError'
  | 'KeyError'
  | 'IndexError'
  | 'AttributeError'
  | 'ZeroDivisionError'
  | 'OverflowError'
  | 'RuntimeError'
  | 'AssertionError'
  | 'UndefinedError'
  | 'SecurityError'
  | 'FilterArgumentError'
  | 'TemplateRuntimeError'
  | 'TemplateAssertionError'
  | 'TemplateSyntaxError'
  | 'TemplateError'
  | 'Refused'

/** A failure with the message of Python. `Refused`: valid in Python, but not supported by Heed. */
export class TemplateFailure extends Error {
  readonly type: FailureType

  constructor(type: FailureType, message: string) {
    super(message)
    this.type = type
  }
}

export function fail(type: FailureType, message: string): never {
  throw new TemplateFailure(type, message)
}

/** Returns the result of `work`, or of `otherwise` if it raises one of these exceptions. */
export function attempt<T>(work: () => T, types: readonly FailureType[], otherwise: () => T): T {
  try {
    return work()
  } catch (error) {
    if (error instanceof TemplateFailure && types.includes(error.type)) return otherwise()
    throw error
  }
}
