import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { FILTERS } from '../../src/tokenizers/jinja/filters.ts'
import { renderTemplate } from '../../src/tokenizers/jinja/render.ts'
import { TESTS } from '../../src/tokenizers/jinja/tests.ts'
import { HeedError } from '../../src/util/errors.ts'

// What jinja2 makes of every filter, test, method, operator and statement, in the environment of transformers
// (scripts/fixtures/jinja_cases.py): a text, or an error with this message.

type Case = [template: string, text: string | null, type?: string, message?: string]

const file = new URL('../fixtures/jinja.json', import.meta.url)
const { variables, cases } = JSON.parse(readFileSync(file, 'utf8')) as {
  variables: Record<string, unknown>
  cases: Case[]
}

/** Names that are refused, with a reason; no published template uses them. */
const REFUSED = [
  '{{ html|striptags }}',
  '{{ html|urlize }}',
  '{{ map|pprint }}',
  '{{ text.encode() }}',
  '{{ n.to_bytes(1) }}',
  '{{ n.from_bytes("a") }}',
  '{{ f.fromhex("1") }}',
  '{{ lipsum() }}',
]

function rendered(template: string): { text?: string; error?: string } {
  try {
    return { text: renderTemplate(template, { ...variables, big: 2n ** 70n }).text }
  } catch (error) {
    if (!(error instanceof HeedError)) throw error
    return {
      error: error.message.replace(/^The chat template [a-z ]+: /, ''),
    }
  }
}

describe('templates', () => {
  it(`give what Python gives, in ${cases.length} cases`, () => {
    const different = cases.filter(([template, text, , message]) => {
      const actual = rendered(template)
      return text === null ? actual.error !== message : actual.text !== text
    })
    expect(different.map(([template]) => [template, rendered(template)])).toEqual([])
  })

  it('know all filters and tests of Jinja', () => {
    const used = cases.map(([template]) => template).join('\n') + REFUSED.join('\n')
    expect(FILTERS.size).toBe(54)
    expect(TESTS.size).toBe(39)
    const operators = /^\W/
    for (const name of FILTERS.keys()) if (name !== 'random') expect(used).toMatch(`|${name}`)
    for (const name of TESTS.keys())
      if (!operators.test(name) && !used.includes(`is ${name}`)) expect(used).toMatch(`'${name}'`)
  })

  it.each(REFUSED)('refuse %s', (template) => {
    expect(rendered(template).error).toMatch(/not supported/)
  })

  it('choose at random', () => {
    expect(['3', '1', '2']).toContain(rendered('{{ items|random }}').text)
    expect(rendered('{{ []|random }}').text).toBe('')
  })

  it('take values of JavaScript', () => {
    const values = {
      a: undefined,
      b: new Map([['x', 1]]),
      c: 1.5,
      d: 2,
      e: new Date(0),
      f: () => 1,
    }
    expect(renderTemplate('{{ v }}', { v: values }).text).toBe(
      "{'b': {'x': 1}, 'c': 1.5, 'd': 2, 'e': '<Date>', 'f': '<function>'}",
    )
  })
})

// Each would leave the interpreter with an error of JavaScript if a value were not checked.
it.each([
  "{{ '{:c}'.format(99999999) }}",
  "{{ 'a'.translate({97: 9999999999}) }}",
  "{{ 'a' * 2 ** 70 }}",
  '{{ [1][2 ** 70] }}',
  "{{ 'a'.center(2 ** 70) }}",
  "{{ '%c' % (2 ** 70) }}",
  '{{ range(2 ** 70) }}',
  "{{ 'x'|round(2 ** 70) }}",
  '{{ 1|round(-(2 ** 70)) }}',
  "{{ '%.99999999999f' % 1 }}",
  "{{ '{:.99999999f}'.format(1.5) }}",
  "{{ 'a'|int(base=99) }}",
  "{{ 'a'.splitlines(2 ** 70) }}",
  '{{ (1,)[::2 ** 70] }}',
  '{{ 1.5|round(400) }}{{ 1e308|round(-400) }}',
  "{{ {}['a' * 9]|default(1)|batch(0)|list }}",
  '{{ [1, 2]|batch(-1)|list }}{{ [1]|slice(-1)|list }}',
  '{% set ns = namespace() %}{% set ns.x = ns %}{{ ns }}',
  '{% set ns = namespace() %}{% set ns.x = [ns] %}{{ ns.x == ns.x }}{{ ns.x|tojson }}',
  "{{ 'a'.join(namespace()) }}",
  '{{ strftime_now("%" * 1000) }}',
])('%s ends with a text or an error of Heed', (template) => {
  expect(rendered(template)).toBeDefined()
})

// Each would leave the interpreter with a RangeError of JavaScript, whose message is not Python's.
it.each([
  ["{{ '%c' % -9 }}", '%c arg not in range(0x110000)'],
  ["{{ '%c' % 0x110000 }}", '%c arg not in range(0x110000)'],
  ["{{ '{:c}'.format(-9) }}", '%c arg not in range(0x110000)'],
  ["{{ '{:c}'.format(0x110000) }}", '%c arg not in range(0x110000)'],
  ["{{ 'a'.translate({97: -9}) }}", 'character mapping must be in range(0x110000)'],
  ["{{ 'a'.translate({97: 10 ** 30}) }}", 'character mapping must be in range(0x110000)'],
  ["{{ 'a'.translate({97: 1.5}) }}", 'character mapping must return integer, None or str'],
])('%s fails as in Python', (template, message) => {
  expect(rendered(template).error).toContain(message)
})

it('change the case of letters as Python does', () => {
  const methods = {
    title: 'ʼNßß ǅ Fi ᾼ Οδος Ii̇',
    capitalize: 'ʼNßß ǆ ﬁ ᾳ οδος ıi̇',
    casefold: 'ʼnssss ǆ fi αι οδοσ ıi̇',
    swapcase: 'ʼNßSS Ǆ FI ΑΙ οδος Ii̇',
  }
  for (const [name, expected] of Object.entries(methods))
    expect(rendered(`{{ 'ŉẞß ǆ ﬁ ᾳ ΟΔΟΣ ıİ'.${name}() }}`).text).toBe(expected)
})

// A backslash becomes two, so that each filter doubles a text.
it.each(['tojson', 'string|urlencode', 'pprint', "replace('x', 'x')|escape|string"])(
  'a text that grows with each filter meets the limit of memory: %s',
  (filter) => {
    const before = process.resourceUsage().maxRSS
    const chain = `|${filter}`.repeat(200)
    const { error, text } = rendered(`{{ ("\\\\" * 9 ~ "&%")${chain} }}`)
    expect(error ?? text?.length).toBeDefined()
    expect((process.resourceUsage().maxRSS - before) / 1024).toBeLessThan(400)
  },
)

it('wraps a word as long as the text in time in proportion to it', () => {
  const { text } = rendered("{{ ('-a😀' * 60000)|wordwrap(10) }}")
  expect(text?.replaceAll('\n', '')).toBe('-a😀'.repeat(60000))
  expect(rendered("{{ 'ab--cd😀ef-gh'|wordwrap(5) }}").text).toBe('ab--c\nd😀ef-\ngh')
})
