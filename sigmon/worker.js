// Keeps Sigmon's own files, so that it opens without a network. Reports never pass through here:
// they wait in IndexedDB, and the page sends them.
const files = __FILES__
const cache = 'sigmon-__VERSION__'

self.addEventListener('install', (event) => {
  event.waitUntil(caches.open(cache).then((kept) => kept.addAll(files)).then(() => self.skipWaiting()))
})
self.addEventListener('activate', (event) => {
  event.waitUntil(
    caches.keys().then((names) => Promise.all(names.filter((name) => name !== cache).map((name) => caches.delete(name)))).then(() => self.clients.claim()),
  )
})
self.addEventListener('fetch', (event) => {
  const url = new URL(event.request.url)
  if (event.request.method !== 'GET' || url.origin !== location.origin || !url.pathname.startsWith('/sigmon/')) return
  const wanted = event.request.mode === 'navigate' ? './' : event.request
  event.respondWith(caches.match(wanted, { ignoreSearch: true }).then((kept) => kept ?? fetch(event.request)))
})
