// The mailbox's one stylesheet: light and dark, from 320 pixels up.

/** Served at `/dev/mailbox.css`. */
export const MAILBOX_CSS = `:root {
  color-scheme: light dark;
  --page: #f4f5f7; --card: #fff; --text: #1c2024; --quiet: #57606a; --line: #c9cfd6;
  --accent: #1f5fbf; --on-accent: #fff; --danger: #b42318;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #111417; --card: #1a1e23; --text: #e6e8eb; --quiet: #a3acb8; --line: #3a424c;
    --accent: #8ab8ff; --on-accent: #0b1a30; --danger: #ff9c92;
  }
}
* { box-sizing: border-box }
body { margin: 0; background: var(--page); color: var(--text); font: 1rem/1.5 system-ui, sans-serif }
header, main { max-width: 46rem; margin: 0 auto; padding: 0 1rem }
main { padding-bottom: 3rem }
h1, h2, h3 { line-height: 1.25; overflow-wrap: anywhere }
a { color: var(--accent) }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px }
.quiet { color: var(--quiet) }
label { display: block; font-weight: 600; margin-bottom: .25rem }
.row { display: flex; flex-wrap: wrap; gap: .5rem }
input { flex: 1 1 12rem; min-width: 0 }
input, button, .button {
  font: inherit; min-height: 2.75rem; padding: .5rem .75rem; border-radius: 6px;
  border: 1px solid var(--line); background: var(--card); color: var(--text)
}
button, .button { cursor: pointer; font-weight: 600 }
.button {
  display: inline-block; background: var(--accent); border-color: var(--accent);
  color: var(--on-accent); text-decoration: none
}
.danger { color: var(--danger); border-color: currentColor }
.mails { list-style: none; padding: 0; margin: 1.5rem 0; border-top: 1px solid var(--line) }
.mails li { padding: .75rem 0; border-bottom: 1px solid var(--line); overflow-wrap: anywhere }
.mails p { margin: 0 }
.reports { padding-left: 1.25rem }
table { width: 100%; border-collapse: collapse }
th, td { text-align: left; vertical-align: top; padding: .4rem .75rem .4rem 0; border-bottom: 1px solid var(--line) }
th { color: var(--quiet); font-weight: 400 }
code { font-family: ui-monospace, monospace; overflow-wrap: anywhere }
dl { display: grid; grid-template-columns: auto 1fr; gap: .25rem 1rem; margin: 1rem 0 }
dt { color: var(--quiet) }
dd { margin: 0; overflow-wrap: anywhere }
iframe { width: 100%; height: 30rem; border: 1px solid var(--line); border-radius: 6px; background: #fff }
pre {
  white-space: pre-wrap; overflow-wrap: anywhere; margin: 0; padding: 1rem; border-radius: 6px;
  border: 1px solid var(--line); background: var(--card); font: .9rem/1.5 ui-monospace, monospace
}
`
