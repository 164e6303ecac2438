// The inductive bias of convolutions: a small ResNet and a small ViT learn clothes from 1 %, 10 % and all
// of Fashion-MNIST. The ViT has to find out from data that neighbours belong together.
//
//     npm run example:fashion -- [--seed 1] [--models resnet,vit] [--shares 0.01,0.1,1]
//                                [--steps N] [--data FOLDER] [--out FOLDER] [--smoke]
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { evaluateRun, parseTrainConfig, trainModel } from 'heed/train'
import { bars, fashion, writeSome } from './fashion/data.ts'
import { type Curve, drawCurves } from './plots.ts'
import { showProgress } from './progress.ts'

const { values: flags } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    steps: { type: 'string' },
    models: { type: 'string', default: 'resnet,vit' },
    shares: { type: 'string', default: '0.01,0.1,1' },
    data: { type: 'string', default: 'build/fashion-mnist' },
    out: { type: 'string', default: 'build/fashion' },
    smoke: { type: 'boolean', default: false },
  },
})
const { smoke, out } = flags
const seed = Number(flags.seed)
const size = {
  resnet: smoke ? { layers: 2, dim: 16 } : { layers: 3, dim: 128 },
  vit: smoke
    ? { layers: 1, heads: 2, dim: 16, patchSize: 4 }
    : { layers: 4, heads: 4, dim: 64, patchSize: 4 },
}
/** Fewer images are looked at more often, but not so often that all takes long; the ViT's steps are quicker. */
const stepsFor = (model: string, images: number): number => {
  if (smoke) return 10
  const most = Number(flags.steps ?? (model === 'vit' ? 7000 : 5000))
  return Math.round(images < 1000 ? most / 10 : images < 10_000 ? most / 3 : most)
}

const { train, test } = smoke ? { train: bars(400), test: bars(60) } : await fashion(flags.data)
mkdirSync(out, { recursive: true })
const testFile = writeSome(
  out,
  'test',
  test,
  Array.from(test.labels, (_, i) => i),
)
const order = shuffled(train.labels.length)
console.log(`${order.length} images for training, ${test.labels.length} for testing`)

const shares = flags.shares.split(',').map(Number)
const curves: Curve[] = []
for (const model of flags.models.split(',') as (keyof typeof size)[]) {
  const values: number[] = []
  for (const share of shares) {
    const count = Math.round(order.length * share)
    const data = writeSome(out, `train-${count}`, train, order.slice(0, count))
    const run = join(out, `${model}-${count}`)
    rmSync(run, { recursive: true, force: true })
    const config = parseTrainConfig({
      model,
      task: 'image-classification',
      data: [data],
      ...size[model],
      batch: smoke ? 16 : 64,
      steps: stepsFor(model, count),
      lr: model === 'vit' ? 1e-3 : 2e-3,
      warmup: 100,
      minLr: 0.01,
      flip: !smoke,
      valFraction: 0,
      saveEvery: 0,
      evalEvery: 0,
      seed,
    })
    const started = performance.now()
    const on = smoke ? undefined : showProgress(`${model}, ${count} images`)
    await trainModel({ config, out: run, on })
    const seconds = (performance.now() - started) / 1000
    const { metrics } = await evaluateRun(run, testFile, { batchSize: 200 })
    const { accuracy, loss } = metrics
    console.log(
      `${model.padEnd(6)} ${String(count).padStart(6)} images, ${config.steps} steps: accuracy ${accuracy.toFixed(4)}, loss ${loss.toFixed(3)} (${seconds.toFixed(0)} s)`,
    )
    values.push(accuracy)
  }
  curves.push({ name: model, values })
}
const axes = {
  title: 'Accuracy on the test',
  xName: 'images to learn from',
  places: shares.map((share) => String(Math.round(order.length * share))),
  yStep: 0.05,
  yFrom: 0.05 * Math.floor(20 * Math.min(...curves.flatMap(({ values }) => values))),
}
writeFileSync(join(out, 'accuracy-by-images.svg'), drawCurves(axes, curves))
console.log(`Drawn: ${join(out, 'accuracy-by-images.svg')}`)

/** The numbers below `count`, in an order drawn by the seed. */
function shuffled(count: number): number[] {
  let state = seed >>> 0
  const next = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
  const order = Array.from({ length: count }, (_, i) => i)
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor(next() * (i + 1))
    ;[order[i], order[j]] = [order[j], order[i]]
  }
  return order
}
