// The page of environment variables, from the tables in util/settings.ts.
import { FOLLOWED, SETTINGS } from '../../src/util/settings.ts'
import { code, page, plain, table } from './markdown.ts'

export const environmentPage = (): string =>
  page(
    'Environment variables',
    'Values are checked when Heed starts or when they are first used. An empty variable counts as unset. A misspelt name that begins with `HEED_` causes a warning with the nearest name.',
    '## Variables of Heed',
    variables(SETTINGS),
    '## Variables of other programs',
    'Heed reads these, too.',
    variables(FOLLOWED),
    '## Setting a variable',
    'In a shell of Linux or macOS, for one command:',
    '<!-- not run: the syntax of a shell -->\n```sh\nHEED_THREADS=1 npx heed bench nanogpt\n```',
    'In PowerShell, for the session:',
    '```powershell\n$env:HEED_THREADS = 1\nnpx heed bench nanogpt\n```',
    'In a program, set `process.env` before Heed is imported.',
  )

type Variables = Readonly<Record<string, { about: string; values: string; fallback: string }>>

const variables = (all: Variables): string =>
  table(
    ['variable', 'description', 'values', 'default'],
    Object.entries(all).map(([name, { about, values, fallback }]) => [code(name), plain(about), plain(values), plain(fallback)]), // biome-ignore format: one line
  )
