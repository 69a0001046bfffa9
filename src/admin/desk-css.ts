// The desk's stylesheet. It follows the one of the pages, whose custom properties it takes its colours from:
// wider, denser, with tables and a timeline.

/** Where the desk's own rules lie; the pages' stylesheet is loaded before them. */
export const DESK_STYLESHEET_PATH = '/admin/assets/desk.css'

/** The desk's own rules. */
export const deskStylesheet = `body { padding: 0 0 2.5rem }
header, main, footer { max-width: 72rem; margin-left: auto; margin-right: auto }
header {
  display: flex; flex-wrap: wrap; align-items: center; gap: .25rem 1.5rem; padding: .75rem 1rem; margin-bottom: 0;
}
header nav { display: flex; flex-wrap: wrap; gap: 0 1.25rem; font-size: 1rem; font-weight: 400 }
header nav a, header nav button {
  display: inline-block; padding: .5rem 0; margin: 0; width: auto; font: inherit;
  color: var(--accent); background: none; border: 0; border-radius: .25rem;
  text-decoration: underline; cursor: pointer;
}
header nav a[aria-current] { color: var(--text); font-weight: 600; text-decoration: none }
header nav form { margin: 0 }
main { border-radius: 0; border-width: 1px 0; padding: 1.25rem 1rem }
@media (min-width: 48rem) {
  main { border-width: 1px; border-radius: .75rem; padding: 1.75rem 1.75rem; width: calc(100% - 2rem) }
}
section { margin-top: 1.5rem; padding-top: 1.25rem }
input, select, textarea { max-width: 34rem }
select, textarea {
  display: block; width: 100%; font: inherit; padding: .65rem .75rem; color: var(--text);
  background: var(--field); border: 1px solid var(--edge); border-radius: .5rem;
}
main button, main .button { width: auto; padding: .6rem 1.1rem }
main form p button { margin: 0 .35rem .5rem 0 }
main form p { margin-bottom: .25rem }
main form .hint { margin-bottom: .75rem }
main .list { margin-top: 1rem }
main .list button { margin: 0 }
.columns { display: grid; gap: 0 2rem; grid-template-columns: minmax(0, 1fr) }
@media (min-width: 62rem) {
  .columns { grid-template-columns: minmax(0, 3fr) minmax(0, 2fr) }
  .columns > section { margin-top: 0; padding-top: 0; border-top: 0 }
}
.facts { display: grid; grid-template-columns: minmax(0, 1fr); gap: 0; margin: 0 }
.facts dt { color: var(--quiet); font-size: .9375rem }
.facts dd { margin: 0 0 .6rem }
@media (min-width: 30rem) {
  .facts { grid-template-columns: 11rem minmax(0, 1fr); gap: .35rem 1rem }
  .facts dd { margin: 0 }
}
.scroll { overflow-x: auto }
table { border-collapse: collapse; width: 100%; font-size: .9375rem }
caption { text-align: left; font-weight: 600; padding: 0 0 .5rem }
th, td { text-align: left; vertical-align: top; padding: .5rem .75rem .5rem 0; border-top: 1px solid var(--line) }
thead th { border-top: 0; color: var(--quiet); font-weight: 600 }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums }
code, .id { font: .875em/1.4 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; overflow-wrap: anywhere }
summary { cursor: pointer; font-weight: 600; padding: .5rem 0 }
.timeline { list-style: none; margin: 0; padding: 0 }
.timeline li { padding: .6rem 0 .6rem 1rem; border-left: .2rem solid var(--line) }
.timeline li.bad { border-left-color: var(--bad) }
.timeline li.good { border-left-color: var(--good) }
.timeline li.support { border-left-color: var(--accent) }
.timeline p { margin: 0 }
.timeline time { color: var(--quiet); font-size: .9375rem; font-variant-numeric: tabular-nums }`
