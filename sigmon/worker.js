// Keeps Sigmon's own files, so that it opens without a network. Reports wait in IndexedDB; what the browser calls
// when there is a network again, and no page is on screen, sends them from there.
const version = '__VERSION__'
const files = __FILES__
// src/queue/sync.ts, built into this file: a part that a worker fetches on its own could be of another version.
/* __SYNC__ */
const cache = `sigmon-${version}`

// Each file is held against its hash: a server that is being updated in the middle of this gives files of two
// versions, and then nothing is installed, and the browser tries again later.
const fetched = async (kept, [path, integrity]) => {
  // A part bears its hash in its name: what the version before has of the same name costs nothing again.
  const known = path.startsWith('assets/') ? await caches.match(path) : undefined
  if (known !== undefined) return kept.put(path, known)
  const answer = await fetch(path, { integrity, cache: 'no-cache' })
  if (!answer.ok || answer.redirected) throw new TypeError(`${path}: HTTP ${answer.status}`)
  await kept.put(path, answer)
}
self.addEventListener('install', (event) => {
  event.waitUntil(caches.open(cache).then((kept) => Promise.all(files.map((file) => fetched(kept, file)))))
})
// A new version waits until the page says so: never in the middle of a check.
self.addEventListener('message', (event) => {
  if (event.data === 'take') void self.skipWaiting()
})
const isOurs = (name) => name.startsWith('sigmon-') && name !== cache
// The version before stays: another tab may still run it, and load a part of it.
self.addEventListener('activate', (event) => {
  event.waitUntil(caches.keys().then((names) => Promise.all(names.filter(isOurs).slice(0, -1).map((name) => caches.delete(name)))).then(() => self.clients.claim()))
})
const keptOf = async (path, request) => {
  const own = await caches.open(cache)
  // A part that is not of this version is of the one before; names of parts hold their hash, so they never clash.
  return (await own.match(path)) ?? (path === './' ? undefined : await caches.match(path, { ignoreSearch: true })) ?? fetch(request)
}
self.addEventListener('fetch', (event) => {
  const url = new URL(event.request.url)
  const scope = new URL('./', location.href).pathname
  if (event.request.method !== 'GET' || url.origin !== location.origin || !url.pathname.startsWith(scope) || url.pathname === location.pathname) return
  event.respondWith(keptOf(event.request.mode === 'navigate' ? './' : url.pathname, event.request))
})
