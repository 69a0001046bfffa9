// The one stylesheet and the one icon. No framework, no web font; light and dark, from 320 px up.

import { type BrandColors, brandColors } from './brand-colors.ts'

export const STYLESHEET_PATH = '/assets/style.css'
export const ICON_PATH = '/assets/icon.svg'

const LIGHT = { page: '#f3f4f7', card: '#ffffff', tint: '#eef1f5' }
const DARK = { page: '#0f1216', card: '#181c22', tint: '#222831' }

/**
 * The stylesheet in the brand's colours.
 * @param color `#rrggbb`
 */
export function stylesheet(color: string): string {
  const colors = brandColors(color, Object.values(LIGHT), Object.values(DARK))
  return `${palette(colors)}\n${RULES}`
}

/**
 * The icon in the brand's colour.
 * @param color `#rrggbb`
 */
export function icon(color: string): string {
  const { button, onButton } = brandColors(color, [], [])
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="${button}"/><path d="M8 17l6 6 10-13" fill="none" stroke="${onButton}" stroke-width="4" stroke-linecap="round" stroke-linejoin="round"/></svg>`
}

function palette({ button, onButton, light, dark }: BrandColors): string {
  return `:root {
  color-scheme: light dark;
  --page: ${LIGHT.page}; --card: ${LIGHT.card}; --field: #ffffff; --tint: ${LIGHT.tint};
  --text: #1b1f24; --quiet: #59636e; --line: #d4dae1; --edge: #7d8793;
  --accent: ${light}; --button: ${button}; --on-button: ${onButton}; --good: #116b34; --bad: #b42318;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: ${DARK.page}; --card: ${DARK.card}; --field: #11151a; --tint: ${DARK.tint};
    --text: #e8eaed; --quiet: #a5aeb9; --line: #363e48; --edge: #76818d;
    --accent: ${dark}; --good: #6fd394; --bad: #ff9a8f;
  }
}`
}

const RULES = `* { box-sizing: border-box }
body {
  margin: 0; min-height: 100vh; display: flex; flex-direction: column; align-items: center;
  padding: 2rem 1rem; background: var(--page); color: var(--text);
  font: 1rem/1.55 system-ui, -apple-system, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif;
  overflow-wrap: anywhere;
}
header, main, footer { width: 100%; max-width: 27rem }
header { margin: 0 0 1rem; font-weight: 600; font-size: 1.125rem }
header a { color: inherit; text-decoration: none; display: inline-block; padding: .25rem 0 }
header img { display: block; max-width: 12rem; max-height: 3rem }
main {
  background: var(--card); border: 1px solid var(--line); border-radius: .75rem; padding: 1.75rem 1.5rem;
}
footer { margin-top: 1rem; padding: 0 .25rem; color: var(--quiet); font-size: .9375rem }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 .75rem; text-wrap: balance }
h2 { font-size: 1.125rem; line-height: 1.3; margin: 0 0 .5rem }
h3 { font-size: 1rem; line-height: 1.4; margin: 0 }
h1.good::before { content: '✓ '; content: '✓ ' / ''; color: var(--good) }
p { margin: 0 0 1rem }
main > :last-child, section > :last-child, .box > :last-child { margin-bottom: 0 }
section { margin-top: 1.75rem; padding-top: 1.5rem; border-top: 1px solid var(--line) }
.address { font-weight: 600 }
.state { font-weight: 600; white-space: nowrap }
.state.good { color: var(--good) }
.state.bad { color: var(--bad) }
.quiet { color: var(--quiet); font-size: .9375rem }
a { color: var(--accent) }
form { margin: 1.25rem 0 }
form:not(:has(label)) button { margin-top: 0 }
form.inline { margin: 0 }
label { display: block; font-weight: 600; margin: 1rem 0 .35rem }
input {
  width: 100%; font: inherit; padding: .65rem .75rem; color: var(--text);
  background: var(--field); border: 1px solid var(--edge); border-radius: .5rem;
}
input[aria-invalid=true] { border-color: var(--bad) }
.hint { color: var(--quiet); font-size: .875rem; margin: .35rem 0 0 }
.error { color: var(--bad); font-size: .9375rem; margin: .35rem 0 0 }
.notice { background: var(--tint); border-left: .25rem solid var(--accent); border-radius: .25rem; padding: .6rem .75rem }
.box { background: var(--tint); border-radius: .5rem; padding: 1rem; margin: 1rem 0 }
.row { display: flex; flex-wrap: wrap; gap: .5rem }
.list { list-style: none; padding: 0; margin: 0 }
.list li {
  display: flex; flex-wrap: wrap; gap: .5rem .75rem; align-items: center;
  padding: .75rem 0; border-top: 1px solid var(--line);
}
.list li:first-child { border-top: 0; padding-top: .25rem }
.list p { margin: 0 }
.list li > :first-child { flex: 1 1 12rem; min-width: 0 }
time { white-space: nowrap }
button, .button {
  width: 100%; margin-top: 1.25rem; padding: .75rem 1rem; font: inherit; font-weight: 600; cursor: pointer;
  color: var(--on-button); background: var(--button); border: 1px solid var(--accent); border-radius: .5rem;
}
.button { display: block; margin: 0; text-align: center; text-decoration: none }
button.plain { color: var(--accent); background: transparent; border-color: var(--edge) }
button.danger { color: var(--bad); background: transparent; border-color: var(--bad) }
.inline button { width: auto; margin: 0; padding: .5rem .85rem }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px }
[hidden] { display: none }`
