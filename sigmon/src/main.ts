import './older.ts'
import { mount } from 'svelte'
import App from './App.svelte'
import { createSession } from './create-session.ts'
import { browserEnvironment } from './environment.ts'
import { languageAsked, loadWords } from './face/face.svelte.ts'
import './face/style.css'

const target = document.getElementById('app')
if (target === null) throw new Error('index.html has a place for the app')
// The browser is asked what the letter's link says before the screens take the secret out of the address.
const opened = Promise.all([createSession(browserEnvironment()), loadWords(languageAsked()).catch(() => loadWords('id'))])
if ('serviceWorker' in navigator) void navigator.serviceWorker.register('/sigmon/worker.js')
opened.then(
  ([session, words]) => {
    target.textContent = ''
    mount(App, { target, props: { session, words } })
  },
  (error: unknown) => {
    // Mostly a private window, where nothing can be stored: without storage nothing may be promised.
    const failed = document.getElementById('failed')
    if (failed !== null) failed.hidden = false
    throw error
  },
)
