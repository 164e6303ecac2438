// A block of lines at the end of the terminal that is drawn again in place.

export interface LiveBlock {
  draw(lines: readonly string[]): void
  /** Prints lines above the block, for good. */
  print(text: string): void
  /** Leaves the last drawing standing. */
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

/** The first `width` visible characters; escape sequences take no room. */
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
