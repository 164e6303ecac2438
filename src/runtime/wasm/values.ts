// Checks of arguments, with the same errors as the native addon (native/values.h).

type Kind = 'ARGUMENT' | 'RANGE' | 'MEMORY' | 'PROGRAM' | 'RUN'

export function failWith(kind: Kind, message: string, command?: number): Error {
  const make = kind === 'ARGUMENT' ? TypeError : kind === 'RANGE' ? RangeError : Error
  const error = Object.assign(new make(message), { code: `ERR_HEED_${kind}` })
  return command === undefined ? error : Object.assign(error, { command })
}

const MOST = 2 ** 50

export function wholeNumber(value: unknown, what: string): number {
  if (typeof value !== 'number') throw failWith('ARGUMENT', `${what} must be a number`)
  if (Number.isInteger(value) && value >= 0 && value <= MOST) return value
  throw failWith('RANGE', `${what} must be a whole number of at least 0, not ${value}`)
}

export function bytesOfView(value: unknown, what: string): Uint8Array {
  if (value instanceof ArrayBuffer) return new Uint8Array(value)
  if (ArrayBuffer.isView(value))
    return new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
  throw failWith('ARGUMENT', `${what} must be an ArrayBuffer or a view of one`)
}
