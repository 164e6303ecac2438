import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { runScript } from '../support/run-script.ts'

it('trains three translators for seconds, compares and draws', async () => {
  const out = await mkdtemp(join(tmpdir(), 'heed-translation-'))
  try {
    const printed = await runScript('examples/translation.ts', '--smoke', '--out', out)
    for (const name of ['LSTM, fixed vector', 'GRU, Bahdanau attention', 'Transformer'])
      expect(printed).toMatch(new RegExp(`${name}: [1-9]\\d* steps, BLEU [\\d.]+, chrF [\\d.]+`))
    expect(printed.match(/chrF \(95 %: .* p = [01]\.\d{3}/g)).toHaveLength(3)
    const curves = await readFile(join(out, 'chrf-by-length.svg'), 'utf8')
    expect(curves.match(/<polyline/g)).toHaveLength(3)
    const attention = await readFile(join(out, 'attention.svg'), 'utf8')
    expect(attention.match(/<rect x=/g)?.length).toBeGreaterThan(10)
    const written = JSON.parse(await readFile(join(out, 'translations.json'), 'utf8'))
    expect(written[0].written).toHaveLength(3)
  } finally {
    await rm(out, { recursive: true, force: true })
  }
}, 60_000)
