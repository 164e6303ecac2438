// Which layers of a student and a teacher are compared, and the projections between their widths (FitNets, Romero et al.,
// 2015; TinyBERT, Jiao et al., 2020).
import { Linear, Module } from '../../nn/index.ts'
import type { Tensor } from '../../tensor/index.ts'
import { HeedError } from '../../util/errors.ts'

/** Projections from the states of the student to those of the teacher. */
export class Projection extends Module {
  /** Student width to teacher width; null if they are equal. */
  readonly linear: Linear | null

  /** Creates the projection; none for equal widths. */
  constructor(from: number, to: number) {
    super()
    this.linear = from === to ? null : new Linear(from, to)
  }

  forward(x: Tensor): Tensor {
    return this.linear === null ? x : this.linear.forward(x)
  }
}

/** The compared layers by path, in order. */
export class LayerPairs {
  readonly student: readonly string[]
  readonly teacher: readonly string[]
  readonly projection: Projection | null

  /** Pairs each layer of the student with the teacher's layer at the same depth. */
  constructor(
    student: readonly string[],
    teacher: readonly string[],
    projection: Projection | null,
  ) {
    const step = teacher.length / student.length
    this.student = student
    this.teacher = student.map((_, i) => teacher[Math.round((i + 1) * step) - 1])
    this.projection = projection
  }

  /** The states of each pair of layers. */
  pairsOf(
    student: ReadonlyMap<string, Tensor>,
    teacher: ReadonlyMap<string, Tensor>,
  ): [Tensor, Tensor][] {
    const pairs: [Tensor, Tensor][] = []
    this.student.forEach((path, i) => {
      const [s, t] = [student.get(path), teacher.get(this.teacher[i])]
      if (s && t) pairs.push([s, t.detach()])
    })
    return pairs
  }

  /** The states of the student in the teacher's width. */
  projected(states: Tensor): Tensor {
    return this.projection === null ? states : this.projection.forward(states)
  }
}

/** The paths of the layers of a model. @throws HeedError unless it has one list of layers */
export function layerPaths(model: Module): string[] {
  const lists = layerListsOf(model)
  const [list] = lists
  if (lists.length === 1) {
    const paths = model.namedModules().map(([path]) => path)
    const inside = paths.filter((path) => path.startsWith(`${list}.`) && /^\d+$/.test(path.slice(list.length + 1))) // biome-ignore format: one line
    if (inside.length > 0) return inside
  }
  throw new HeedError(
    'unsupported',
    `The model must have one list of layers, got ${model.constructor.name} with ${lists.length}`,
    { key: 'student', remedy: 'Distil logits only.' },
  )
}

/** The paths of the lists of layers of a model. */
export function layerListsOf(model: Module): readonly string[] {
  const lists: unknown = Reflect.get(model.constructor, 'layerLists')
  return Array.isArray(lists) ? lists : []
}
