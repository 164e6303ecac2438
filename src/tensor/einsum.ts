// Einstein summation: axes are named by letters, and letters that are missing in the result are summed over.
import { countOf, showShape } from '../graph/shape.ts'
import { checkArgument } from '../util/check-argument.ts'
import { HeedError, ShapeError } from '../util/errors.ts'
import { nodesOf } from './arguments.ts'
import type { Tensor } from './tensor.ts'

/** A tensor with a name for each axis. */
interface Named {
  x: Tensor
  axes: readonly string[]
}

/**
 * Einstein summation: `einsum('bik,bkj->bij', a, b)`. Operands are contracted pairwise from the left, each pair with a
 * matrix product. `...` matches any number of axes, which broadcast. Without `->`, the result has the letters that
 * occur once, in alphabetical order.
 * @throws HeedError if the equation does not fit the tensors
 */
export function einsum(equation: string, ...operands: Tensor[]): Tensor {
  checkArgument('einsum', 'equation', equation, 'text')
  nodesOf(operands, 'einsum', 'operands')
  const { terms, result } = parse(equation, operands)
  let [product, ...rest] = operands.map((x, i) => withoutRepeats({ x, axes: terms[i] }))
  while (rest.length > 0) {
    const [next, ...others] = rest
    const kept = new Set([...result, ...others.flatMap(({ axes }) => axes)])
    product = contract(product, next, kept, equation)
    rest = others
  }
  return inOrder(summed(product, new Set(result)), result)
}

function parse(equation: string, operands: Tensor[]): { terms: string[][]; result: string[] } {
  const wrong = (expected: string): HeedError =>
    new HeedError('invalid-option', `einsum: ${expected}, got '${equation.slice(0, 80)}'`, {
      key: 'equation',
      value: equation,
    })
  const [left, right, ...more] = equation.replaceAll(' ', '').split('->')
  const parts = left.split(',')
  if (more.length > 0 || ![...parts, right ?? ''].every((part) => TERM.test(part)))
    throw wrong("the equation must consist of letters and '...', as in 'bik,bkj->bij'")
  if (parts.length !== operands.length)
    throw wrong(`the equation must have ${operands.length} terms, one for each tensor`)
  const terms = parts.map((part, i) => {
    const { shape, rank } = operands[i]
    const names = named(part, rank - part.replace('...', '').length)
    if (names?.length !== rank)
      throw wrong(`'${part}' must name the ${rank} axes of a tensor of shape ${showShape(shape)}`)
    return names
  })
  const all = terms.flat()
  const open = Math.max(0, ...terms.map((names) => names.filter(isOpen).length))
  const once = [...new Set(all)].filter((name) => all.indexOf(name) === all.lastIndexOf(name))
  const free = once.filter((name) => !isOpen(name)).sort()
  const result = named(right ?? `...${free.join('')}`, open) ?? []
  if (new Set(result).size !== result.length || !result.every((name) => all.includes(name)))
    throw wrong(`'${right}' must name axes of the tensors, each once`)
  return { terms, result }
}

const TERM = /^[A-Za-z]*(\.\.\.)?[A-Za-z]*$/

/** The names of a term's axes. Axes of `...` are numbered from the right. */
function named(term: string, open: number): string[] | null {
  if (open < 0) return null
  const numbers = Array.from({ length: open }, (_, i) => String(open - 1 - i))
  const [before, after] = term.split('...')
  return after === undefined ? [...before] : [...before, ...numbers, ...after]
}

const isOpen = (name: string): boolean => name >= '0' && name <= '9'

/** Replaces a repeated letter, as in 'ii', with the diagonal. */
function withoutRepeats({ x, axes }: Named): Named {
  const second = axes.findIndex((name, i) => axes.indexOf(name) < i)
  if (second < 0) return { x, axes }
  const name = axes[second]
  const first = axes.indexOf(name)
  if (x.shape[first] !== x.shape[second])
    throw new ShapeError(
      `einsum: axes '${name}' must have the same size, got ${x.shape[first]} and ${x.shape[second]}`,
    )
  const rest = axes.filter((_, i) => i !== second && i !== first)
  return withoutRepeats({ x: x.diagonal(0, first, second), axes: [...rest, name] })
}

/** The product of two factors, summed over the axes that are not in `kept`. */
function contract(a: Named, b: Named, kept: ReadonlySet<string>, equation: string): Named {
  const left = summed(a, new Set([...kept, ...b.axes]))
  const right = summed(b, new Set([...kept, ...a.axes]))
  const shared = left.axes.filter((name) => right.axes.includes(name))
  const batch = shared.filter((name) => kept.has(name))
  const inner = shared.filter((name) => !kept.has(name))
  const rows = left.axes.filter((name) => !shared.includes(name))
  const columns = right.axes.filter((name) => !shared.includes(name))
  const sizes = sizesOf([left, right], equation)
  const size = (names: readonly string[]): number[] =>
    names.map((name) => sizes.get(name) as number)
  const grouped = (from: Named, second: string[], third: string[]): Tensor =>
    inOrder(from, [...batch, ...second, ...third])
      .expand(size([...batch, ...second, ...third]))
      .reshape([...size(batch), countOf(size(second)), countOf(size(third))])
  const product = grouped(left, rows, inner).matmul(grouped(right, inner, columns))
  const axes = [...batch, ...rows, ...columns]
  return { x: product.reshape(size(axes)), axes }
}

/** The size of each named axis. Sizes must be equal, or 1. */
function sizesOf(factors: Named[], equation: string): Map<string, number> {
  const sizes = new Map<string, number>()
  for (const { x, axes } of factors)
    for (const [i, name] of axes.entries()) {
      const known = sizes.get(name) ?? 1
      if (known !== 1 && x.shape[i] !== 1 && known !== x.shape[i])
        throw new ShapeError(
          `einsum '${equation}': axes '${name}' must have the same size, got ${known} and ${x.shape[i]}`,
        )
      sizes.set(name, known === 1 ? x.shape[i] : known)
    }
  return sizes
}

function summed({ x, axes }: Named, kept: ReadonlySet<string>): Named {
  const gone = [...axes.keys()].filter((i) => !kept.has(axes[i]))
  if (gone.length === 0) return { x, axes }
  return { x: x.sum(gone), axes: axes.filter((name) => kept.has(name)) }
}

const inOrder = ({ x, axes }: Named, order: readonly string[]): Tensor =>
  x.permute(...order.map((name) => axes.indexOf(name)))
