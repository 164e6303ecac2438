// Kernel times as a trace for chrome://tracing and ui.perfetto.dev (the Trace Event Format).

import { checkArgument } from '../util/check-argument.ts'
import type { KernelTime } from './device.ts'

/** An event of a Chrome trace. */
export interface TraceEvent {
  name: string
  cat: string
  /** 'X' is an event with a duration; 'M' sets the name of a track. */
  ph: 'X' | 'M'
  pid: number
  tid: number
  /** Microseconds. */
  ts?: number
  dur?: number
  args: Record<string, unknown>
}

/** A trace in the Trace Event Format; `JSON.stringify` gives the file. */
export interface ChromeTrace {
  displayTimeUnit: 'ms'
  traceEvents: TraceEvent[]
}

/**
 * Converts kernel times, as `profile()` returns them, to a trace for chrome://tracing and ui.perfetto.dev. It has
 * three tracks: programs, modules and kernels. Each kernel starts where the previous one ended, so the time between
 * kernels is not shown.
 * @throws HeedError if `times` is not a list of objects
 */
export function chromeTrace(times: readonly KernelTime[]): ChromeTrace {
  checkArgument('chromeTrace', 'times', times, 'list')
  for (const time of times) checkArgument('chromeTrace', 'times', time, 'object')
  const tracks = ['programs', 'modules', 'kernels']
  const names = tracks.map(
    (name, tid): TraceEvent => ({ ...onTrack(tid), name: 'thread_name', ph: 'M', args: { name } }),
  )
  const programs: TraceEvent[] = []
  const modules: TraceEvent[] = []
  const kernels: TraceEvent[] = []
  let at = 0
  let before: KernelTime | null = null
  for (const time of times) {
    const { run, kernel, scope, micros, cost } = time
    const span = { ph: 'X', ts: at, dur: micros } as const
    if (before?.run === run) extend(programs, micros)
    else programs.push({ ...onTrack(0), ...span, name: `program ${run}`, args: {} })
    if (before?.run === run && before.scope === scope) extend(modules, micros)
    else modules.push({ ...onTrack(1), ...span, name: scope || '(no module)', args: {} })
    kernels.push({ ...onTrack(2), ...span, name: kernel, args: { module: scope, ...cost } })
    at += micros
    before = time
  }
  return { displayTimeUnit: 'ms', traceEvents: [...names, ...programs, ...modules, ...kernels] }
}

const onTrack = (tid: number): { cat: string; pid: number; tid: number } => ({
  cat: 'heed',
  pid: 1,
  tid,
})

function extend(events: TraceEvent[], micros: number): void {
  const last = events[events.length - 1]
  last.dur = (last.dur ?? 0) + micros
}
