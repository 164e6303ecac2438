/**
 * Chooses at most `buckets` lengths to which examples are padded. Each length is rounded up to the next bucket. Among
 * multiples of `step`, the choice minimises padding (dynamic programming).
 */
export function bucketLengths(lengths: readonly number[], buckets: number, step = 8): number[] {
  const longest = lengths.reduce((a, b) => Math.max(a, b), 1)
  const grain = Math.max(step, step * Math.ceil(longest / (step * MOST_PLACES)))
  const counts = new Map<number, number>()
  for (const length of lengths) {
    const rounded = Math.min(longest, Math.ceil(Math.max(length, 1) / grain) * grain)
    counts.set(rounded, (counts.get(rounded) ?? 0) + 1)
  }
  const places = [...counts.keys()].sort((a, b) => a - b)
  const before = [0] // number of examples up to each place
  for (const place of places) before.push(before[before.length - 1] + (counts.get(place) as number))

  // cost[i]: smallest padded area of the i shortest places with the buckets so far
  let cost = [0, ...places.map((place, i) => place * before[i + 1])]
  const choices: number[][] = [places.map(() => 0)]
  for (let bucket = 1; bucket < Math.min(buckets, places.length); bucket++) {
    const next = [...cost]
    const from = places.map(() => -1)
    for (let end = 1; end <= places.length; end++)
      for (let start = 1; start < end; start++) {
        const area = cost[start] + places[end - 1] * (before[end] - before[start])
        if (area >= next[end]) continue
        next[end] = area
        from[end - 1] = start
      }
    cost = next
    choices.push(from)
  }
  const chosen: number[] = []
  let end = places.length
  for (let bucket = choices.length - 1; end > 0; bucket--) {
    const start = choices[bucket][end - 1]
    if (start < 0) continue // one bucket less has the same cost
    chosen.unshift(places[end - 1])
    end = start
  }
  return chosen
}

const MOST_PLACES = 256
