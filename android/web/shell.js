// First in the page that is built for the shell: makes window.kawalRadio and window.kawalShell of the port that the
// shell posts (spec/shell.md). Plain JavaScript of Chromium 92.
(() => {
  /** What was asked and is not answered yet, by its id. */
  const asked = new Map()
  const tellers = new Map()
  let port = null
  let last = 0

  const send = ({ text }) => port.postMessage(text)
  const ask = (what, given) => new Promise((resolve, reject) => {
    const id = ++last
    const each = { text: JSON.stringify({ id, ask: what, with: given }), resolve, reject }
    asked.set(id, each)
    if (port !== null) send(each)
  })

  const hear = ({ data }) => {
    const { id, is, fault, told } = JSON.parse(data)
    if (told !== undefined) return (tellers.get(told) ?? []).forEach((run) => run(is))
    const each = asked.get(id)
    asked.delete(id)
    if (each === undefined) return
    if (fault === undefined) each.resolve(is)
    else each.reject(new Error(fault))
  }

  addEventListener('message', (event) => {
    if (event.data !== 'kawal-shell' || event.ports.length !== 1) return
    event.stopImmediatePropagation()
    if (port !== null) port.onmessage = null
    port = event.ports[0]
    port.onmessage = hear
    // What was asked of the port before, or of none yet, is asked of this one.
    for (const each of asked.values()) send(each)
  })

  window.kawalShell = Object.freeze({
    version: 1,
    ask,
    told: (what, run) => void tellers.set(what, [...(tellers.get(what) ?? []), run]),
  })
  window.kawalRadio = Object.freeze({ version: 1, read: () => ask('read') })
})()
