/** Sentences in which a listed habit is correct, each with a reason. */
export const allowed: readonly { text: RegExp; reason: string }[] = [
  { text: /^Block names in Jinja .* may not contain hyphens/, reason: 'the message of Jinja' },
]
