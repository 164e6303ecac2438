/**
 * Resolves after the event loop has gone round once. Finalisers of dropped native buffers run only
 * then, never between microtasks, so whoever waits for a step waits for this too.
 */
export function macrotask(): Promise<void> {
  if (typeof setImmediate === 'function') return new Promise((resolve) => setImmediate(resolve))
  return new Promise((resolve) => setTimeout(resolve, 0))
}
