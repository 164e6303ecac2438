import { formatBytes } from '../util/format.ts'

/** Memory in use by label, so that an out-of-memory error can name the largest owners. */
export class LargestOwners {
  private readonly bytes = new Map<string, number>()
  private readonly registry = new FinalizationRegistry<{ label: string; bytes: number }>(
    ({ label, bytes }) => this.count(label, -bytes),
  )

  /** Bytes of all memory that is alive. */
  total = 0

  add(memory: { label: string }, bytes: number): void {
    this.count(memory.label, bytes)
    this.registry.register(memory, { label: memory.label, bytes })
  }

  describe(most = 3): string {
    const sorted = [...this.bytes].sort((a, b) => b[1] - a[1]).slice(0, most)
    if (sorted.length === 0) return 'none by tensors'
    return `mostly by ${sorted.map(([label, bytes]) => `${label} (${formatBytes(bytes)})`).join(', ')}`
  }

  private count(label: string, bytes: number): void {
    this.total += bytes
    const now = (this.bytes.get(label) ?? 0) + bytes
    if (now > 0) this.bytes.set(label, now)
    else this.bytes.delete(label)
  }
}
