// Kernel times as a trace for chrome://tracing and ui.perfetto.dev (the Trace Event Format).

import { checkArgument } from '../util/check-argument.ts'
import type { KernelTime } from './device.ts'

/** An event of a Chrome trace. */
export interface TraceEvent {
  /** Text on the bar: the program, the module or the kernel; `thread_name` for the name of a track. */
  name: string
  /** Category of the event; always `heed`. */
  cat: string
  /** 'X' is an event with a duration; 'M' sets the name of a track. */
  ph: 'X' | 'M'
  /** Number of the process; always 1. */
  pid: number
  /** Number of the track: 0 for programs, 1 for modules, 2 for kernels. */
  tid: number
  /** Microseconds. */
  ts?: number
  /** Duration in microseconds. */
  dur?: number
  /** Details shown for the event: the module and the cost of a kernel, or the name of a track. */
  args: Record<string, unknown>
}

/** A trace in the Trace Event Format; `JSON.stringify` gives the file. */
export interface ChromeTrace {
  /** Unit in which viewers show times. The events themselves are in microseconds. */
  displayTimeUnit: 'ms'
  /** The names of the three tracks, then programs, modules and kernels, each in the order of execution. */
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
