import '@kawal/sigmon/src/older.ts'
import { mount } from 'svelte'
import App from './App.svelte'
import './style.css'

const [target, block] = [document.getElementById('app'), document.getElementById('trust')]
if (target === null || block === null) throw new Error('index.html has a place for the page and for its trust')
// Whoever hands the page out writes a policy in here.
const embedded: unknown = JSON.parse(block.textContent ?? 'null')
target.textContent = ''
mount(App, { target, props: { embedded: typeof embedded === 'string' ? embedded : '', asked: new URLSearchParams(location.search).get('bahasa') === 'en' ? 'en' : 'id' } })
