import { mount } from 'svelte'
import App from './App.svelte'

const target = document.getElementById('app')
if (target === null) throw new Error('index.html has a place for the app')
mount(App, { target })
if ('serviceWorker' in navigator) void navigator.serviceWorker.register('/sigmon/worker.js')
