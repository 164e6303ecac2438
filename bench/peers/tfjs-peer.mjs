// The side of TensorFlow.js on its WebAssembly backend, with its Adam optimizer.
import { batchOf, gptShapes, load, normal, serve, versionOf } from './npm-peer.mjs'

const tf = await load('@tensorflow/tfjs')
const wasm = await load('@tensorflow/tfjs-backend-wasm')
wasm.setThreadsCount(Number(process.env.OMP_NUM_THREADS ?? 1))
await tf.setBackend('wasm')
await tf.ready()

serve(versionOf('@tensorflow/tfjs-backend-wasm'), async (params) => {
  const { dim, heads, context, vocab, batch } = params
  const size = dim / heads
  const variable = (shape) => {
    const n = shape.reduce((a, b) => a * b)
    const data = shape.length === 1 ? new Float32Array(n).fill(1) : normal(n)
    return tf.variable(tf.tensor(data, shape))
  }
  const each = (shapes) =>
    Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, variable(shape)]))
  const { h, ...rest } = gptShapes(params)
  const p = { ...each(rest), h: h.map(each) }
  const hidden = tf.tensor(
    Float32Array.from({ length: context * context }, (_, i) =>
      i % context > Math.floor(i / context) ? -1e9 : 0,
    ),
    [context, context],
  )

  const norm = (x, gain, bias) => {
    const centred = x.sub(x.mean(-1, true))
    const variance = centred.square().mean(-1, true)
    return centred.mul(variance.add(1e-5).rsqrt()).mul(gain).add(bias)
  }
  const affine = (x, weight, bias) => x.matMul(weight).add(bias)
  const gelu = (x) => {
    const inner = x.add(x.mul(x).mul(x).mul(0.044715)).mul(Math.sqrt(2 / Math.PI))
    return x.mul(0.5).mul(inner.tanh().add(1))
  }
  const attend = (x, layer) => {
    const qkv = affine(x, layer.qkv, layer.qkvb)
    const [q, k, v] = tf
      .split(qkv, 3, 1)
      .map((part) => part.reshape([batch, context, heads, size]).transpose([0, 2, 1, 3]))
    const scores = tf
      .matMul(q, k, false, true)
      .mul(1 / Math.sqrt(size))
      .add(hidden)
    const y = tf.matMul(tf.softmax(scores), v).transpose([0, 2, 1, 3])
    return affine(y.reshape([batch * context, dim]), layer.proj, layer.projb)
  }

  const { ids, targets } = batchOf(params)
  const optimizer = tf.train.adam(1e-3)
  const lossOf = () => {
    const x = tf.oneHot(tf.tensor1d(ids, 'int32'), vocab).toFloat()
    const y = tf.oneHot(tf.tensor1d(targets, 'int32'), vocab).toFloat()
    let h = x.matMul(p.wte).reshape([batch, context, dim]).add(p.wpe)
    h = h.reshape([batch * context, dim])
    for (const layer of p.h) {
      h = h.add(attend(norm(h, layer.ln1, layer.ln1b), layer))
      h = h.add(
        affine(
          gelu(affine(norm(h, layer.ln2, layer.ln2b), layer.fc, layer.fcb)),
          layer.out,
          layer.outb,
        ),
      )
    }
    const logits = tf.matMul(norm(h, p.lnf, p.lnfb), p.wte, false, true)
    return tf
      .logSoftmax(logits)
      .mul(y)
      .sum()
      .mul(-1 / (batch * context))
  }
  return async () => {
    const loss = optimizer.minimize(lossOf, true)
    await loss.data()
    loss.dispose()
  }
})
