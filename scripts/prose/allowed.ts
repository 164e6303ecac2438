/** Sentences in which a habit is the right word, each with the reason. */
export const allowed: readonly { text: RegExp; reason: string }[] = [
  { text: /^Block names in Jinja .* may not contain hyphens/, reason: 'the message of Jinja' },
]
