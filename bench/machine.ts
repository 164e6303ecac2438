import { cpus, totalmem } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { Side } from './side.ts'

export interface Machine {
  description: string
  date: string
  /** By number of threads: floating-point operations and bytes per second. */
  ceilings: Record<string, { flops: number; read: number; readWrite: number }>
}

/** Describes the machine, with the ceilings of its arithmetic and memory. */
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

/** Milliseconds between turns, in which the threads of the previous side become idle. */
export const REST = 30

/** Minimum speed-up of two threads over one for a round to count. */
const SCALING = 1.7

/** Detects other processes that use the machine. */
export class ScalingProbe {
  readonly side: Side

  private constructor(side: Side) {
    this.side = side
  }

  static async start(): Promise<ScalingProbe> {
    const side = await Side.start('heed', 2)
    if (!side) throw new Error('Heed itself does not run')
    return new ScalingProbe(side)
  }

  /** Waits while the machine is busy, at most `atMost` times. Resolves to the number of waits. */
  async waitForQuiet(threads: number, atMost = 10): Promise<number> {
    let waits = 0
    while (threads > 1 && waits < atMost && (await this.scaling()) < SCALING) {
      waits++
      await sleep(200)
    }
    return waits
  }

  end(): Promise<void> {
    return this.side.end()
  }

  private async scaling(): Promise<number> {
    const one = await this.side.ask<{ flops: number }>({ probe: 1 })
    const two = await this.side.ask<{ flops: number }>({ probe: 2 })
    return (two?.flops ?? 0) / (one?.flops ?? 1)
  }
}
