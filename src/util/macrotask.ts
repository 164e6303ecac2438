/**
 * Resolves in the next iteration of the event loop. Finalisers of native buffers run only between macrotasks, so code
 * that waits for a step also waits for this.
 */
export function macrotask(): Promise<void> {
  if (typeof setImmediate === 'function') return new Promise((resolve) => setImmediate(resolve))
  return new Promise((resolve) => setTimeout(resolve, 0))
}
