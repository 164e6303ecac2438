import { type ChildProcess, spawn } from 'node:child_process'
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { posixOnly } from '../support/posix-only.ts'
import { loader } from '../support/run-script.ts'

const folder = mkdtempSync(join(tmpdir(), 'heed-cli-'))
const at = (name: string): string => join(folder, name)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

interface Ended {
  code: number | null
  out: string
  err: string
}

const gguf = fileURLToPath(new URL('../fixtures/gguf/blocks.gguf', import.meta.url))
const main = fileURLToPath(new URL('../support/heed-main.ts', import.meta.url))

function start(
  args: string[],
  env: Record<string, string> = {},
): { child: ChildProcess; ended: Promise<Ended> } {
  const child = spawn(process.execPath, [...loader, main, ...args], {
    env: { ...process.env, NO_COLOR: '1', ...env },
  })
  const ended = new Promise<Ended>((resolve) => {
    let out = ''
    let err = ''
    child.stdout.on('data', (chunk) => (out += chunk))
    child.stderr.on('data', (chunk) => (err += chunk))
    child.on('close', (code) => resolve({ code, out, err }))
  })
  return { child, ended }
}

const heed = (args: string[], env?: Record<string, string>): Promise<Ended> =>
  start(args, env).ended

const small = [
  '--layers',
  '1',
  '--heads',
  '2',
  '--dim',
  '16',
  '--context',
  '16',
  '--batch',
  '2',
  '--warmup',
  '1',
]
const train = (data: string, out: string, ...more: string[]): Promise<Ended> =>
  heed(['train', 'gpt2', '--data', data, '--out', out, ...small, ...more])

beforeAll(async () => {
  const words = ['call', 'me', 'ishmael', 'some', 'years', 'ago', 'never', 'mind', 'how', 'long']
  writeFileSync(
    at('text.txt'),
    Array.from({ length: 400 }, (_, i) => words[(i * i + i) % 10]).join(' '),
  )
  writeFileSync(at('empty.txt'), '')
  writeFileSync(at('same.txt'), 'a'.repeat(1000))
  writeFileSync(at('tiny.txt'), 'ten letter')
  writeFileSync(at('binary.bin'), Buffer.from([72, 0, 255, 3]))
  const { code, err } = await train(at('text.txt'), at('run'), '--steps', '4', '--save-every', '2')
  expect(err).toBe('')
  expect(code).toBe(0)
})

/** Kills a training run some time after it has reported a step. Resolves to the first step that it reported. */
async function killedAt(step: number, afterMs: number, args: string[]): Promise<number> {
  const { child, ended } = start(args)
  let output = ''
  child.stdout?.on('data', (text) => {
    const before = output
    output += text
    const line = `step ${step}/`
    if (output.includes(line) && !before.includes(line))
      setTimeout(() => child.kill('SIGKILL'), afterMs)
  })
  const { err } = await ended
  expect(child.signalCode, err).toBe('SIGKILL') // it has not ended by itself
  return firstStep(output)
}

const firstStep = (output: string): number => Number(/step (\d+)\//.exec(output)?.[1])

/** A user's mistake: one clear message, code 2, no stack. */
function expectMistake({ code, err }: Ended, ...says: RegExp[]): void {
  for (const pattern of says) expect(err).toMatch(pattern)
  expect(err).not.toMatch(/\n\s+at .*:\d+:\d+/)
  expect(code).toBe(2)
}

describe('heed train', () => {
  it.each<[string, string, RegExp]>([
    ['missing', 'nowhere.txt', /nowhere\.txt/],
    ['empty', 'empty.txt', /empty\.txt .*got 0 characters/],
    ['binary', 'binary.bin', /binary\.bin.*byte 1/],
    ['of one character', 'same.txt', /same\.txt .*got 1000 times/],
    ['shorter than the context', 'tiny.txt', /context/],
  ])('says what is wrong with data that is %s', async (_, file, says) => {
    expectMistake(await train(at(file), at('none')), says)
  })

  it('names the nearest model, flag and key', async () => {
    expectMistake(
      await heed(['train', 'gpt3', '--data', at('text.txt'), '--out', at('none')]),
      /gpt3/,
      /gpt2/,
    )
    expectMistake(await train(at('text.txt'), at('none'), '--laers', '2'), /--laers/, /--layers/)
    writeFileSync(at('bad.json'), '{ "dropot": 0.1 }')
    expectMistake(
      await train(at('text.txt'), at('none'), '--config', at('bad.json')),
      /dropot/,
      /dropout/,
    )
  })

  it('names sizes that do not fit, and flags that are no numbers', async () => {
    expectMistake(
      await train(at('text.txt'), at('none'), '--heads', '3'),
      /--heads .*--dim \(16\), got 3\n.*--heads 1, 2, 4 or 8\./,
    )
    expectMistake(await train(at('text.txt'), at('none'), '--steps', 'many'), /--steps/, /finite/)
  })

  it('refuses a folder that cannot be written', async () => {
    expectMistake(await train(at('text.txt'), join(at('text.txt'), 'run')), /text\.txt/)
    if (!posixOnly('there is no /proc'))
      expectMistake(await train(at('text.txt'), '/proc/none/run'), /\/proc\/none/)
  })

  it('refuses a run that is there, and another configuration when it goes on', async () => {
    expectMistake(await train(at('text.txt'), at('run')), /--resume/)
    expectMistake(await train(at('text.txt'), at('run'), '--resume', '--lr', '1'), /--lr .*\b1$/m)
  })

  it('says how much memory was asked for, and what to make smaller', async () => {
    const sizes = ['--layers', '4', '--dim', '128']
    const run = [
      'train',
      'gpt2',
      '--data',
      at('text.txt'),
      '--out',
      at('none-2'),
      ...small,
      ...sizes,
    ]
    expectMistake(await heed(run, { HEED_MEMORY: '5000000' }), /MB/, /smaller/)
  })

  it('resumes bit for bit after it was killed, wherever that was', async () => {
    const flags = ['--steps', '80', '--save-every', '5', '--log-every', '1', '--dropout', '0.1', '--eval-every', '20'] // biome-ignore format: one line
    await train(at('text.txt'), at('uninterrupted'), ...flags)
    const killed = at('killed')
    const args = ['train', 'gpt2', '--data', at('text.txt'), '--out', killed, ...small, ...flags]

    await killedAt(2, 0, args) // before the first checkpoint: it starts over
    expectMistake(await heed(args), /--resume/)

    let resumedAt = 0
    for (const [i, step] of [12, 33, 58].entries()) {
      const first = await killedAt(step, 7 * i, [...args, '--resume'])
      expect(first).toBeGreaterThan(resumedAt)
      resumedAt = first
    }
    const last = await heed(['train', 'gpt2', '--out', killed, '--resume'])
    expect(last.code).toBe(0)
    expect(firstStep(last.out)).toBeGreaterThan(resumedAt)
    const weights = (run: string): Buffer => readFileSync(join(run, 'model.safetensors'))
    expect(weights(killed).equals(weights(at('uninterrupted')))).toBe(true)
  }, 240_000)

  const noSignals = posixOnly('a process cannot be sent a signal that it handles')
  it.skipIf(noSignals)('saves on Ctrl-C and says how to go on', async () => {
    const out = at('interrupted')
    const { child, ended } = start([
      'train',
      'gpt2',
      '--data',
      at('text.txt'),
      '--out',
      out,
      ...small,
      '--steps',
      '100000',
    ])
    child.stdout?.on('data', (text) => {
      if (String(text).includes('step 10/')) child.kill('SIGINT')
    })
    const { code, out: text } = await ended
    expect(text).toMatch(/saved at step \d+[\s\S]*--resume/)
    expect(code).toBe(0)
  })
})

describe('heed generate', () => {
  it('writes the text alone to standard output, the same for the same seed', async () => {
    const args = ['generate', at('run'), '--prompt', 'call', '--tokens', '20', '--seed', '1']
    const [a, b] = [await heed(args), await heed(args)]
    expect(a.out).toMatch(/^call/)
    expect(a.out).toBe(b.out)
    expect(a.err).toBe('')
    expect(a.code).toBe(0)
  })

  it.each<[string, (run: string) => void, RegExp]>([
    [
      'truncated',
      (run) => truncateSync(join(run, 'model.safetensors'), 2000),
      /model\.safetensors/,
    ],
    [
      'with a header that claims 100 GB',
      (run) => {
        const bytes = readFileSync(join(run, 'model.safetensors'))
        bytes.writeBigUInt64LE(100_000_000_000n)
        rmSync(join(run, 'model.safetensors'))
        writeFileSync(join(run, 'model.safetensors'), bytes)
      },
      /model\.safetensors/,
    ],
    [
      'with a weight that is no number',
      (run) => {
        const bytes = readFileSync(join(run, 'model.safetensors'))
        bytes.writeFloatLE(Number.NaN, bytes.length - 4)
        rmSync(join(run, 'model.safetensors'))
        writeFileSync(join(run, 'model.safetensors'), bytes)
      },
      /NaN/,
    ],
    [
      'of an unknown type',
      (run) => writeFileSync(join(run, 'config.json'), '{"model_type":"gpt5"}'),
      /gpt5.*[\s\S]*gpt2/,
    ],
    ['without a config', (run) => rmSync(join(run, 'config.json')), /config\.json/],
  ])('refuses a model %s', async (name, spoil, says) => {
    const run = at(`spoiled ${name}`)
    mkdirSync(run)
    for (const file of [
      'config.json',
      'model.safetensors',
      'tokenizer.json',
      'tokenizer_config.json',
    ])
      cpSync(join(at('run'), file), join(run, file))
    spoil(run)
    expectMistake(await heed(['generate', run, '--prompt', 'call']), says)
  })

  it('searches, looks up, stops and constrains', async () => {
    const base = ['generate', at('run'), '--prompt', 'call', '--temperature', '0']
    const run = async (...flags: string[]): Promise<string> => {
      const { out, err } = await heed([...base, '--tokens', '12', ...flags])
      expect(err).toBe('')
      return out
    }
    const plain = await run()
    expect(await run('--lookup')).toBe(plain)
    expect(await run('--draft', at('run'))).toBe(plain)
    const stop = plain.slice(8, 10)
    expect(await run('--stop', stop, '--stop', '~')).toBe(
      `call${plain.slice(4, plain.indexOf(stop, 4))}\n`,
    )
    expect(await run('--beams', '1')).toBe(plain)
    expect(await run('--beams', '3', '--no-repeat-ngram', '2', '--tokens', '99')).toMatch(
      /^call.+\n$/s,
    )
    expect(await run('--regex', '[a-e]{3}(v|x)')).toMatch(/^[a-e]{3}[v]\n$/)
    const lines = (await run('--logprobs', '2')).trim().split('\n')
    const steps = lines.map((line) => JSON.parse(line))
    expect(`call${steps.map(({ token }) => token).join('')}\n`).toBe(plain)
    for (const { logprob, top } of steps) expect(top[0].logprob).toBe(logprob)
  })

  it('says which flags do not go together, and what is wrong with a schema', async () => {
    const base = ['generate', at('run'), '--prompt', 'call']
    expectMistake(await heed([...base, '--beams', '2', '--lookup']), /--beams and --lookup/)
    writeFileSync(at('bad-schema.json'), '{"type":"integer","multipleOf":2}')
    const bad = await heed([...base, '--json-schema', at('bad-schema.json')])
    expectMistake(bad, /#\/multipleOf/)
    expectMistake(await heed([...base, '--json-schema', at('nowhere.json')]), /nowhere\.json/)
    writeFileSync(at('schema.json'), '{"type":"array","items":{"enum":[1,2]},"maxItems":3}')
    const lacking = await heed([...base, '--json-schema', at('schema.json')])
    expectMistake(lacking, /got none[\s\S]*vocabulary/)
  })

  it('names options out of range before it writes anything', async () => {
    const bad = await heed(['generate', at('run'), '--prompt', 'call', '--temperature', '-1'])
    expectMistake(bad, /temperature.*\b0, got -1/)
    expect(bad.out).toBe('')
  })
})

describe('heed bench', () => {
  const size = ['--layers', '1', '--heads', '2', '--dim', '16', '--context', '16', '--steps', '2']

  it('prints speeds, the share of each kernel and a trace', async () => {
    const trace = at('trace.json')
    const { out, code } = await heed(['bench', 'small', ...size, '--profile', '--trace', trace])
    expect(out).toMatch(/1 layers x 16, context 16/)
    expect(out).toMatch(/training step .*tokens\/s.*of the ceiling/)
    expect(out).toMatch(/decode step .*tokens\/s/)
    expect(out).toMatch(/\d+\.\d % .*matmul +transformer\.h\.\*\.mlp\.c_fc \(backward\)/)
    expect(code).toBe(0)
    const { traceEvents } = JSON.parse(readFileSync(trace, 'utf8'))
    const programs = traceEvents.filter((e: { name: string }) => e.name.startsWith('program '))
    expect(programs.map((e: { name: string }) => e.name)).toEqual(['program 0', 'program 1'])
  })

  it('measures on a device that has no profile, and says so when asked for one', async () => {
    const reference = { HEED_DEVICE: 'reference' }
    const { out, code } = await heed(['bench', 'small', ...size], reference)
    expect(out).toMatch(/on reference[\s\S]*training step[\s\S]*decode step/)
    expect(code).toBe(0)
    expectMistake(await heed(['bench', '--profile'], reference), /reference.*not time/)
  })

  it('names sizes that do not fit', async () => {
    expectMistake(await heed(['bench', 'smal']), /smal/, /small/)
    expectMistake(
      await heed(['bench', 'small', '--heads', '3']),
      /--heads must be a divisor of --dim \(128\), got 3/,
    )
    expectMistake(await heed(['bench', 'small', '--steps', '0']), /at least 1/)
    expectMistake(await heed(['bench', 'small', '--steps', '64']), /context of 64/)
  })
})

describe('heed chat', () => {
  const model = fileURLToPath(new URL('../fixtures/gguf/llama.gguf', import.meta.url))
  const greedy = ['--temperature', '0', '--tokens', '8']

  it('answers one message, alone on standard output', async () => {
    const { out, err, code } = await heed(['chat', model, '--prompt', 'dog', ...greedy])
    expect(out.length).toBeGreaterThan(2)
    expect(err).toMatch(/^read \d+ tokens, [\d.]+ tokens\/s; wrote \d+/)
    expect(code).toBe(0)
  })

  it('talks, obeys commands, and goes on after mistakes', async () => {
    const { child, ended } = start(['chat', model, ...greedy])
    const file = at('chat.json')
    const lines = ['dog', '/bogus', '/save', 'the\\', 'fox', `/save ${file}`, '/reset', '/help']
    child.stdin?.end(`${lines.join('\n')}\n`)
    const { err, code } = await ended
    const saved: { role: string; content: string }[] = JSON.parse(readFileSync(file, 'utf8'))
    expect(saved.map(({ role }) => role)).toEqual(['user', 'assistant', 'user', 'assistant'])
    expect(saved[2].content).toBe('the\nfox')
    expect(err).toMatch(/\/bogus[\s\S]*\/save[\s\S]*4 messages/)
    expect(err).toMatch(/Started over[\s\S]*\/system TEXT/)
    expect(code).toBe(0)
  })

  it.each(['/exit', '/bye', 'exit'])('ends at %s, while more could come', async (line) => {
    const { child, ended } = start(['chat', model, ...greedy])
    child.stdin?.write(`${line}\ndog\n`)
    const { out, code } = await ended
    child.stdin?.destroy()
    expect([out, code]).toEqual(['', 0])
  })

  it('names what it cannot do', async () => {
    expectMistake(
      await heed(['chat', at('run'), '--prompt', 'x']),
      /must have a chat template, got none/,
    )
    expectMistake(
      await heed(['chat', gguf, '--prompt', 'x']),
      /architecture of a GGUF file must be one of .*got "test"/,
    )
    expectMistake(await heed(['chat', model, '--context', '0']), /at least 1/)
  })
})

describe('heed convert', () => {
  const model = fileURLToPath(new URL('../fixtures/gguf/llama.gguf', import.meta.url))

  it('makes a folder of a GGUF file, which chats', async () => {
    const flags = ['--dtype', 'bf16', '--shard-size', '20kB']
    const { out, code } = await heed(['convert', model, at('converted'), ...flags])
    expect(out).toMatch(/converted: 21 tensors, [\d.]+ kB/)
    expect(code).toBe(0)
    const chat = await heed(['chat', at('converted'), '--prompt', 'dog', '--tokens', '4'])
    expect(chat.code).toBe(0)
  })

  it('names what it cannot do', async () => {
    expectMistake(await heed(['convert', model, at('x'), '--dtype', 'f8']), /--dtype.*bf16/s)
    expectMistake(await heed(['convert', model, at('x'), '--shard-size', 'big']), /must be a size/)
    expectMistake(await heed(['convert', at('none.gguf'), at('x')]), /does not exist/)
  })
})

describe('heed inspect, doctor and help', () => {
  it('counts parameters by module', async () => {
    const { out, code } = await heed(['inspect', at('run')])
    expect(out).toMatch(/gpt2[\s\S]*parameters[\s\S]*attn\.c_attn/)
    expect(code).toBe(0)
  })

  it('shows metadata and types of a GGUF file', async () => {
    const { out, code } = await heed(['inspect', gguf, '--all'])
    expect(out).toMatch(/test .*blocks\.gguf {2}GGUF version 3/)
    expect(out).toMatch(/a\.strings \[3: "one", "", "drei ✓"\]/)
    expect(out).toMatch(/q4_k +3\.07 k in 1\.73 kB, 1 tensors/)
    expect(out).toMatch(/3072 {2}q6_k {2}\(6, 512\) {2}q6_k/)
    expect(code).toBe(0)
    expectMistake(await heed(['inspect', at('none.gguf')]), /none\.gguf: it does not exist/)
  })

  it('counts what a config or a published size takes', async () => {
    const big = await heed(['inspect', '--preset', 'gpt3-175b'])
    expect(big.out).toMatch(/175 G.* parameters \(174604259328\)/)
    expect(big.out).toMatch(/h\.\*\.mlp\.c_fc +96 x +58\.0 G +33\.2 %/)
    expect(big.out).toMatch(/2\.79 TB in training/)
    expect(big.code).toBe(0)
    const config = join(at('run'), 'config.json')
    const own = await heed(['inspect', '--config', config, '--context', '4'])
    expect(own.out).toMatch(/KV cache[\s\S]* for 4 tokens/)
    expect(own.out).not.toMatch(/on disk/)
    expectMistake(await heed(['inspect']), /a model, --config FILE and --preset NAME/)
    expectMistake(await heed(['inspect', '--preset', 'gpt5']), /Known: gpt2/)
    expectMistake(
      await heed(['inspect', '--config', config, '--context', '99999']),
      /--context must be a whole number from 1 to 16/,
    )
  })

  it('tells what the machine can do', async () => {
    const { out, code } = await heed(['doctor'])
    expect(out).toMatch(/Computing on: (cpu|wasm|reference)/)
    expect(code).toBe(0)
  })

  it('shows examples in every help', async () => {
    for (const command of ['train', 'chat', 'convert', 'fill', 'answer', 'embed', 'pull', 'push']) {
      const { out, code } = await heed([command, '--help'])
      expect(out).toMatch(/example:/)
      expect(code).toBe(0)
    }
  })

  it('names the nearest command', async () => {
    expectMistake(await heed(['generat']), /generate/)
  })
})
