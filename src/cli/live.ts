// A block of lines at the end of the terminal, redrawn in place.

export interface LiveBlock {
  draw(lines: readonly string[]): void
  /** Prints permanent lines above the block. */
  print(text: string): void
  /** Ends the block; the last drawing stays on the screen. */
  close(): void
}

export function liveBlock(stream: NodeJS.WriteStream): LiveBlock {
  let height = 0
  let last: readonly string[] = []
  const erase = (): string => (height > 0 ? `\x1b[${height}A\x1b[J` : '')
  const draw = (lines: readonly string[]): void => {
    const width = stream.columns || 80
    const cut = lines.map((line) => clip(line, width - 1))
    stream.write(`${erase()}${cut.join('\n')}\n`)
    height = cut.length
    last = lines
  }
  return {
    draw,
    print: (text) => {
      stream.write(`${erase()}${text}\n`)
      height = 0
      if (last.length > 0) draw(last)
    },
    close: () => {
      height = 0
      last = []
    },
  }
}

/** Keeps the first `width` visible characters; escape sequences do not count. */
function clip(line: string, width: number): string {
  let visible = 0
  let out = ''
  // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences begin with one
  for (const part of line.match(/\x1b\[[0-9;]*m|./gu) ?? []) {
    if (part.length > 1 && part.startsWith('\x1b')) out += part
    else if (visible < width) {
      out += part
      visible++
    }
  }
  return out
}
