import { HeedError } from '../../util/errors.ts'
import {
  either,
  eitherOf,
  empty,
  type Fragment,
  literal,
  never,
  optional,
  repeated,
  sequence,
} from './automaton.ts'
import { jsonCharacter, jsonInteger, jsonNumber, jsonString } from './json-texts.ts'
import { integerPattern, numberPattern, type Range } from './number-range.ts'
import { regexFragment } from './regex.ts'

type Schema = { readonly [key: string]: unknown }

/** The language of the JSON texts that a schema (a subset of draft 2020-12) accepts. */
export function jsonSchemaFragment(schema: unknown): Fragment {
  return new Compiler(schema).fragment(schema, '#')
}

class Compiler {
  private readonly root: unknown
  /** The recursion depth of each reference. */
  private readonly open = new Map<string, number>()
  private made = 0
  private depth = 0

  constructor(root: unknown) {
    this.root = root
  }

  fragment(schema: unknown, at: string): Fragment {
    if (++this.made > MOST_SCHEMAS || this.depth === DEEPEST)
      throw new HeedError(
        'unsupported',
        `A JSON schema must have at most ${MOST_SCHEMAS} parts and ${DEEPEST} levels, got more`,
        { remedy: 'Split it, or shorten its lists.' },
      )
    this.depth++
    const made = this.ruled(schema, at)
    this.depth--
    return made
  }

  private ruled(schema: unknown, at: string): Fragment {
    if (!isObject(schema))
      this.fail(at, 'a schema must be an object ({ … }); true, false and lists are not supported')
    const rule = RULES.find(([key]) => Object.hasOwn(schema, key))
    if (!rule)
      this.fail(at, "a schema must have 'type', 'enum', 'const', 'anyOf', 'oneOf' or '$ref'")
    const [key, keywords] = rule
    const types = key === 'type' ? typesOf(schema.type) : []
    if (!types.every(isType))
      this.fail(`${at}/type`, `the type must be one of ${Object.keys(TYPES).join(', ')}`)
    const known = [key, ...keywords, ...types.flatMap((type) => TYPES[type])]
    const unknown = Object.keys(schema).find((name) => ![...known, ...NOTES].includes(name))
    if (unknown !== undefined)
      this.fail(
        `${at}/${unknown}`,
        'this keyword is not supported',
        `Supported here: ${known.join(', ')}, and descriptions such as title.`,
      )
    return this[key](schema, at)
  }

  $ref({ $ref: path }: Schema, at: string): Fragment {
    if (typeof path !== 'string' || !/^#(\/|$)/.test(path))
      this.fail(`${at}/$ref`, 'a reference must be within the schema (#/$defs/…)')
    const depth = this.open.get(path) ?? 0
    if (depth === DEEPEST_RECURSION) return never
    this.open.set(path, depth + 1)
    const fragment = this.fragment(this.resolve(path, at), path)
    this.open.set(path, depth)
    return fragment
  }

  enum({ enum: values }: Schema, at: string): Fragment {
    if (!Array.isArray(values) || values.length === 0)
      this.fail(`${at}/enum`, 'the value must be a list of values')
    return eitherOf(values.map((value) => literal(JSON.stringify(value))))
  }

  const({ const: value }: Schema): Fragment {
    return literal(JSON.stringify(value))
  }

  anyOf({ anyOf: schemas }: Schema, at: string): Fragment {
    return this.either(schemas, `${at}/anyOf`)
  }

  /** Like `anyOf`: a text that matches two alternatives is accepted. */
  oneOf({ oneOf: schemas }: Schema, at: string): Fragment {
    return this.either(schemas, `${at}/oneOf`)
  }

  private either(schemas: unknown, at: string): Fragment {
    if (!Array.isArray(schemas) || schemas.length === 0)
      this.fail(at, 'the value must be a list of schemas')
    return eitherOf(schemas.map((schema, i) => this.fragment(schema, `${at}/${i}`)))
  }

  type(schema: Schema, at: string): Fragment {
    return either(
      ...typesOf(schema.type).map((type) => {
        if (type === 'object') return this.object(schema, at)
        if (type === 'array') return this.array(schema, at)
        if (type === 'string') return this.string(schema, at)
        if (type === 'number') return this.number(schema, jsonNumber, numberPattern, at)
        if (type === 'integer') return this.number(schema, jsonInteger, integerPattern, at)
        return type === 'boolean' ? either(literal('true'), literal('false')) : literal('null')
      }),
    )
  }

  /** Every property once, in the order of the schema; optional properties may be missing. */
  private object(schema: Schema, at: string): Fragment {
    const { properties = {}, required = [], additionalProperties: others = false } = schema
    if (!isObject(properties))
      this.fail(`${at}/properties`, 'the value must be an object of schemas')
    if (!Array.isArray(required)) this.fail(`${at}/required`, 'the value must be a list of names')
    const names = Object.keys(properties)
    const missing = required.find((name) => !names.includes(name))
    if (missing !== undefined)
      this.fail(`${at}/required`, `'${missing}' must be one of the properties`)
    if (isObject(others)) {
      if (names.length > 0)
        this.fail(
          `${at}/additionalProperties`,
          'the value must be true or false if there are properties',
        )
      const member = sequence(
        jsonString,
        COLON,
        this.fragment(others, `${at}/additionalProperties`),
      )
      return sequence(literal('{'), list(member, 0, Number.POSITIVE_INFINITY), literal('}'))
    }
    const members = names.map((name) => ({
      required: required.includes(name),
      text: sequence(
        literal(JSON.stringify(name)),
        COLON,
        this.fragment(properties[name], `${at}/properties/${name}`),
      ),
    }))
    return sequence(literal('{'), inOrder(members), literal('}'))
  }

  private array(schema: Schema, at: string): Fragment {
    if (!isObject(schema.items))
      this.fail(`${at}/items`, 'an array must have a schema for its items')
    const [least, most] = this.bounds(schema, 'Items', at)
    const item = this.fragment(schema.items, `${at}/items`)
    return sequence(literal('['), list(item, least, most), literal(']'))
  }

  private string(schema: Schema, at: string): Fragment {
    const { pattern, format } = schema
    const [least, most] = this.bounds(schema, 'Length', at)
    const limited = 'minLength' in schema || 'maxLength' in schema
    if ([limited, pattern !== undefined, format !== undefined].filter(Boolean).length > 1)
      this.fail(at, 'lengths, pattern and format must not be combined')
    if (pattern !== undefined) {
      if (typeof pattern !== 'string')
        this.fail(`${at}/pattern`, 'the value must be a regular expression')
      const inside = regexFragment(anchored(pattern), jsonCharacter)
      return sequence(literal('"'), inside, literal('"'))
    }
    if (format !== undefined) {
      if (typeof format !== 'string' || !Object.hasOwn(FORMATS, format))
        this.fail(`${at}/format`, `the format must be one of ${Object.keys(FORMATS).join(', ')}`)
      return sequence(literal('"'), regexFragment(FORMATS[format]), literal('"'))
    }
    if (!limited) return jsonString
    return sequence(literal('"'), repeated(jsonCharacter(), least, most), literal('"'))
  }

  private number(
    schema: Schema,
    unbounded: Fragment,
    pattern: (range: Range) => string | null,
    at: string,
  ): Fragment {
    const bounds = BOUNDS.filter((key) => schema[key] !== undefined)
    if (bounds.length === 0) return unbounded
    const wrong = bounds.find((key) => !Number.isInteger(schema[key]))
    if (wrong) this.fail(`${at}/${wrong}`, 'bounds must be whole numbers')
    const read = (key: (typeof BOUNDS)[number], otherwise: number): number =>
      (schema[key] as number | undefined) ?? otherwise
    const infinity = Number.POSITIVE_INFINITY
    const [least, above] = [read('minimum', -infinity), read('exclusiveMinimum', -infinity)]
    const [most, below] = [read('maximum', infinity), read('exclusiveMaximum', infinity)]
    const numbers = pattern({
      least: Math.max(least, above),
      most: Math.min(most, below),
      exclusiveLeast: above >= least,
      exclusiveMost: below <= most,
    })
    if (numbers === null) this.fail(at, 'the bounds must include a number')
    return regexFragment(numbers)
  }

  private bounds(schema: Schema, what: 'Items' | 'Length', at: string): [number, number] {
    const { [`min${what}`]: least = 0, [`max${what}`]: most = Number.POSITIVE_INFINITY } = schema
    const isCount = (x: unknown): x is number => Number.isSafeInteger(x) && (x as number) >= 0
    if (!isCount(least) || !(isCount(most) || most === Number.POSITIVE_INFINITY) || least > most)
      this.fail(at, `min${what} and max${what} must be whole numbers in ascending order`)
    return [least, most]
  }

  private resolve(path: string, at: string): unknown {
    let schema = this.root
    for (const part of path.split('/').slice(1)) {
      const key = part.replaceAll('~1', '/').replaceAll('~0', '~')
      if (typeof schema !== 'object' || schema === null || !Object.hasOwn(schema, key))
        this.fail(`${at}/$ref`, `${path} must exist in the schema`)
      schema = (schema as Schema)[key]
    }
    return schema
  }

  private fail(at: string, reason: string, remedy = 'Change this part of the schema.'): never {
    throw new HeedError(
      'unsupported',
      `The JSON schema is not supported at ${at.slice(0, 200)}: ${reason}`,
      { key: at, remedy },
    )
  }
}

const MOST_SCHEMAS = 50_000
const DEEPEST = 200
/** Maximum depth of a recursive reference. */
const DEEPEST_RECURSION = 4

/** The first of these keywords in a schema determines its rule; the list has further keywords that are allowed. */
const RULES: readonly (readonly [
  key: '$ref' | 'const' | 'enum' | 'anyOf' | 'oneOf' | 'type',
  beside: readonly string[],
])[] = [
  ['$ref', []],
  ['const', ['type']],
  ['enum', ['type']],
  ['anyOf', []],
  ['oneOf', []],
  ['type', []],
]
/** Keywords that do not affect the text. */
const NOTES = '$schema $id $comment $defs definitions title description default examples deprecated readOnly writeOnly'.split(' ') // biome-ignore format: one line
const BOUNDS = ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum'] as const
const TYPES: Record<string, readonly string[]> = {
  object: ['properties', 'required', 'additionalProperties'],
  array: ['items', 'minItems', 'maxItems'],
  string: ['minLength', 'maxLength', 'pattern', 'format'],
  number: BOUNDS,
  integer: BOUNDS,
  boolean: [],
  null: [],
}
const DATE = '[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])'
const TIME =
  '([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,6})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])'
const FORMATS: Record<string, string> = {
  date: DATE,
  time: TIME,
  'date-time': `${DATE}T${TIME}`,
  uuid: '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}',
}

const SPACE = optional(literal(' '))
const COLON = sequence(literal(':'), SPACE)
const COMMA = sequence(literal(','), SPACE)

/** Items separated by commas. */
function list(item: Fragment, least: number, most: number): Fragment {
  if (most === 0) return empty
  const some = sequence(item, repeated(sequence(COMMA, item), Math.max(0, least - 1), most - 1))
  return least === 0 ? either(some, empty) : some
}

interface Member {
  required: boolean
  text: Fragment
}

/** Two parallel paths: `none` before the first present member, and `some` after it, where commas precede members. */
const inOrder =
  (members: readonly Member[]): Fragment =>
  (automaton, from, to) => {
    let [none, some] = [from, automaton.state()]
    for (const { required, text } of members) {
      const before = automaton.state()
      const [nextNone, nextSome] = [automaton.state(), automaton.state()]
      empty(automaton, none, before)
      COMMA(automaton, some, before)
      text(automaton, before, nextSome)
      if (!required) {
        empty(automaton, none, nextNone)
        empty(automaton, some, nextSome)
      }
      ;[none, some] = [nextNone, nextSome]
    }
    empty(automaton, none, to)
    empty(automaton, some, to)
  }

/** Extends a pattern to the whole string: without anchors, it may match anywhere. */
function anchored(pattern: string): string {
  const start = pattern.startsWith('^')
  const end = /(^|[^\\])(\\\\)*\$$/.test(pattern)
  const inner = pattern.slice(start ? 1 : 0, end ? -1 : undefined)
  return `${start ? '' : '[^]*'}(?:${inner})${end ? '' : '[^]*'}`
}

const typesOf = (type: unknown): unknown[] => (Array.isArray(type) ? type : [type])

const isType = (type: unknown): type is keyof typeof TYPES =>
  typeof type === 'string' && Object.hasOwn(TYPES, type)

const isObject = (value: unknown): value is Schema =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
