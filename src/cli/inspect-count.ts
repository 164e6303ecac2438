// Prints parameters, memory and FLOPs of a model as a table, without allocating its weights.
import { type Component, type Countable, countModel, type ModelCount } from '../models/index.ts'
import { formatBytes } from '../util/format.ts'
import { pc } from './colors.ts'
import { short } from './text.ts'

export function printCount(title: string, model: Countable, context?: number): void {
  const count = countModel(model, context)
  if (title) console.log(pc.bold(title))
  console.log(`\n${pc.bold(short(count.parameters))} parameters (${count.parameters})\n`)
  for (const line of table(count)) console.log(line.trimEnd())
  console.log()
  for (const [name, text] of summary(count)) console.log(`${pc.bold(name.padEnd(9))}  ${text}`)
}

function table({ unit, components, parameters, forwardFlops }: ModelCount): string[] {
  const names = components.map(({ name }) => name || '(outside modules)')
  const width = Math.max(9, ...names.map((name) => name.length))
  const share = (part: number, total: number): string =>
    part === 0 ? ''.padStart(8) : `${((100 * part) / total).toFixed(1)} %`.padStart(8)
  const row = ({ copies, parameters: size, flops }: Component, i: number): string =>
    `${names[i].padEnd(width)}  ${copies > 1 ? `${copies} x`.padStart(6) : ''.padStart(6)}` +
    `${amount(size)} ${share(size, parameters)}${amount(flops)} ${share(flops, forwardFlops)}`
  const head = `${'component'.padEnd(width)}  ${''.padStart(6)}${'parameters'.padStart(12)} ${''.padStart(8)}${`FLOPs/${unit}`.padStart(12)}`
  return [pc.dim(head), ...components.map(row)]
}

const amount = (value: number): string =>
  value === 0 ? pc.dim('-'.padStart(12)) : short(value).padStart(12)

function summary(count: ModelCount): [string, string][] {
  const { unit, parameters, context, forwardFlops, trainingFlops, cacheBytes } = count
  const mean = unit === 'token' ? `; mean over ${context} tokens` : ''
  const rule = 6 * parameters
  const memory = `${formatBytes(parameters * 4)} as f32, ${formatBytes(parameters * 2)} as f16 or bf16, ${formatBytes(parameters * 16)} in training with AdamW ${pc.dim('(weights, gradients and two moments, without activations)')}`
  const cache = `${formatBytes(cacheBytes)} as f32 for ${context} tokens, ${formatBytes(cacheBytes / context)} each`
  return [
    ['memory', memory],
    ...(cacheBytes > 0 ? [['KV cache', cache] as [string, string]] : []),
    [
      'forward',
      `${short(forwardFlops)} FLOPs per ${unit} ${pc.dim(`(matrix products, convolutions and attention${mean})`)}`,
    ],
    [
      'training',
      unit === 'token'
        ? `${short(trainingFlops)} FLOPs per token, ${(trainingFlops / rule).toFixed(3)} x the rule of thumb 6 N = ${short(rule)}`
        : `${short(trainingFlops)} FLOPs per image`,
    ],
  ]
}
