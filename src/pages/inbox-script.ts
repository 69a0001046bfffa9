// The only script there is: the waiting tab learns of a confirmation made on another device. Without it the
// page reloads itself; both lead to the same place.

export const INBOX_SCRIPT_PATH = '/assets/inbox.js'

/** A file of its own, because the Content-Security-Policy lets no inline script run. Plain, for old browsers. */
export const inboxScript = `
'use strict';
(function () {
  var EVERY_MS = 4000
  var TIMES = 150 // ten minutes
  var next = document.currentScript.dataset.next
  var asked = 0
  var isAsking = false

  function show(state) {
    var lines = Array.from(document.querySelectorAll('[data-mail-states]'))
    var shown = lines.find(function (line) { return !line.hidden })
    var wanted = lines.find(function (line) { return line.dataset.mailStates.split(' ').indexOf(state) >= 0 })
    if (!shown || !wanted || shown === wanted) return
    if (shown.dataset.news !== wanted.dataset.news) return location.replace(next)
    shown.hidden = true
    wanted.hidden = false
  }

  async function ask() {
    if (document.hidden || isAsking) return
    if (++asked > TIMES) return clearInterval(timer)
    isAsking = true
    try {
      var response = await window.fetch('/auth/session', { headers: { Accept: 'application/json' } })
      var body = await response.json()
      // Signed out: the address was confirmed by its owner in another claim, or disowned.
      if (response.status === 401 || (body.user && body.user.is_email_verified)) {
        clearInterval(timer)
        location.replace(next)
      } else if (body.mail) {
        show(body.mail.stalled ? 'stalled' : body.mail.waits_until ? 'held' : body.mail.state)
      }
    } catch (offline) {
      // The next time, then.
    } finally {
      isAsking = false
    }
  }

  var timer = setInterval(ask, EVERY_MS)
  document.addEventListener('visibilitychange', ask)
})()
`.trim()
