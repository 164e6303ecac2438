// Writes kernels/cpp/kernel-schemas.h, the table of kernels (src/schedule/kernel-schemas.ts) in C++:
// `npm run generate:kernels`. The file is checked in and published, because users compile kernels without TypeScript.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { kernelSchemas } from '../src/schedule/kernel-schemas.ts'
import {
  ANY_INPUT,
  type AttributeSchema,
  type KernelSchema,
  type OperandSchema,
  type OperandShape,
} from '../src/schedule/schema.ts'

export const headerPath = join(import.meta.dirname, '../kernels/cpp/kernel-schemas.h')

/** The text of the header. */
export function kernelHeader(): string {
  const rows: [string, KernelSchema][] = Object.entries(kernelSchemas)
  const list = (macro: string, name: (kernel: string) => string): string =>
    `#define ${macro}(K) \\\n${rows.map(([kernel]) => `  K(${name(kernel)})`).join(' \\\n')}\n`
  return `// Made by \`npm run generate:kernels\` from src/schedule/kernel-schemas.ts: do not edit.
// For each kernel: its operands and attributes by name, read once per call, and the check of a
// command of it.
// clang-format off
#pragma once
#include "arguments.h"
#include "block-sizes.h"

// Every kernel by name, once. The scheduler looks up their numbers by name (see kernelNames).
${list('HEED_KERNELS', (kernel) => kernel)}
// Their arguments, in the same order.
${list('HEED_KERNEL_ARGS', argsName)}
namespace heed {

#define HEED_COUNT(name) +1
constexpr int KERNEL_COUNT = 0 HEED_KERNELS(HEED_COUNT);
#undef HEED_COUNT

${rows.map(([kernel, schema]) => struct(kernel, schema)).join('\n')}
} // namespace heed
`
}

const argsName = (kernel: string): string => `${capital(kernel)}Args`

const capital = (name: string): string => name[0].toUpperCase() + name.slice(1)

function struct(kernel: string, schema: KernelSchema): string {
  const { inputs, outputs, attributes, handChecked } = schema
  const operands = Object.entries({ ...inputs, ...outputs })
  const attrs = Object.entries(attributes)
  const names = [...operands, ...attrs].map(([name]) => name)
  if (operands.length !== Object.keys(inputs).length + Object.keys(outputs).length)
    throw new Error(`${kernel}: an input and an output have the same name`)
  const enums = attrs.flatMap(([name, attr]) =>
    attr.type === 'choice' ? [`  enum class ${capital(name)} { ${attr.of.join(', ')} };`] : [],
  )
  const members = [
    ...operands.map(([name, x]) => {
      const role = name in inputs ? '' : 'output: '
      return `  ${memberTypes[x.arity]}${name}; // ${role}${typeText(x)} ${shapeText(x.shape)}`
    }),
    ...attrs.map(([name, attr]) => `  ${attributeType(name, attr)} ${name};`),
  ]
  const readers = [
    ...operands.map(([name, { arity }]) => `${name}(in.${arity}())`),
    ...attrs.map(([name, attr]) => `${name}(${attributeReader(name, attr)})`),
  ]
  const counts = headerCounts(operands)
  const from = names.length > 0 ? `\n      : ${wrapped(readers, 8)}` : ''
  return `struct ${argsName(kernel)} {
${[...enums, ...members].join('\n')}

  explicit ${argsName(kernel)}(const Command& command)
      : ${argsName(kernel)}(Arguments(command, ${counts})) {}

  static constexpr bool HAND_CHECKED = ${handChecked};
  template <class Check> static void check(Check& c) {
${checks(kernel, schema)
  .map((line) => `    ${line}`)
  .join('\n')}
  }

private:
  explicit ${argsName(kernel)}(Arguments in)${from} {}
};
`
}

/** Joined by commas, on lines of up to 100 characters. */
function wrapped(items: readonly string[], indent: number): string {
  const lines = ['']
  for (const [i, item] of items.entries()) {
    const text = i + 1 < items.length ? `${item}, ` : item
    if (
      indent + (lines.at(-1) as string).length + text.trimEnd().length >
      (i + 1 < items.length ? 100 : 97)
    )
      lines.push('')
    lines[lines.length - 1] += text
  }
  return lines.map((line) => line.trimEnd()).join(`\n${' '.repeat(indent)}`)
}

const memberTypes = { required: 'const View& ', optional: 'const View* ', list: 'Views ' }

const cppTypes = { f32: 'f32', i32: 'i32', u32: 'u32', u8: 'u8', bool: 'boolean' }

const typeText = ({ dtype, adjacent }: OperandSchema): string => {
  const text = dtype === null ? 'any type' : typeof dtype === 'object' ? `as ${dtype.of}` : dtype
  return adjacent ? `${text} adjacent` : text
}

const shapeText = (shape: OperandShape): string =>
  typeof shape === 'string'
    ? `(${shape})`
    : `(${shape.zero}), or (${shape.positive}) unless ${shape.attribute} is 0`

function attributeType(name: string, attribute: AttributeSchema): string {
  if (attribute.type === 'choice') return capital(name)
  const types = {
    real: 'float',
    integer: 'int64_t',
    flag: 'bool',
    axis: 'int',
    format: 'BlockFormat',
    integers: 'Integers',
    program: 'MicroWords',
  }
  return types[attribute.type]
}

function attributeReader(name: string, attribute: AttributeSchema): string {
  switch (attribute.type) {
    case 'choice':
      return `(${capital(name)})in.integer()`
    case 'format':
      return '(BlockFormat)in.integer()'
    case 'axis':
      return '(int)in.integer()'
    case 'integers':
      return typeof attribute.length === 'number'
        ? `in.integers(${attribute.length})`
        : 'in.integers()'
    default:
      return `in.${attribute.type}()`
  }
}

const headerCounts = (operands: [string, OperandSchema][]): string => {
  const count = (arity: string): number => operands.filter(([, x]) => x.arity === arity).length
  return `${count('optional')}, ${count('list')}`
}

// --- checks: attributes first, because shapes may depend on them

function checks(kernel: string, { inputs, outputs, attributes }: KernelSchema): string[] {
  const operands = Object.entries({ ...inputs, ...outputs })
  const attrs = Object.entries(attributes)
  const sizes = new Set<string>()
  for (const [, { shape }] of operands)
    for (const pattern of patternsOf(shape))
      for (const name of pattern.split(' ')) if (/^\w+$/.test(name) && name !== '1') sizes.add(name)
  for (const [name, attr] of attrs)
    if (attr.type === 'integer' && (typeof attr.max === 'string' || attr.divides)) sizes.add(name)
  const lengths = new Set(
    attrs.flatMap(([, x]) =>
      x.type === 'integers' && typeof x.length === 'string' ? [x.length] : [],
    ),
  )
  const all = [...sizes, ...lengths]
  if (new Set([...all, ...operands.map(([name]) => name)]).size !== all.length + operands.length)
    throw new Error(`${kernel}: a dimension and an operand have the same name`)
  const referred = referredOperands(operands, attrs)
  return [
    ...(all.length > 0 ? [`enum { ${all.join(', ')} };`] : []),
    `c.start(${headerCounts(operands)});`,
    ...attrs.map(([name, attr]) => attributeCheck(name, attr, sizes)),
    ...operands.flatMap(([name, x]) => operandCheck(name, x, name in inputs, referred)),
    ...attrs.flatMap(([name, attr]) => relations(name, attr)),
    'c.end();',
  ]
}

const patternsOf = (shape: OperandShape): string[] =>
  typeof shape === 'string' ? [shape] : [shape.zero, shape.positive]

/** Operands that other checks refer to: each needs a variable. */
function referredOperands(
  operands: [string, OperandSchema][],
  attrs: [string, AttributeSchema][],
): Set<string> {
  const names = new Set<string>()
  for (const [name, x] of operands) {
    if (typeof x.dtype === 'object' && x.dtype) names.add(x.dtype.of)
    if (x.mayOverwrite && x.mayOverwrite !== ANY_INPUT) names.add(x.mayOverwrite)
    if (x.presentWith) names.add(name).add(x.presentWith)
    if (x.adjacent) names.add(name)
  }
  for (const [, attr] of attrs) if (attr.type === 'axis') names.add(attr.of)
  return names
}

function attributeCheck(
  name: string,
  attribute: AttributeSchema,
  sizes: ReadonlySet<string>,
): string {
  const quoted = `"${name}"`
  switch (attribute.type) {
    case 'real':
      return `c.real(${[quoted, ...bounds(attribute)].join(', ')});`
    case 'integer': {
      const max = typeof attribute.max === 'string' ? 'LARGEST' : attribute.max
      const call = `c.integer(${quoted}, ${attribute.min}, ${max})`
      return sizes.has(name) ? `c.size(${name}, ${call});` : `${call};`
    }
    case 'flag':
      return `c.integer(${quoted}, 0, 1);`
    case 'choice':
      return `c.integer(${quoted}, 0, ${attribute.of.length - 1});`
    case 'format':
      return `c.integer(${quoted}, 0, BLOCK_FORMATS - 1);`
    case 'axis':
      return `const int64_t ${name} = c.integer(${quoted}, 0, MAX_RANK - 1);`
    case 'integers': {
      const { length, longest, min, max } = attribute
      const count =
        typeof length === 'number' ? length : `c.length(${quoted}, ${length}, ${longest})`
      return `c.integers(${quoted}, ${count}, ${min}, ${max});`
    }
    case 'program':
      return `c.program(${quoted});`
  }
}

const bounds = ({ min, max }: { min?: number; max?: number }): (number | string)[] =>
  min === undefined && max === undefined ? [] : [min ?? '-INFINITY', max ?? 'INFINITY']

function operandCheck(
  name: string,
  schema: OperandSchema,
  isInput: boolean,
  referred: ReadonlySet<string>,
): string[] {
  const { arity, dtype, shape, mayOverwrite } = schema
  const role = isInput ? 'input' : 'output'
  const method = { required: role, optional: `${role}IfPresent`, list: `${role}s` }[arity]
  const type =
    dtype === null
      ? []
      : [typeof dtype === 'object' ? `${dtype.of}.dtype` : `DType::${cppTypes[dtype]}`]
  const over =
    mayOverwrite === ANY_INPUT ? ['c.anyInput()'] : mayOverwrite ? [`&${mayOverwrite}`] : []
  const call = (pattern: string): string =>
    `c.${method}(${[`"${name}"`, ...type, sizeList(pattern), ...over].join(', ')})`
  const variable = referred.has(name) ? `${memberTypes[arity]}${name} = ` : ''
  const lines =
    typeof shape === 'string'
      ? [`${variable}${call(shape)};`]
      : [
          `if (c.size(${shape.attribute}) == 0) ${call(shape.zero)};`,
          `else ${call(shape.positive)};`,
        ]
  if (schema.adjacent) lines.push(`c.adjacent("${name}", ${name}, ${schema.least});`)
  if (schema.presentWith)
    lines.push(`c.together("${name}", ${name}, "${schema.presentWith}", ${schema.presentWith});`)
  return lines
}

const sizeList = (pattern: string): string =>
  `{${pattern
    .split(' ')
    .map((name) => ({ '...': 'LEAD', '1': 'SINGLE', '*': 'ANY_SHAPE' })[name] ?? name)
    .join(', ')}}`

/** The relation of attributes to dimensions and operands. */
function relations(name: string, attribute: AttributeSchema): string[] {
  if (attribute.type === 'axis') return [`c.axis("${name}", ${name}, ${attribute.of});`]
  if (attribute.type !== 'integer') return []
  return [
    ...(typeof attribute.max === 'string'
      ? [`c.atMost("${name}", ${name}, ${attribute.max});`]
      : []),
    ...(attribute.divides ? [`c.divides("${name}", ${name}, ${attribute.divides});`] : []),
  ]
}

if (process.argv[1] && fileURLToPath(import.meta.url) === process.argv[1])
  writeFileSync(headerPath, kernelHeader())
