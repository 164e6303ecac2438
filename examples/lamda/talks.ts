// Talks between people, and rows of them: true replies and replies from other talks.
import { existsSync, readFileSync } from 'node:fs'

/** A reply with the turn before it. */
export interface Reply {
  context: { role: string; content: string }[]
  response: string
}

/** Replies by talk. */
export type Talks = readonly (readonly Reply[])[]

/** Talks of PyPI's chitchat-dataset. @throws Error that says what to do without the file */
export function chitchat(file: string): Talks {
  if (!existsSync(file))
    throw new Error(
      `There is no ${file}. Fetch it: pip download --no-deps chitchat-dataset==0.9.0, then unzip its wheel, ` +
        'and name the dataset.json in it: --data chitchat_dataset/dataset.json',
    )
  const all: Record<string, { messages: { text: string }[][] }> = JSON.parse(
    readFileSync(file, 'utf8'),
  )
  return Object.values(all).map(({ messages }) =>
    repliesIn(messages.map((turn) => turn.map(({ text }) => text.trim()).join(' '))),
  )
}

/** A few made-up talks, for a test: each is about an animal, which every turn names. */
export const toyTalks = (): Talks =>
  ['cat', 'dog', 'owl', 'hen'].flatMap(
    (animal) =>
  Array.from({ length: 10 }, () => repliesIn(['one', 'two', 'three', 'four', 'five'].map((number) => `${number} ${animal}s are sitting here`))), // biome-ignore format: one line
  )

/** Numbers of characters. A short reply such as "yes" fits anywhere. */
const [SHORTEST, LONGEST] = [20, 120]

function repliesIn(turns: readonly string[]): Reply[] {
  return turns.slice(1).flatMap((response, i) => {
    const before = turns[i]
    const fits = before !== '' && before.length <= LONGEST && response.length >= SHORTEST && response.length <= LONGEST // biome-ignore format: one line
    return fits ? [{ context: [SYSTEM, { role: 'user', content: before }], response }] : []
  })
}

/** A short system message; the one of the chat template would be a third of the tokens. */
const SYSTEM = { role: 'system', content: 'Two people chat.' }
