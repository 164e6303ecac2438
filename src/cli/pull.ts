import { Command } from 'commander'
import { type PullProgress, pullModel } from '../io/index.ts'
import { HeedError } from '../util/errors.ts'
import { formatBytes } from '../util/format.ts'
import { isTerminal, pc, stderrColors } from './colors.ts'
import { addExamples } from './examples.ts'
import { liveBlock } from './live.ts'
import { bar, duration } from './text.ts'

interface Flags {
  revision: string
  include?: string[]
}

export function pullCommand(): Command {
  const command = new Command('pull')
    .description('Download a model from the Hugging Face hub.')
    .argument('<name>', 'owner/model')
    .argument('[folder]', 'the folder to write (default: owner/model)')
    .option('--revision <name>', 'a branch, a tag or a commit', 'main')
    .option('--include <patterns...>', 'download these files too, such as "*.gguf"')
    .addHelpText('after', DETAILS)
    .action(pull)
  return addExamples(
    command,
    'nothing',
    ['npx heed pull HuggingFaceTB/SmolLM2-135M-Instruct SmolLM2', 'npx heed inspect SmolLM2'],
    [
      'npx heed pull owner/model models/mine --revision v1.0',
      'npx heed pull owner/model-GGUF --include "*Q4_K_M.gguf"',
    ],
  )
}

const DETAILS = `
Config, safetensors and tokenizer are downloaded. Existing files are kept, interrupted downloads resume,
and every file is verified by its checksum.
Set HF_TOKEN for private and gated models, and HF_ENDPOINT for another hub.`

async function pull(name: string, folder: string | undefined, flags: Flags): Promise<void> {
  const dir = folder ?? name
  const view = isTerminal(process.stderr) ? barView() : undefined
  const stop = new AbortController()
  const interrupt = (): void =>
    stop.abort(
      new HeedError('invalid-state', 'The download was interrupted', {
        remedy: 'Run the same command again to resume it.',
      }),
    )
  process.once('SIGINT', interrupt)
  try {
    const onProgress = view?.show
    const { commit, files } = await pullModel(name, dir, {
      ...flags,
      onProgress,
      signal: stop.signal,
    })
    view?.end()
    for (const { path, size, fetched } of files)
      console.log(
        `${fetched ? pc.green('fetched') : pc.dim('kept   ')}  ${formatBytes(size).padStart(8)}  ${path}`,
      )
    console.log(`\n${pc.bold(dir)} is ${name} at ${commit.slice(0, 12)}`)
  } finally {
    view?.end()
    process.off('SIGINT', interrupt)
  }
}

/** Shows a line for the current file and a line for the total, updated ten times a second. */
function barView(): { show: (progress: PullProgress) => void; end: () => void } {
  const block = liveBlock(process.stderr)
  let start: { time: number; done: number } | undefined
  let drawn = 0
  return {
    show: (progress) => {
      const now = performance.now()
      start ??= { time: now, done: progress.totalDone }
      if (now - drawn < 100 && progress.totalDone < progress.totalSize) return
      drawn = now
      const speed = (progress.totalDone - start.done) / Math.max(0.1, (now - start.time) / 1000)
      block.draw(pullLines(progress, speed))
    },
    end: () => block.close(),
  }
}

/** The lines to draw; `speed` in bytes per second. */
function pullLines(progress: PullProgress, speed: number): string[] {
  const { file, done, size, totalDone, totalSize } = progress
  const share = totalSize > 0 ? totalDone / totalSize : 1
  const rest = totalSize - totalDone
  const left = rest > 0 && speed > 0 ? `, ${duration(rest / speed)} left` : ''
  return [
    `${stderrColors.dim(file)}  ${formatBytes(done)} of ${formatBytes(size)}`,
    `${stderrColors.cyan(bar(share, 30))} ${(100 * share).toFixed(0).padStart(3)} %  ${formatBytes(totalDone)} of ${formatBytes(totalSize)}, ${formatBytes(Math.round(speed))}/s${left}`,
  ]
}
