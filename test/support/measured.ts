/** Lines of metrics.jsonl without what is measured: speed and memory differ between runs that compute the same. */
export const withoutMeasured = (text: string): string =>
  text.replace(/,"(?:\w+_per_second|memory_bytes)":\d+/g, '')
