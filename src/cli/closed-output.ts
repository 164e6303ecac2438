// Handles output that is no longer read: `heed generate … | head`, a closed terminal.

let required = true

/** For commands whose result is a file: they continue when their output is closed. */
export function continueWithoutOutput(): void {
  required = false
}

/** Ends the process when its result cannot be delivered. Errors and progress on standard error are dropped. */
export function watchOutput(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (!isClosed(error)) process.exit(1)
    if (required) process.exit(0)
  })
  process.stderr.on('error', () => {})
}

/** Error codes of a closed output. EIO: the terminal was closed. EOF: a pipe was closed, on Windows. */
const CLOSED: ReadonlySet<string | undefined> = new Set([
  'EPIPE',
  'EIO',
  'EOF',
  'ERR_STREAM_DESTROYED',
])

const isClosed = ({ code }: NodeJS.ErrnoException): boolean => CLOSED.has(code)
