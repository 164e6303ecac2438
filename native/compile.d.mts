export interface Compiler {
  command: string[]
  version: string
  /** Of all units. */
  flags: string[]
  /** Of kernels for the plainest processor. */
  plainest: string
  /** Of sources, beside those of every build. */
  folders: string[]
  /** Leaves out the instruction sets that not every processor has. */
  plainestOnly?: boolean
  env?: NodeJS.ProcessEnv
}

export interface Unit {
  name: string
  source: string
  flags: string[]
  key: string
}

/** The folder of the package. */
export const root: string
/** By Node's `process.arch`, best first: names and flags. */
export const instructionSets: Readonly<Record<string, readonly (readonly [string, string])[]>>
export const commonFlags: string[]
/** Of the kernels, beside the common ones and those of the instruction set. */
export const kernelFlags: string[]
export function listUnits(compiler: Compiler, arch: string, windows?: boolean): Unit[]
export function compileUnits(
  compiler: Compiler,
  units: Unit[],
  folder: string,
  options: {
    force?: boolean
    first?: string
    log: (line: string) => void
    done?: (unit: Unit, seconds: number) => void
  },
): Promise<string[]>
export function execute(command: string[], env?: NodeJS.ProcessEnv): Promise<string>
export function hash(parts: string[]): string
export function words(text: string): string[]
