import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { BrowserContext, Page } from 'playwright-core'
import { fileBytesMax } from './src/attach.ts'
import { assertAxe, desktop, openScreens, overflowOf, phone, picture, type Screens } from './test/screens.ts'

let screens: Screens
let site: Screens['site']
before(async () => {
  screens = await openScreens()
  site = screens.site
})
after(() => screens.close())

test('comments stand in the chronicle: words as they were written, a photo as a picture, any other file by its name', async () => {
  const page = await screens.open('&gangguan=g-1', desktop)
  const detail = page.locator('#detail')
  await detail.getByText('Menara dari jalan').waitFor()
  const told = await detail.locator('.timeline > li').evaluateAll((rows) => rows.map((row) => row.querySelector('b')?.textContent ?? ''))
  assert.deepEqual(told.filter((_, index) => [5, 10, 13].includes(index)), ['Rina, NOC', 'Rina, NOC', 'k-0123456789'], told.join('; '))
  const text = await detail.innerText()
  for (const word of ['Genset <b>jalan</b>,\nteknisi di lokasi', 'rute kabel.pdf', '81 KB', '2,3 MB', 'ISP Satu', 'tidak dapat diubah']) assert.ok(text.toLowerCase().includes(word.toLowerCase()), `${word} in ${text}`)
  const photo = detail.getByRole('img', { name: 'Foto dari Rina, NOC, Telkomsel' })
  await photo.scrollIntoViewIfNeeded()
  await page.waitForFunction(() => (document.querySelector<HTMLImageElement>('#detail .timeline img')?.naturalWidth ?? 0) > 0)
  await picture(page, 'comments-id')
  await assertAxe(page, 'comments')
  await page.context().close()
  const none = await screens.open('&gangguan=g-2', desktop)
  await none.getByText('Belum ada komentar').waitFor()
  await none.context().close()
})

test('somebody writes by keyboard, with a photo; what is too large is told before it is sent, and what failed stays', async () => {
  const page = await screens.open('&gangguan=g-1', desktop)
  const detail = page.locator('#detail')
  const box = detail.getByLabel('Tulis komentar').and(detail.locator('textarea'))
  const send = detail.getByRole('button', { name: 'Kirim komentar' })
  const file = detail.locator('input[type="file"]')
  await box.waitFor()
  assert.equal(await send.isDisabled(), true)
  await file.setInputFiles({ name: 'video.mp4', mimeType: 'video/mp4', buffer: Buffer.alloc(fileBytesMax + 1) })
  await detail.getByRole('alert').filter({ hasText: 'video.mp4 berukuran 5,2 MB; paling besar 5 MB' }).waitFor()
  assert.equal(await send.isDisabled(), true)
  await picture(page, 'comment-too-large-id')
  await assertAxe(page, 'a file that is too large')
  await detail.getByRole('button', { name: 'Lepas lampiran' }).click()
  await file.setInputFiles({ name: 'foto.jpg', mimeType: 'image/jpeg', buffer: Buffer.alloc(300_000, 1) })
  await detail.getByText('Terlampir: foto.jpg, 300 KB').waitFor()
  site.room.full = true
  await box.fill('Sudah <i>dicek</i>')
  await box.press('Control+Enter')
  await detail.getByText('500 comments').waitFor()
  assert.equal(await box.inputValue(), 'Sudah <i>dicek</i>')
  site.room.full = false
  await box.press('Control+Enter')
  await detail.getByText('Komentar terkirim').waitFor()
  assert.equal(await box.inputValue(), '')
  assert.equal(await file.inputValue(), '')
  await detail.locator('.timeline').getByText('Sudah <i>dicek</i>').waitFor()
  assert.deepEqual(site.room.comments.at(-1)?.file, { name: 'foto.jpg', mimeType: 'image/jpeg', bytes: 300_000 })
  await page.context().close()
})

test('what somebody else writes appears without a reload; on a phone, in English, nothing overflows', async () => {
  const page = await screens.open('&gangguan=g-1&bahasa=en', phone)
  await page.getByText('Menara dari jalan').waitFor()
  site.say(`Baru ${'x'.repeat(200)}`)
  await page.getByText('Baru xxx').waitFor()
  await page.getByLabel('Write a comment').and(page.locator('textarea')).scrollIntoViewIfNeeded()
  await picture(page, 'comments-phone-en')
  await assertAxe(page, 'comments on a phone')
  assert.equal(await overflowOf(page), 0)
  await page.context().close()
})

/**
 * The duty pane. Its push service is a machine elsewhere, and the headless Chromium of the package has no notifications at
 * all: what a browser has of both is stood in for here, and the person says yes when he is asked.
 */
async function dutyPane(query = '', prepare: (context: BrowserContext) => Promise<unknown> = async () => undefined, viewport = desktop): Promise<Page> {
  const context = await screens.browser.newContext({ viewport, locale: 'id-ID' })
  await context.addInitScript(() => {
    let own: object | null = null
    let permission = 'default'
    Object.defineProperty(Notification, 'permission', { configurable: true, get: () => permission })
    Notification.requestPermission = async () => (permission = 'granted') as NotificationPermission
    const bytes = (length: number): ArrayBuffer => Uint8Array.from({ length }, (_, i) => i).buffer
    Object.assign(PushManager.prototype, {
      getSubscription: async () => own,
      subscribe: async ({ applicationServerKey }: { applicationServerKey: string }) => (own = {
        endpoint: 'https://push.example/own', getKey: (name: string) => bytes(name === 'auth' ? 16 : 65), unsubscribe: async () => (own = null) === null,
        options: { applicationServerKey: Uint8Array.from(atob(applicationServerKey.replaceAll('-', '+').replaceAll('_', '/')), (letter) => letter.charCodeAt(0)).buffer },
      }),
    })
  })
  await prepare(context)
  const page = await context.newPage()
  page.on('pageerror', (error) => assert.fail(`the page threw: ${error.message}`))
  await page.goto(`${site.address}?masuk=benar&tampil=piket${query}`)
  await page.getByRole('heading', { name: query.includes('bahasa=en') ? 'Buzz your phone' : 'Bunyikan ponsel' }).waitFor()
  return page
}

test('a phone is buzzed: switched on, tried, and a push that comes is shown by the worker and opens what it is about', async () => {
  site.room.subscriptions.splice(0, Infinity, { id: '00000000-0000-4000-8000-000000000009', endpoint: 'https://push.example/other', label: 'Firefox, Windows', language: 'id', madeAt: '2029-02-13T03:00:00.000Z', failedAt: '2029-02-14T02:00:00.000Z' })
  const page = await dutyPane()
  await page.getByText('Firefox, Windows, sejak 13 Feb 2029, 10.00 WIB; gagal pada 14 Feb 2029, 09.00 WIB').waitFor()
  await page.getByRole('button', { name: 'Bunyikan ponsel ini' }).click()
  const buzz = page.locator('.buzz')
  await buzz.getByText('Ponsel ini berbunyi bila lembaga Anda dipanggil').first().waitFor()
  assert.deepEqual(site.room.subscriptions.map(({ endpoint }) => endpoint), ['https://push.example/other', 'https://push.example/own'])
  await buzz.getByRole('button', { name: 'Coba sekarang' }).click()
  await buzz.getByText('Percobaan dikirim').waitFor()
  await picture(page, 'buzz-id')
  await assertAxe(page, 'buzz')
  await pushed(page)
  await buzz.getByRole('button', { name: 'Hentikan', exact: true }).click()
  await buzz.getByText('Sudah dihentikan').waitFor()
  await buzz.getByRole('button', { name: 'Bunyikan ponsel ini' }).waitFor()
  await buzz.getByRole('button', { name: 'Hentikan: Firefox, Windows' }).click()
  await buzz.getByText('Perangkat Anda yang lain').waitFor({ state: 'detached' })
  assert.deepEqual(site.room.subscriptions, [])
  await page.context().close()
})

interface Recorded { shown: Promise<unknown>; readonly registration: { showNotification: (...asked: unknown[]) => Promise<void> } }

/** Hands the real worker what a push service would, and presses what it shows. */
async function pushed(page: Page): Promise<void> {
  const { origin } = new URL(site.address)
  const devtools = await page.context().newCDPSession(page)
  const registration = new Promise<string>((resolve) => devtools.on('ServiceWorker.workerRegistrationUpdated', ({ registrations }) => {
    const own = registrations.find(({ scopeURL }) => scopeURL === `${origin}/console/`)
    if (own !== undefined) resolve(own.registrationId)
  }))
  await devtools.send('ServiceWorker.enable')
  const notice = { title: 'Layanan terputus, Manggarai, 96 TPS', body: 't-1: menunggu konfirmasi\nTenggat 14 Feb 2029, 10.30 WITA', tag: 'abc', url: '/console/?tiket=t-1', language: 'id', isQuiet: false }
  const worker = page.context().serviceWorkers()[0] ?? await page.context().waitForEvent('serviceworker')
  await worker.evaluate(() => {
    const scope = globalThis as unknown as Recorded
    scope.shown = new Promise((resolve) => (scope.registration.showNotification = async (...asked) => resolve(asked)))
  })
  await devtools.send('ServiceWorker.deliverPushMessage', { origin, registrationId: await registration, data: JSON.stringify(notice) })
  assert.deepEqual(await worker.evaluate(() => (globalThis as unknown as Recorded).shown), [notice.title, { body: notice.body, tag: 'abc', lang: 'id', data: { url: notice.url }, renotify: true, silent: false, requireInteraction: true }])
  await worker.evaluate((url) => {
    const notification = { close: () => undefined, data: { url } }
    dispatchEvent(Object.assign(new Event('notificationclick'), { notification, waitUntil: (done: Promise<unknown>) => void done.catch(() => undefined) }))
  }, notice.url)
  await page.locator('#detail').getByText('Manggarai').first().waitFor()
  assert.ok(page.url().endsWith('?tiket=t-1'), page.url())
  await page.goBack()
  await page.locator('.buzz').waitFor()
}

test('what stands in the way is said with how to mend it: blocked, unable, a browser without its service, a server that calls nobody', async () => {
  const blocked = await dutyPane('', (context) => context.addInitScript(() => Object.assign(Notification, { requestPermission: async () => Object.defineProperty(Notification, 'permission', { get: () => 'denied' }).permission })))
  await blocked.getByRole('button', { name: 'Bunyikan ponsel ini' }).click()
  await blocked.getByRole('alert').filter({ hasText: 'izinkan Pemberitahuan' }).waitFor()
  await picture(blocked, 'buzz-blocked-id')
  await assertAxe(blocked, 'blocked')
  await blocked.context().close()
  const unable = await dutyPane('&bahasa=en', (context) => context.addInitScript(() => void delete (globalThis as { PushManager?: unknown }).PushManager), phone)
  await unable.getByText('Add to Home Screen').waitFor()
  assert.equal(await overflowOf(unable), 0)
  await assertAxe(unable, 'unable, on a phone')
  await unable.context().close()
  const away = await dutyPane('', (context) => context.addInitScript(() => Object.assign(PushManager.prototype, { subscribe: () => Promise.reject(new DOMException('Registration failed - push service not available', 'AbortError')) })))
  await away.getByRole('button', { name: 'Bunyikan ponsel ini' }).click()
  await away.getByRole('alert').filter({ hasText: 'tidak tersambung ke layanan' }).waitFor()
  await away.context().close()
  site.room.offHere = true
  const off = await dutyPane()
  await off.getByText('belum memanggil siapa pun').waitFor()
  site.room.offHere = false
  await off.context().close()
})
