/** Counters of the runtime since the process started. A training loop compiles once; then each step is a cache hit. */
export interface Stats {
  /** Number of programs compiled. */
  compilations: number
  /** Number of times that a program was found in the cache. */
  cacheHits: number
  /** Number of programs submitted. */
  runs: number
  /** Number of runs that recomputed a value which an earlier run had computed but not kept. */
  recomputations: number
  /** Memory of all cached programs, in bytes. */
  programBytes: number
}

const counters: Stats = {
  compilations: 0,
  cacheHits: 0,
  runs: 0,
  recomputations: 0,
  programBytes: 0,
}

/** The counters themselves, for the runtime. Other code reads `stats()`. */
export const count = counters

/** Returns a copy of the runtime's counters: compilations, cache hits, runs, recomputations and bytes of programs. */
export const stats = (): Stats => ({ ...counters })
