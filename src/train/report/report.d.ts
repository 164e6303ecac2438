import type { Point } from './metrics-log.ts'

/** A curve of a chart. */
export interface Line {
  name: string
  /** The number of its colour in report.css. */
  color: number
  points: readonly Point[]
  /** Mark the points, for curves with few of them. */
  dots?: boolean
}

export interface PlotOptions {
  width: number
  height: number
  /** Logarithmic y axis. */
  log?: boolean
  /** The y axis includes 0. */
  zero?: boolean
  /** Weight of the previous points in a moving average; 0: none. */
  smoothing?: number
}

/** Draws lines over steps from 0, as the content of an SVG element. */
export function plot(lines: readonly Line[], options: PlotOptions): { svg: string }

/** Formats a number for people. */
export function number(value: number): string

/** An exponential moving average without the bias towards 0 of its start. */
export function smooth(points: readonly Point[], smoothing: number): readonly Point[]
