import { Command } from 'commander'
import pc from 'picocolors'
import { readConfig } from '../io/hub/hf.ts'
import { type Head, headOf } from '../models/index.ts'
import { type EntityGroup, type Label, pipeline } from '../pipelines/index.ts'
import { positive } from './options.ts'
import { scoreLine } from './text.ts'

export function classifyCommand(): Command {
  return new Command('classify')
    .description('Label texts, the names in them, or images: as the model was trained to.')
    .argument('<model>', 'the folder of a model with a classifier')
    .argument('<texts...>', 'one or several; files, where the model reads images')
    .option('--top <number>', 'how many labels of each text', positive, 3)
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
Examples:
  $ heed classify ./distilbert-sst2 "A whale of a film." "I slept well."
  $ heed classify ./bert-ner "Ishmael sailed from New Bedford."
  $ heed classify ./vit-base-patch16-224 cat.jpg`,
    )
    .action(classify)
}

interface Flags {
  top: number
  json?: boolean
}

async function classify(dir: string, texts: string[], flags: Flags): Promise<void> {
  const head = headOf(await readConfig(dir))
  const found = await answers(dir, head, texts, flags.top)
  if (flags.json) return console.log(JSON.stringify(found))
  found.forEach((list, i) => {
    if (texts.length > 1) console.log(pc.dim(texts[i]))
    for (const one of list) console.log(lineOf(one))
    if (list.length === 0) console.log(pc.dim('nothing found'))
  })
}

async function answers(
  dir: string,
  head: Head,
  texts: string[],
  topK: number,
): Promise<(EntityGroup | Label)[][]> {
  if (head === 'token-classification') return namesIn(dir, texts)
  if (!head.startsWith('image-')) return labelsOf(dir, texts, topK)
  const classify = await pipeline('image-classification', dir)
  return classify(texts, { topK })
}

async function namesIn(dir: string, texts: string[]): Promise<EntityGroup[][]> {
  const tag = await pipeline('token-classification', dir)
  return tag(texts, { aggregation: 'first' }) as Promise<EntityGroup[][]>
}

async function labelsOf(dir: string, texts: string[], top: number): Promise<Label[][]> {
  const label = await pipeline('text-classification', dir)
  const found = await label(texts, { topK: top })
  return found.map((one: Label | Label[]) => (Array.isArray(one) ? one : [one]))
}

function lineOf(one: Label | EntityGroup): string {
  if ('label' in one) return `${scoreLine(one.score)}  ${pc.bold(one.label)}`
  const { score, entity_group: kind, word, start, end } = one
  return `${scoreLine(score)}  ${pc.bold(kind)}  ${word} ${pc.dim(`${start}-${end}`)}`
}
