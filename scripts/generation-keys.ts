// Generates docs/generation-config.md, which says what Heed does with each key of generation_config.json.
//
//   npm run generate:generation-keys
import { writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { GENERATION_KEYS, type KeyAnswer } from '../src/models/index.ts'

const ANSWERS: Record<string, string> = {
  obeyed: 'Obeyed',
  'no effect': 'No effect on text',
  warned: 'Not supported',
}

const ABOUT: Record<string, string> = {
  obeyed:
    'They change the text as in transformers, unless an option of the call or a flag says otherwise. `do_sample` and\n`num_beams` exclude each other: with both, tokens are drawn without a search, and a warning names `num_beams`.\nWithout `do_sample`, commands and functions for decoders draw with their own defaults.',
  'no effect': 'They change speed, memory or the form of the result in transformers.',
  warned:
    'A warning names them, once for each model, unless the value means "off". So are keys that are not in this file.',
}

const kindOf = (answer: KeyAnswer): string => (typeof answer === 'string' ? answer : 'warned')

/** The contents of the file. */
export function generationKeysPage(): string {
  const sections = Object.keys(ANSWERS).map((kind) => {
    const keys = Object.keys(GENERATION_KEYS).filter((key) => kindOf(GENERATION_KEYS[key]) === kind)
    return `## ${ANSWERS[kind]}\n\n${ABOUT[kind]}\n\n${keys.map((key) => `- \`${key}\``).join('\n')}\n`
  })
  return `# Keys of generation_config.json

The keys of \`GenerationConfig\` in transformers 5.24 and what Heed does with each. Older folders have them in
\`config.json\`. This page is written by \`npm run generate:generation-keys\`.

${sections.join('\n')}`
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href)
  writeFileSync(new URL('../docs/generation-config.md', import.meta.url), generationKeysPage())
