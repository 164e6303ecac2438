export interface Compiler {
  command: string[]
  version: string
  /** Flags of all units. */
  flags: string[]
  /** Flags of kernels for the oldest processor. */
  plainest: string
  /** Folders with additional sources. */
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

/** The root folder of the package. */
export const root: string
/** Names and flags of the instruction sets by `process.arch`, best first. */
export const instructionSets: Readonly<Record<string, readonly (readonly [string, string])[]>>
export const commonFlags: string[]
/** Flags of kernels, in addition to the common flags and those of the instruction set. */
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
