import { Command } from 'commander'
import { headOf, readModelConfig } from '../models/index.ts'
import { type EntityGroup, type Label, pipeline } from '../pipelines/index.ts'
import { type AdapterFlags, adaptedBy, addAdapterFlags } from './adapter-flags.ts'
import { pc } from './colors.ts'
import { addExamples } from './examples.ts'
import { positive } from './options.ts'
import { scoreLine } from './text.ts'

export function classifyCommand(): Command {
  const command = new Command('classify')
    .description('Classify texts or images, or find entities; a short form of heed predict.')
    .argument('<model>', 'the folder of a model with a classifier')
    .argument('<texts...>', 'texts, or image files')
    .option('--top <number>', 'number of labels for each text', positive, 3)
    .option('--json', 'print JSON')
    .action(classify)
  addAdapterFlags(command)
  return addExamples(
    command,
    'mailsRun',
    ['npx heed classify runs/spam "You won a prize" "See you at noon"'],
    [
      'npx heed classify ./bert-ner "Ishmael sailed from New Bedford."',
      'npx heed classify ./vit-base-patch16-224 cat.jpg',
    ],
  )
}

interface Flags extends AdapterFlags {
  top: number
  json?: boolean
}

async function classify(dir: string, texts: string[], flags: Flags): Promise<void> {
  const results = await labelsFor(dir, texts, flags)
  if (flags.json) return console.log(JSON.stringify(results))
  results.forEach((list, i) => {
    if (texts.length > 1) console.log(pc.dim(texts[i]))
    for (const label of list) console.log(lineOf(label))
    if (list.length === 0) console.log(pc.dim('no entities'))
  })
}

/** Labels of texts, entities, or labels of images, depending on the head of the model. */
async function labelsFor(
  dir: string,
  texts: string[],
  { top: topK, ...flags }: Flags,
): Promise<(EntityGroup | Label)[][]> {
  const head = headOf(await readModelConfig(dir))
  const adapted = adaptedBy(flags)
  if (head === 'token-classification') {
    const tag = await pipeline('token-classification', dir, adapted)
    return tag(texts, { aggregation: 'first' })
  }
  if (head === 'image-classification') {
    const classify = await pipeline('image-classification', dir, adapted)
    return classify(texts, { topK })
  }
  const classify = await pipeline('text-classification', dir, adapted)
  const lists = await classify(texts, { topK })
  return lists.map((list: Label | Label[]) => [list].flat())
}

function lineOf(result: Label | EntityGroup): string {
  if ('label' in result) return `${scoreLine(result.score)}  ${pc.bold(result.label)}`
  const { score, entity_group: kind, word, start, end } = result
  return `${scoreLine(score)}  ${pc.bold(kind)}  ${word} ${pc.dim(`${start}-${end}`)}`
}
