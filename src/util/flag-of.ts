/** The flag of a key on the command line: 'weightDecay' -> '--weight-decay'. */
export const flagOf = (key: string): string =>
  `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
