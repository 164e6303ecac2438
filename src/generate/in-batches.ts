/**
 * Runs all items in batches of one size, so that they share compiled programs. The last batch is filled with its first
 * item.
 */
export async function inBatches<T, R>(
  items: readonly T[],
  size: number,
  run: (batch: readonly T[]) => Promise<readonly R[]>,
): Promise<R[]> {
  const rows = Math.min(size, items.length)
  const results: R[] = []
  for (let from = 0; from < items.length; from += rows) {
    const batch = items.slice(from, from + rows)
    const filled = Array.from({ length: rows }, (_, i) => batch[i] ?? batch[0])
    results.push(...(await run(filled)).slice(0, batch.length))
  }
  return results
}
