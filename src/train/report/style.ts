/** CSS of the page; light or dark, following the settings of the browser. */
export const STYLE = `
:root { --ink: #1c1f24; --dim: #5d6570; --paper: #ffffff; --line: #dde1e6; --good: #1a7f4b; --bad: #c0392b; --one: #1f6feb; --two: #c2570c }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e4e7eb; --dim: #9aa3ae; --paper: #14171b; --line: #333a43; --good: #4cc38a; --bad: #ff7b6b; --one: #6cb0ff; --two: #ffab66 }
}
* { box-sizing: border-box }
body { margin: 2.5rem auto; max-width: 54rem; padding: 0 1.25rem; font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper) }
h1 { font-size: 1.7rem; margin: 0 } h2 { font-size: 1.25rem; margin: 2.5rem 0 .75rem } h3 { font-size: 1rem; margin: 1.75rem 0 .5rem }
h1 + p, .legend, .note, figcaption { color: var(--dim) }
svg { width: 100%; height: auto; display: block }
svg text { fill: var(--dim); font: 12px system-ui, sans-serif }
svg .grid { stroke: var(--line) }
polyline { fill: none; stroke-width: 1.8; stroke-linejoin: round }
.train, .rate { stroke: var(--one) } .held { stroke: var(--two) } circle.train, circle.rate { fill: var(--one) } circle.held { fill: var(--two) }
.legend { margin: .25rem 0 0; font-size: .9rem }
.legend span { stroke: none; margin-right: 1rem; font-weight: 600 } .legend .train, .legend .rate { color: var(--one) } .legend .held { color: var(--two) }
.metrics { display: flex; flex-wrap: wrap; gap: .75rem 2.25rem; margin: 0 0 1.5rem }
.metrics dt { color: var(--dim); font-size: .9rem } .metrics dd { margin: 0; font-size: 1.35rem; font-weight: 600; font-variant-numeric: tabular-nums }
.wide { overflow-x: auto } .note { font-size: .9rem; margin: 0 0 .4rem }
table { border-collapse: collapse; font-size: .92rem }
th { text-align: left; font-weight: 600 }
.examples, .pairs { width: 100% } .examples td, .examples th, .pairs td, .pairs th { border-top: 1px solid var(--line); padding: .4rem .9rem .4rem 0; vertical-align: top; overflow-wrap: anywhere }
.examples td + td { min-width: 7rem; max-width: 16rem } .examples th { white-space: nowrap }
.examples img { display: block; margin-bottom: .25rem; image-rendering: pixelated }
.pairs th { width: 11rem; font-weight: 400; color: var(--dim) }
.confusion td { min-width: 3rem; padding: .35rem .5rem; text-align: right; font-variant-numeric: tabular-nums; border: 2px solid var(--paper); background: color-mix(in srgb, var(--tone) var(--share), transparent) }
.confusion th { padding: .35rem .6rem; font-weight: 500 } .confusion .right { --tone: var(--good) } .confusion .wrong { --tone: var(--bad) }
.maps { display: flex; flex-wrap: wrap; gap: 1.5rem } figure { margin: 0; max-width: 100% }
.look { image-rendering: pixelated } .look rect { fill: #000 }
.attention, .look { max-width: 100%; width: auto } .attention rect { fill: var(--one); stroke: var(--line); stroke-width: .5 } figcaption { font-size: .85rem }
`
