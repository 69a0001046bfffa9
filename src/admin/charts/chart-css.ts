// How charts look. The colours are those of the pages' stylesheet, which turn with light and dark.

export const chartStylesheet = `.chart { display: block; overflow: visible; margin: 0 0 .5rem }
.chart text { font-size: .8125rem; fill: var(--text) }
.chart .label { fill: var(--text) }
.chart .value { font-weight: 600; font-variant-numeric: tabular-nums }
.chart .axis-label { fill: var(--quiet) }
.chart .track { fill: var(--tint) }
.chart .plain { fill: var(--accent) }
.chart .hatched { stroke: var(--edge); stroke-width: 1px }
.chart .hatching-ground { fill: var(--card) }
.chart .hatching-line { fill: var(--edge) }
.chart .grid { stroke: var(--line); stroke-width: 1px }
.chart .axis { stroke: var(--edge); stroke-width: 1px }
.legend { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; list-style: none; padding: 0; margin: 0 0 .5rem; font-size: .9375rem }
.legend svg { display: inline-block; vertical-align: -.15em; margin-right: .4rem }
.period { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem }
.period a, .period strong { padding: .4rem 0 }
.figures { display: grid; gap: 0 2.5rem; grid-template-columns: minmax(0, 1fr) }
@media (min-width: 56rem) { .figures { grid-template-columns: repeat(2, minmax(0, 1fr)) } }
.figures section { min-width: 0 }
.figures details { margin-top: .75rem }`
