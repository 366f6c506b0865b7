// Shows what is pushed while no page looks, and opens what it is about when it is pressed. It keeps no files: the console
// needs a network in any case.
const scope = new URL('./', location.href)

self.addEventListener('install', () => void self.skipWaiting())
self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()))

self.addEventListener('push', (event) => {
  // A push that shows nothing is one that the browser tells of itself, and in the end takes the right away for.
  const { title = 'Kawal Sinyal', body = '', tag = 'kawal', url = scope.pathname, language = 'id', isQuiet = false } = event.data?.json() ?? {}
  // What calls stays on the screen until somebody looks, and sounds again when it takes another's place.
  event.waitUntil(self.registration.showNotification(title, { body, tag, lang: language, data: { url }, renotify: !isQuiet, silent: isQuiet, requireInteraction: !isQuiet }))
})

self.addEventListener('notificationclick', (event) => {
  event.notification.close()
  event.waitUntil(open(new URL(event.notification.data.url, scope)))
})

/** In a console that is open already, without loading it anew: somebody may be writing in it. */
async function open(url) {
  const pages = (await self.clients.matchAll({ type: 'window', includeUncontrolled: true })).filter((page) => page.url.startsWith(scope.href))
  const page = pages.find(({ focused }) => focused) ?? pages[0]
  if (page === undefined) return self.clients.openWindow(url)
  page.postMessage({ open: url.search })
  return page.focus()
}
