// The one stylesheet and the one icon. No framework, no web font, no script; light and dark, from 320 px up.

export const STYLESHEET_PATH = '/assets/style.css'

export const stylesheet = `
:root {
  color-scheme: light dark;
  --page: #f3f4f7; --card: #ffffff; --text: #1b1f24; --quiet: #59636e; --line: #c9d0d8;
  --accent: #1f5fbf; --on-accent: #ffffff; --good: #116b34; --bad: #b42318; --field: #ffffff;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #0f1216; --card: #181c22; --text: #e8eaed; --quiet: #a5aeb9; --line: #434c57;
    --accent: #7fb0ff; --on-accent: #0d1b30; --good: #6fd394; --bad: #ff9a8f; --field: #11151a;
  }
}
* { box-sizing: border-box }
body {
  margin: 0; min-height: 100vh; display: flex; flex-direction: column; align-items: center;
  padding: 2rem 1rem; background: var(--page); color: var(--text);
  font: 1rem/1.55 system-ui, -apple-system, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif;
}
header { width: 100%; max-width: 26rem; margin: 0 0 1rem; font-weight: 600 }
header a { color: inherit; text-decoration: none }
main {
  width: 100%; max-width: 26rem; background: var(--card); border: 1px solid var(--line);
  border-radius: .75rem; padding: 1.75rem 1.5rem;
}
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 .75rem; text-wrap: balance }
h1.good::before { content: '✓ '; color: var(--good) }
p { margin: 0 0 1rem }
p:last-child, form:last-child { margin-bottom: 0 }
.address { font-weight: 600; overflow-wrap: anywhere }
.quiet { color: var(--quiet); font-size: .9375rem }
a { color: var(--accent) }
form { margin: 1.25rem 0 }
label { display: block; font-weight: 600; margin: 1rem 0 .35rem }
input {
  width: 100%; font: inherit; padding: .65rem .75rem; color: var(--text);
  background: var(--field); border: 1px solid var(--line); border-radius: .5rem;
}
input[aria-invalid=true] { border-color: var(--bad) }
.hint { color: var(--quiet); font-size: .875rem; margin: .35rem 0 0 }
.error { color: var(--bad); font-size: .9375rem; margin: .35rem 0 0 }
.notice { border-left: .25rem solid var(--accent); padding: .35rem .75rem }
.notice.bad { border-color: var(--bad) }
button {
  width: 100%; margin-top: 1.25rem; padding: .75rem 1rem; font: inherit; font-weight: 600; cursor: pointer;
  color: var(--on-accent); background: var(--accent); border: 1px solid transparent; border-radius: .5rem;
}
button.plain { color: var(--accent); background: transparent; border-color: var(--line) }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px }
footer { width: 100%; max-width: 26rem; margin-top: 1rem }
`.trim()

export const ICON_PATH = '/assets/icon.svg'

export const icon =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#1f5fbf"/><path d="M8 17l6 6 10-13" fill="none" stroke="#fff" stroke-width="4" stroke-linecap="round" stroke-linejoin="round"/></svg>'
