// One training step of a GPT: Heed against PyTorch, in alternation on the same machine.
//
//   npm run bench -- --threads 2 --rounds 9            (PyTorch: HEED_PYTHON names the interpreter)
//
// Each side is a process of its own which runs a few steps when it is told to. A round is one turn of
// each; medians and the ratio of each round are printed, with the peak memory of both processes.
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface, type Interface } from 'node:readline'
import { parseArgs } from 'node:util'

const { values } = parseArgs({
  options: {
    threads: { type: 'string', default: '2' },
    rounds: { type: 'string', default: '9' },
    steps: { type: 'string', default: '3' },
    layers: { type: 'string', default: '6' },
    heads: { type: 'string', default: '6' },
    dim: { type: 'string', default: '384' },
    context: { type: 'string', default: '256' },
    vocab: { type: 'string', default: '65' },
    batch: { type: 'string', default: '8' },
  },
})

interface Turn {
  ms: number[]
  peakBytes: number
  loss: number
}

class Side {
  readonly name: string
  private readonly child: ChildProcessWithoutNullStreams
  private readonly lines: Interface
  private readonly ended: Promise<null>

  constructor(name: string, command: string, args: string[]) {
    this.name = name
    const env = { ...process.env, HEED_THREADS: values.threads, OMP_NUM_THREADS: values.threads }
    this.child = spawn(command, [...args, JSON.stringify(values)], { env })
    this.child.stderr.pipe(process.stderr)
    this.ended = once(this.child, 'exit').then(() => null)
    this.lines = createInterface({ input: this.child.stdout })
  }

  /** The next line, or null when the process has ended. */
  async next<T>(): Promise<T | null> {
    const line = once(this.lines, 'line').then(([text]) => JSON.parse(text) as T)
    return Promise.race([line, this.ended])
  }

  async turn(): Promise<Turn> {
    const answer = this.next<Turn>()
    this.child.stdin.write('go\n')
    const turn = await answer
    if (!turn) throw new Error(`${this.name} has ended early`)
    return turn
  }

  end(): void {
    this.child.stdin.end()
  }
}

const folder = new URL('.', import.meta.url).pathname
const python = process.env.HEED_PYTHON ?? 'python3'
const sides = [
  new Side('heed', process.execPath, [...process.execArgv, `${folder}peers/train-step-heed.ts`]),
  new Side('torch', python, [`${folder}peers/train_step_torch.py`]),
]
const versions = await Promise.all(sides.map((side) => side.next<{ version: string }>()))
if (!versions[1]) {
  console.error('PyTorch does not run: name a Python that has it with HEED_PYTHON')
  process.exit(2)
}
console.log(sides.map((side, i) => `${side.name} ${versions[i]?.version}`).join('  against  '))

for (const side of sides) await side.turn() // warm-up
const turns: Turn[][] = [[], []]
for (let round = 0; round < Number(values.rounds); round++) {
  for (const [i, side] of sides.entries()) turns[i].push(await side.turn())
  const [ours, theirs] = turns.map((list) => median((list.at(-1) as Turn).ms))
  console.log(
    `round ${round + 1}: ${ours.toFixed(1)} ms, ${theirs.toFixed(1)} ms, ratio ${(theirs / ours).toFixed(2)}`,
  )
}
for (const side of sides) side.end()

const ratios = turns[0].map((turn, i) => median(turns[1][i].ms) / median(turn.ms))
sides.forEach((side, i) => {
  const ms = median(turns[i].flatMap((turn) => turn.ms))
  const peak = Math.max(...turns[i].map((turn) => turn.peakBytes))
  console.log(
    `${side.name.padEnd(6)} ${ms.toFixed(1)} ms a step, peak memory ${(peak / 1e6).toFixed(0)} MB`,
  )
})
console.log(
  `Heed's speed is ${median(ratios).toFixed(2)} x PyTorch's (median of ${ratios.length} rounds, ${values.threads} threads)`,
)

function median(list: readonly number[]): number {
  const sorted = [...list].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)]
}
