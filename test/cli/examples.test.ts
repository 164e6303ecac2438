// Every command's help ends with an example that works as printed, in an empty folder.
import { exec } from 'node:child_process'
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { beforeAll, expect, it } from 'vitest'
import { commandNames, loadCommand } from '../../src/cli/commands.ts'
import { COMPLETE } from '../../src/cli/examples.ts'
import { convertModel } from '../../src/models/index.ts'
import { loadAddon } from '../../src/runtime/cpu/addon.ts'
import { FIXTURES } from '../fixtures/cases.ts'
import { type FakeFile, startHub } from '../io/hub-server.ts'
import { loader } from '../support/run-script.ts'

let root: string
let env: NodeJS.ProcessEnv

/** `npx heed` runs these sources. The hub is a server of this machine with a tiny chat model. */
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'heed-examples-'))
  const model = join(root, 'model')
  await convertModel(join(FIXTURES, 'gguf', 'llama.gguf'), model)
  const { hub, close } = await startHub(await filesIn(model), [
    'HuggingFaceTB/SmolLM2-135M-Instruct',
    'me/book',
  ])
  env = {
    ...process.env,
    PATH: `${await binFolder()}${delimiter}${process.env.PATH}`,
    HF_ENDPOINT: hub.endpoint,
    HF_TOKEN: 'hf_token',
    NO_COLOR: '1',
  }
  return async () => {
    close()
    await rm(root, { recursive: true, force: true })
  }
})

/** A folder with a program `npx` that runs the command line from its sources. */
async function binFolder(): Promise<string> {
  const bin = await mkdtemp(join(root, 'bin-'))
  const { href } = new URL('../../src/cli/main.ts', import.meta.url)
  const script = join(bin, 'heed.mjs')
  await writeFile(script, `import { run } from '${href}'\nprocess.argv.splice(2, 1)\nawait run(process.argv)\n`) // biome-ignore format: one line
  const words = [process.execPath, ...loader, script].map((word) => `"${word}"`).join(' ')
  await writeFile(join(bin, 'npx'), `#!/bin/sh\nexec ${words} "$@"\n`, { mode: 0o755 })
  await writeFile(join(bin, 'npx.cmd'), `@${words} %*\r\n`)
  return bin
}

async function filesIn(folder: string): Promise<Record<string, FakeFile>> {
  const files: Record<string, FakeFile> = {}
  for (const name of await readdir(folder))
    files[name] = { content: await readFile(join(folder, name)), lfs: name.endsWith('.safetensors') } // biome-ignore format: one line
  return files
}

async function helpOf(name: string): Promise<string> {
  const command = await loadCommand(name, [])
  let text = ''
  command.configureOutput({ writeOut: (part) => void (text += part) })
  command.outputHelp()
  return text
}

interface Result {
  folder: string
  out: string
}

const known = new Map<string, Promise<Result>>()

/** Runs lines in a new folder. Examples share their first lines, which are run once. */
function resultOf(lines: readonly string[]): Promise<Result> {
  const key = lines.join('\n')
  const result = known.get(key) ?? runLast(lines)
  known.set(key, result)
  return result
}

async function runLast(lines: readonly string[]): Promise<Result> {
  const folder = await mkdtemp(join(root, 'run-'))
  const before = lines.length > 1 ? await resultOf(lines.slice(0, -1)) : undefined
  if (before) await cp(before.folder, folder, { recursive: true })
  const { stdout } = await promisify(exec)(lines[lines.length - 1], { cwd: folder, env })
  return { folder, out: (before?.out ?? '') + stdout }
}

const expected: Readonly<Record<string, RegExp>> = {
  train: /Saved in runs\/words[\s\S]*Saved in runs\/tuned/,
  eval: /accuracy +\d/,
  report: /report\.html/,
  predict: /"label":/,
  generate: /Call me/,
  chat: /SmolLM2 is HuggingFaceTB\/SmolLM2-135M-Instruct at/,
  fill: /years/,
  classify: /spam[\s\S]*ham/,
  answer: /Ishmael/,
  translate: /\n.*Katze.*\n.*Hund/,
  embed: /some years ago/,
  inspect: /175 G parameters/,
  tokenize: /0-1/,
  bench: /training step .*tokens\/s/,
  doctor: /Computing on/,
  verify: /are intact/,
  data: /100 rows[\s\S]*input_ids/,
  convert: /book-f16.*tensors/,
  pull: /fetched.*config\.json[\s\S]*parameters/,
  push: /\d+ files/,
  build: /Built in/,
}

it.for(commandNames())(
  'heed %s --help ends with an example that works',
  { timeout: 240_000 },
  async (name, { skip }) => {
    if (name === 'build' && loadAddon().addon === null) skip('there is no compiler')
    const [, example] = (await helpOf(name)).split(COMPLETE)
    const lines = example.trim().split('\n')
    const commands = lines.map((line) => line.trim().slice(2))
    for (const command of commands) expect(command).toMatch(/^(npx heed|node -e) /)
    expect(commands.some((command) => `${command} `.startsWith(`npx heed ${name} `))).toBe(true)
    expect((await resultOf(commands)).out).toMatch(expected[name])
  },
)
