// Colours of standard output and of standard error, each for itself. picocolors alone decides both by standard output,
// and on Windows colours also what goes into a file.
import picocolors from 'picocolors'

/**
 * NO_COLOR switches colours off, FORCE_COLOR on; otherwise terminals have them, unless TERM is dumb. Node translates the
 * escape sequences for a Windows console that does not know them.
 */
export function hasColors(stream: { isTTY?: boolean }, env = process.env): boolean {
  if (env.NO_COLOR) return false
  if (env.FORCE_COLOR) return !['0', 'false'].includes(env.FORCE_COLOR)
  return isTerminal(stream, env)
}

/** Whether a stream is a terminal that moves its cursor: lines can be redrawn there. */
export const isTerminal = (stream: { isTTY?: boolean }, env = process.env): boolean =>
  stream.isTTY === true && env.TERM !== 'dumb'

export const pc = picocolors.createColors(hasColors(process.stdout))
/** The same for standard error. */
export const stderrColors = picocolors.createColors(hasColors(process.stderr))
