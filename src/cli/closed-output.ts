// What happens when nobody reads the output any more: `heed generate … | head`, a closed terminal.

let required = true

/** For commands whose result is a file: they run to their end without output. */
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

/** EIO: the terminal is gone. EOF: a pipe is closed, on Windows. */
const CLOSED: ReadonlySet<string | undefined> = new Set([
  'EPIPE',
  'EIO',
  'EOF',
  'ERR_STREAM_DESTROYED',
])

const isClosed = ({ code }: NodeJS.ErrnoException): boolean => CLOSED.has(code)
