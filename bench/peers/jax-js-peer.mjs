// The side of jax-js: the whole step, with Adam, in one jit. `.ref` lets a value be used again. jax-js needs Node 22 or
// newer (iterator helpers, `navigator`) and is skipped with older versions.
import { batchOf, gptShapes, load, normal, serve, versionOf } from './npm-peer.mjs'

if (!globalThis.Iterator || !globalThis.navigator) process.exit(1)

const { init, defaultDevice, jit, nn, numpy: np, tree, valueAndGrad } = await load('@jax-js/jax')
await init()
defaultDevice('wasm')

serve(versionOf('@jax-js/jax'), async (params) => {
  const { dim, heads, context, vocab, batch } = params
  const lr = 1e-3
  const array = (shape, fill) => {
    const size = shape.reduce((a, b) => a * b)
    return np.array(fill(size)).reshape(shape)
  }
  const each = (value, f) =>
    Array.isArray(value) && typeof value[0] === 'number'
      ? f(value)
      : Array.isArray(value)
        ? value.map((item) => each(item, f))
        : Object.fromEntries(Object.entries(value).map(([name, item]) => [name, each(item, f)]))
  const shapes = gptShapes(params)
  let weights = each(shapes, (shape) =>
    array(shape, (n) => (shape.length === 1 ? new Float32Array(n).fill(1) : normal(n))),
  )
  let first = each(shapes, (shape) => array(shape, (n) => new Float32Array(n)))
  let second = each(shapes, (shape) => array(shape, (n) => new Float32Array(n)))

  const norm = (x, gain, bias) => nn.standardize(x, -1).mul(gain).add(bias)
  const affine = (x, weight, bias) => np.matmul(x, weight).add(bias)

  const attend = (x, layer) => {
    const qkv = affine(x, layer.qkv, layer.qkvb).reshape([batch, context, 3, heads, dim / heads])
    const [q, k, v] = [0, 1, 2].map((i) => (i < 2 ? qkv.ref : qkv).slice([], [], i))
    const y = nn.dotProductAttention(q, k, v, { isCausal: true })
    return affine(y.reshape([batch, context, dim]), layer.proj, layer.projb)
  }

  const lossOf = (p, x, y) => {
    let h = np.matmul(nn.oneHot(x, vocab), p.wte.ref).add(p.wpe)
    for (const layer of p.h) {
      h = h.ref.add(attend(norm(h, layer.ln1, layer.ln1b), layer))
      const inner = nn.gelu(affine(norm(h.ref, layer.ln2, layer.ln2b), layer.fc, layer.fcb))
      h = h.add(affine(inner, layer.out, layer.outb))
    }
    const logits = np.matmul(norm(h, p.lnf, p.lnfb), np.transpose(p.wte))
    return nn
      .logSoftmax(logits, -1)
      .mul(nn.oneHot(y, vocab))
      .sum()
      .mul(-1 / (batch * context))
  }

  const step = jit((p, m, v, x, y) => {
    const [loss, grads] = valueAndGrad(lossOf)(tree.ref(p), x, y)
    const m2 = tree.map((a, g) => a.mul(0.9).add(g.mul(0.1)), m, tree.ref(grads))
    const v2 = tree.map((a, g) => a.mul(0.999).add(g.ref.mul(g).mul(0.001)), v, grads)
    const p2 = tree.map(
      (w, a, b) => w.sub(a.div(np.sqrt(b).add(1e-8)).mul(lr)),
      p,
      tree.ref(m2),
      tree.ref(v2),
    )
    return [loss, p2, m2, v2]
  })

  const { ids, targets } = batchOf(params)
  const whole = (data) => np.array(data, { dtype: np.int32 }).reshape([batch, context])
  return async () => {
    const [loss, ...state] = step(weights, first, second, whole(ids), whole(targets))
    ;[weights, first, second] = state
    await loss.data()
  }
})
