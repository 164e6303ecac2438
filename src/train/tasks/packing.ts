import { argumentKinds } from '../../util/argument-kinds.ts'

const checkPack = argumentKinds('packLengths', { lengths: 'collection', capacity: 'size' })

/**
 * Distributes items of these lengths to bins of a capacity by best-fit decreasing: the longest item first, each to the bin
 * with the least room that is enough (Johnson, 1974; Ding et al., 2024, "Fewer Truncations Improve Language Modeling"). No
 * item is split. Items that are longer than the capacity have a bin of their own.
 * @returns the indices of the items of each bin
 */
export function packLengths(lengths: ArrayLike<number>, capacity: number): number[][] {
  checkPack(lengths, capacity)
  const order = Uint32Array.from(lengths, (_, i) => i).sort((a, b) => lengths[b] - lengths[a])
  const bins: number[][] = []
  /** Bins by the room that is left. */
  const open: number[][] = Array.from({ length: capacity + 1 }, () => [])
  for (const item of order) {
    const length = lengths[item]
    let room = length
    while (room <= capacity && open[room].length === 0) room++
    const bin = room <= capacity ? Number(open[room].pop()) : bins.push([]) - 1
    bins[bin].push(item)
    const left = (room <= capacity ? room : capacity) - length
    if (left > 0) open[left].push(bin)
  }
  return bins
}
