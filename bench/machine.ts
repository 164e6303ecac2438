import { cpus, totalmem } from 'node:os'
import type { Side } from './side.ts'

export interface Machine {
  description: string
  date: string
  /** By number of threads: floating-point operations and bytes a second. */
  ceilings: Record<string, { flops: number; read: number; readWrite: number }>
}

/** What it is, and what its arithmetic and memory do at most. */
export async function machineOf(side: Side): Promise<Machine> {
  const ceilings: Machine['ceilings'] = {}
  for (const threads of [1, 2]) {
    const found = await side.ask<Machine['ceilings'][string]>({ probe: threads, bandwidth: true })
    if (found) ceilings[threads] = found
  }
  const giga = (pick: 'flops' | 'read' | 'readWrite'): string =>
    Object.values(ceilings)
      .map((c) => (c[pick] / 1e9).toFixed(0))
      .join(' / ')
  const [first] = cpus()
  const description = [
    `${first.model}, ${cpus().length} cores, ${(totalmem() / 2 ** 30).toFixed(0)} GiB, heed ${side.version}`,
    `multiply-add ${giga('flops')} GFLOP/s, read ${giga('read')} GB/s, read and write ${giga('readWrite')} GB/s (one / two threads)`,
  ].join('\n')
  return { description, date: new Date().toISOString().slice(0, 10), ceilings }
}
