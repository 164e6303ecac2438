// Draws the pictures of the pages that show Heed's own graphs and programs. `npm run docs:pictures` writes them.
import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isOp, type Node } from '../../src/graph/node.ts'
import { CpuDevice, manualSeed, Parameter, randn, type Tensor, tensor } from '../../src/index.ts'
import { GPT2 } from '../../src/models/index.ts'
import { AdamW } from '../../src/optim/index.ts'
import { isLeaf, trace } from '../../src/runtime/trace.ts'
import { schedule } from '../../src/schedule/emit.ts'
import { lower } from '../../src/schedule/lower.ts'
import type { Buffer, Schedule } from '../../src/schedule/schedule.ts'
import { type Panel, pictureOf, text } from '../chapters/draw.ts'
import { drawGraph, type GraphNode } from './draw-graph.ts'

/** Each picture by the name of its file, as SVG. */
export const pictures: Record<string, () => Promise<string>> = {
  'lazy-graph': lazyGraph,
  gradients,
  versions,
  'memory-plan': memoryPlan,
}

/** The program that the native device would run for these tensors. */
function programOf(outputs: readonly Tensor[]): Schedule {
  const { nodes } = trace(outputs.map(({ node }) => node))
  const { composites } = new CpuDevice()
  const lowered = lower(nodes, outputs.map(({ node }) => node), isLeaf, composites) // biome-ignore format: one line
  return schedule(lowered, { alignment: 64, inputs: 32, steps: 64 })
}

/** The nodes that lead to tensors, as they are in the graph; `names` names the leaves. */
function graphOf(
  outputs: readonly Tensor[],
  names: ReadonlyMap<Node, string>,
  colorOf: (node: Node) => number,
): GraphNode[] {
  const { nodes } = trace(outputs.map(({ node }) => node))
  return nodes.map((node) => {
    const { id, shape, inputs } = node
    const given = isLeaf(node) ? (names.get(node) ?? '') : numberOf(node)
    const color = given === null ? colorOf(node) : null
    const label = `${given ?? node.op} ${shape.length > 0 ? `(${shape.join(', ')})` : ''}`
    return { id, label, inputs: isLeaf(node) ? [] : inputs.map((input) => input.id), color }
  })
}

/** The constant number of a node; null for nodes that are not constants. */
function numberOf(node: Node): string | null {
  if (isOp(node, 'constant')) return String(node.attrs.value)
  return node.op === 'scalar' ? String(node.value) : null
}

function caption(words: string): Panel {
  return { height: 12, body: text(14, 12, words) }
}

async function lazyGraph(): Promise<string> {
  const [x, w, b] = [randn([8, 3]), randn([3, 4]), randn([4])].map((values) => leafOf(values.shape))
  const y = x.matmul(w).add(b).relu().square().mean()
  const names = new Map([[x.node, 'x'], [w.node, 'W'], [b.node, 'b']]) // biome-ignore format: one line
  const { calls } = programOf([y])
  const kernels = calls.map(
    (call, i): GraphNode => ({ id: i, label: call.kernel, inputs: i ? [i - 1] : [], color: 2 }),
  )
  return pictureOf('mean(relu(x·W + b)²)', [
    caption('the graph as written: each operation is a node'),
    drawGraph(graphOf([y], names, () => 0)),
    caption(`the program: ${calls.length} kernel calls`),
    drawGraph(kernels),
  ])
}

async function gradients(): Promise<string> {
  const x = leafOf([8, 3])
  const w = new Parameter(leafOf([3, 4]))
  const loss = x.matmul(w).relu().mean()
  const last = loss.node.id
  loss.backward()
  if (!w.grad) throw new Error('backward() must have set the gradient')
  const names = new Map([[x.node, 'x'], [w.node, 'W']]) // biome-ignore format: one line
  return pictureOf('mean(relu(x·W)) and its gradient', [
    drawGraph(graphOf([loss, w.grad], names, ({ id }) => (id <= last ? 0 : 1))),
  ])
}

async function versions(): Promise<string> {
  const w = new Parameter(leafOf([2]))
  const before = w.node
  const plan = w.square().sum()
  w.assign(w.sub(w.mul(0.2)))
  const assigned = w.node
  const after = w.square().sum()
  const names = new Map([[before, 'w, version 0']])
  return pictureOf('Which version a node means', [
    drawGraph(
      graphOf([plan, after], names, ({ id }) =>
        id === assigned.id ? 1 : id > assigned.id ? 2 : 0,
      ),
    ),
    caption('blue reads version 0, orange writes version 1, green reads it'),
  ])
}

/** The arena of a training step of a GPT: x is the kernel call, y the offset. */
async function memoryPlan(): Promise<string> {
  manualSeed(0)
  const model = new GPT2({ vocab_size: 256, n_positions: 64, n_embd: 64, n_layer: 2, n_head: 2, resid_pdrop: 0, embd_pdrop: 0, attn_pdrop: 0 }) // biome-ignore format: one line
  const optimizer = new AdamW(model.parameters())
  const ids = tensor(new Int32Array(8 * 64), { shape: [8, 64] })
  model.loss(ids, ids).backward()
  await optimizer.step() // computes initial weights and state, which later steps do not
  const loss = model.loss(ids, ids)
  const forward = programOf([loss]).calls.length
  loss.backward()
  const { calls, arenaBytes, peakBytes } = programOf([...optimizer.update(), loss])
  const lives = new Map<Buffer, { first: number; last: number }>()
  calls.forEach(({ operands }, i) => {
    for (const { buffer } of operands) {
      if (buffer.kind !== 'arena') continue
      const life = lives.get(buffer) ?? { first: i, last: i }
      lives.set(buffer, { ...life, last: i })
    }
  })
  const [width, height, left] = [394, 300, 52]
  const x = (call: number): number => left + (call / calls.length) * width
  const y = (bytes: number): number => 16 + height - (bytes / arenaBytes) * height
  let total = 0
  const boxes = [...lives].map(([{ offset, count }, { first, last }]) => {
    const bytes = 4 * count
    total += bytes
    const size = `width="${(x(last + 1) - x(first)).toFixed(1)}" height="${(y(0) - y(bytes)).toFixed(1)}"`
    const color = first < forward ? 0 : 1
    return `<rect x="${x(first).toFixed(1)}" y="${y(offset + bytes).toFixed(1)}" ${size} class="c${color} fill" style="opacity:.6;stroke:#8886"/>`
  })
  const megabytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MB`
  const labels = [
    text(left - 6, y(arenaBytes) + 8, megabytes(arenaBytes), 'end'),
    text(left - 6, y(0), '0', 'end'),
    text(left + width / 2, height + 34, `kernel calls 1 to ${calls.length}`, 'middle'),
    `<path d="M${left} 16v${height}h${width}" class="box"/>`,
  ]
  return pictureOf('The memory of a training step', [
    { height: height + 40, body: boxes.join('') + labels.join('') },
    caption(
      `${lives.size} values, together ${megabytes(total)}; in use at most ${megabytes(peakBytes)}`,
    ),
    caption('blue: values of the forward pass. orange: all later values'),
  ])
}

/** A tensor whose values exist. */
const leafOf = (shape: readonly number[]): Tensor =>
  tensor(new Float32Array(shape.reduce((a, b) => a * b, 1)), { shape: [...shape] })

if (process.argv[1] && resolve(process.argv[1]) === fileURLToPath(import.meta.url))
  for (const [name, draw] of Object.entries(pictures))
    writeFileSync(new URL(`${name}.svg`, import.meta.url), await draw())
