/** PyTorch code and Heed code that compute the same value: that of their last line. */
export interface Row {
  torch: string
  heed: string
  note?: string
  /** Further lines, not shown on the page, whose last line is compared instead. */
  check?: { torch: string; heed: string }
  /** The value of the Heed code where the PyTorch code is not run: it needs a GPU, files or other packages. */
  expected?: unknown
  /** Names that Heed does not have, as the row says. */
  absent?: readonly string[]
  /** Largest relative difference. Default 1e-5. */
  tolerance?: number
}

export interface Section {
  title: string
  /** Markdown above the table. */
  text?: string
  /** Lines that run before each row, and are shown above the table. */
  setup?: { torch: string; heed: string }
  rows: readonly Row[]
}

/** A row without anything special. */
export const row = (torch: string, heed: string, note?: string): Row => ({ torch, heed, note })
