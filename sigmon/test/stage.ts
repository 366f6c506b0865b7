import { mount } from 'svelte'
import App from '../src/App.svelte'
import { languageAsked, loadWords } from '../src/face/face.svelte.ts'
import '../src/face/style.css'
import { createPlayed, scenes, type Scene } from './scenes.ts'

/** The screens on a played session: `?adegan=NAME` shows a state that a real one would take hours to reach. */
const target = document.getElementById('app')
if (target === null) throw new Error('stage.html has a place for the app')
const asked = new URLSearchParams(location.search).get('adegan') ?? 'sent'
if (!(asked in scenes)) throw new Error(`no scene ${asked}`)
void loadWords(languageAsked()).then((words) => mount(App, { target, props: { session: createPlayed(asked as Scene), words } }))
