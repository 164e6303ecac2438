/** What the runtime has done since the start. A plain training loop compiles once and then only hits. */
export interface Stats {
  /** Programs compiled. */
  compilations: number
  /** Runs that found their program compiled. */
  cacheHits: number
  /** Programs submitted. */
  runs: number
  /** Runs that computed something again which an earlier run had computed and not kept. */
  recomputations: number
  /** Bytes that cached programs take. */
  programBytes: number
}

const counters: Stats = {
  compilations: 0,
  cacheHits: 0,
  runs: 0,
  recomputations: 0,
  programBytes: 0,
}

/** Lets the runtime count; everybody else reads `stats()`. */
export const count = counters

/** A copy of the counters. */
export const stats = (): Stats => ({ ...counters })
