import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { after, before, test } from 'node:test'
import chromium from '@sparticuz/chromium'
import { chromium as playwright, type Browser, type BrowserContextOptions, type Page } from 'playwright-core'
import { recapPhone } from '@kawal/testkit/recap-phone.ts'
import { mustForm, soundTotals } from '@kawal/testkit/recaps.ts'
import { openStage, squaresOf, type Stage } from './test/site.ts'

const phone = { width: 360, height: 640 }
const target_px_min = 48
const pictures = process.env['SIGMON_SCREENS']
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** Every screen, each in the states in which it looks different. */
const screens: readonly (readonly [scene: string, path: string])[] = [
  ['new', ''], ['refused', ''], ['fresh', ''], ['checking', ''], ['send', ''], ['wait', ''], ['move', ''], ['old', ''], ['practice', ''], ['fresh', 'tugas'], ['duty', 'tugas'], ['sent', 'sinyal'], ['fresh', 'sinyal'],
  ['sent', 'lainnya'], ['sent', 'tps'], ['fresh', 'tps'], ['testing', 'data'], ['sent', 'lapor'], ['sent', 'panduan/1'], ['sent', 'panduan/3'], ['sent', 'baterai/xiaomi'],
  ['sent', 'rekap'], ['recaps', ''], ['recaps', 'rekap'], ['recaps', 'rekap/isi-ppwp'], ['recaps', 'rekap/bawa'], ...['a1', 'b2', 'c3', 'a7', 'd4', 'e5'].map((byte) => ['recaps', `rekap/${byte.repeat(20)}`] as const),
  ['supervisor', ''], ['supervisor', 'rekap'], ['supervisor', `rekap/${'c3'.repeat(20)}`],
  ['shell', ''], ['unasked', ''], ['held', 'tugas'], ['failing', 'tugas'], ['unasked', 'data'],
]

/** One process for all dies with its first context; the origin rules stay on as in a real browser. */
const refused = new Set(['--single-process', '--disable-web-security'])
/** There is no graphics card here: a page is painted without the emulation of one, which took a quarter of the time. WebGL has it still. */
const in_software = '--disable-gpu-compositing'

let stage: Stage
let browser: Browser
before(async () => {
  stage = await openStage()
  browser = await playwright.launch({ executablePath: await chromium.executablePath(), args: [...chromium.args.filter((flag) => !refused.has(flag)), in_software], headless: true })
})
after(async () => {
  await browser.close()
  stage.close()
})

async function open(scene: string, path: string, options: BrowserContextOptions = {}): Promise<Page> {
  const page = await (await browser.newContext({ viewport: phone, locale: 'id-ID', ...options })).newPage()
  page.on('pageerror', (error) => assert.fail(`${scene}/${path} threw: ${error.message}`))
  await show(page, scene, path, 'id')
  return page
}

async function show(page: Page, scene: string, path: string, language: string): Promise<void> {
  await page.goto(`${stage.address}?adegan=${scene}&bahasa=${language}#/${path}`)
  await page.locator('h1').waitFor()
}

/** What axe finds, with the 7:1 of WCAG 2.2's AAA that the sun asks for. */
async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe)
  return page.evaluate(async () => {
    const { axe: tool } = window as unknown as { axe: { run(options: object): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> } }
    return (await tool.run({ rules: { 'color-contrast-enhanced': { enabled: true } } })).violations.map((each) => `${each.id}: ${each.nodes.map((node) => node.html.slice(0, 120)).join(' | ')}`)
  })
}

/** What reaches beyond the right edge, and what is too small for a thumb. */
const misfits = (page: Page): Promise<string[]> => page.evaluate((least) => [...document.querySelectorAll('body *')].flatMap((element) => {
  if (element.closest('.hidden, .skip') !== null) return []
  const { right, height, width } = element.getBoundingClientRect()
  const name = element.outerHTML.slice(0, 90)
  const thumb = element.matches('button, a, select, summary, input:not(.hidden)') && (height < least - 0.5 || width < least - 0.5)
  return [...(element === document.body.firstElementChild && document.documentElement.scrollWidth > innerWidth ? [`the page is ${document.documentElement.scrollWidth} px wide`] : []), ...(right > innerWidth + 1 ? [`beyond the edge: ${name}`] : []), ...(thumb ? [`${Math.round(width)} x ${Math.round(height)}: ${name}`] : [])]
}), target_px_min)

for (const [language, size, colorScheme] of [['id', 100, 'light'], ['id', 200, 'light'], ['en', 100, 'light'], ['en', 200, 'light'], ['id', 100, 'dark']] as const)
  test(`every screen is whole: axe, 7:1, 48 px, no edge cut (${language}, text ${size} %, ${colorScheme})`, { timeout: 120_000 }, async () => {
    const page = await (await browser.newContext({ viewport: phone, locale: 'id-ID', colorScheme })).newPage()
    page.on('pageerror', (error) => assert.fail(`${page.url()} threw: ${error.message}`))
    if (size !== 100) await page.addInitScript((percent) => document.addEventListener('DOMContentLoaded', () => document.head.insertAdjacentHTML('beforeend', `<style>html{font-size:${percent}% !important}</style>`)), size)
    const found: string[] = []
    for (const [scene, path] of screens) {
      await show(page, scene, path, language)
      found.push(...[...(await violations(page)), ...(await misfits(page))].map((line) => `${scene}/${path}: ${line}`))
      if (pictures !== undefined) await page.screenshot({ path: `${pictures}-${language}-${size}-${colorScheme}-${scene}-${path.replace('/', '-')}.png`, fullPage: true })
    }
    assert.deepEqual(found, [])
    await page.context().close()
  })

test('the letter: its link fills the form and leaves the address; a slip is told while typing, O and I are taken', async () => {
  const page = await open('new', '')
  await page.goto(`${stage.address}?adegan=new&n=1#tps=5310072003004&kode=1A2B3C4D5E6F7G8HX&kunci=0123456789abcdef`)
  const code = page.getByLabel('Kode di surat tugas')
  assert.equal(await code.inputValue(), '1A2B-3C4D-5E6F-7G8H-X')
  assert.doesNotMatch(page.url(), /kode|kunci/)
  await page.locator('#letter-hint').getByText('Ada salah ketik').waitFor()
  await code.fill('')
  // 16 zeros have the check symbol 0: Crockford's modulo
  await code.pressSequentially('oooo-OOOO 00000000')
  await page.locator('#letter-hint').getByText('Masih kurang 1 huruf atau angka').waitFor()
  await code.press('0')
  await page.locator('#letter-hint').getByText('Kode ini utuh').waitFor()
  await page.reload()
  assert.equal(await code.inputValue(), 'OOOO-OOOO-0000-0000-0', 'what was typed outlives the page')
  await page.getByRole('button', { name: 'Daftar', exact: true }).click()
  await page.getByText('Sementara', { exact: true }).waitFor()
  assert.equal(await page.evaluate(() => Object.values(localStorage).join().includes('0000')), false, 'the secret is gone once it is used')
  await page.context().close()
})

/** Axe and the thumb on a state that only using the app leads to. */
async function whole(page: Page, name: string): Promise<void> {
  if (pictures !== undefined) await page.screenshot({ path: `${pictures}-used-${name}.png`, fullPage: true })
  assert.deepEqual([...(await violations(page)), ...(await misfits(page))], [], name)
}

/** A page on which the camera sees this QR. The Chromium of the tests has no capture at all, a film instead of a camera included: a canvas stands in for the lens. */
async function lookAt(text: string): Promise<Page> {
  const page = await (await browser.newContext({ viewport: phone })).newPage()
  await page.addInitScript((squares) => {
    const draw = (): HTMLCanvasElement => {
      const canvas = document.createElement('canvas')
      const side_px = 8
      canvas.width = canvas.height = squares.length * side_px
      const context = canvas.getContext('2d') as CanvasRenderingContext2D
      squares.forEach((row, y) => row.forEach((dark, x) => {
        context.fillStyle = dark === 1 ? '#222' : '#ddd'
        context.fillRect(x * side_px, y * side_px, side_px, side_px)
      }))
      return canvas
    }
    Object.assign(window, { drawQr: draw })
    Object.defineProperty(navigator, 'mediaDevices', { value: { getUserMedia: () => Promise.resolve(draw().captureStream(10)) } })
  }, squaresOf(text))
  await show(page, 'new', '', 'id')
  await page.getByRole('button', { name: 'Pindai QR' }).click()
  await page.getByText('Kamera hanya dipakai untuk membaca QR').waitFor()
  await whole(page, 'scan')
  return page
}

test('the QR of the letter is read by the camera or from a photo, another QR is told apart, and without a camera the way on is said', { timeout: 60_000 }, async () => {
  const letter = 'https://kawal.example/sigmon/#tps=5310072003004&kode=00000000000000000&kunci=0123456789abcdef'
  const page = await lookAt(letter)
  await page.getByRole('button', { name: 'Nyalakan kamera' }).click()
  await page.locator('#letter-hint').getByText('Kode ini utuh').waitFor()
  assert.equal(await page.getByLabel('Kode TPS').inputValue(), '5310072003004')
  assert.equal(await page.locator('video').count(), 0, 'the camera is off again')
  await page.getByLabel('Kode TPS').fill('')
  await page.getByRole('button', { name: 'Pindai QR' }).click()
  const photo = await page.evaluate(() => (window as unknown as { drawQr(): HTMLCanvasElement }).drawQr().toDataURL('image/png').split(',')[1] ?? '')
  await page.getByLabel('Pilih foto QR').setInputFiles({ name: 'surat.png', mimeType: 'image/png', buffer: Buffer.from(photo, 'base64') })
  await page.locator('video').or(page.getByText('Pilih foto QR')).waitFor({ state: 'detached' })
  assert.equal(await page.getByLabel('Kode TPS').inputValue(), '5310072003004')
  await page.context().close()

  const other = await lookAt('WIFI:S:warung;T:WPA;P:rahasia;;')
  await other.getByRole('button', { name: 'Nyalakan kamera' }).click()
  await other.getByText('QR ini bukan dari surat tugas').waitFor()
  await other.getByLabel('Pilih foto QR').setInputFiles({ name: 'surat.png', mimeType: 'image/png', buffer: Buffer.from('not a picture') })
  await other.getByText('Tidak ada QR yang terbaca').waitFor()
  await other.context().close()

  const without = await open('new', '')
  await without.getByRole('button', { name: 'Pindai QR' }).click()
  await without.getByRole('button', { name: 'Nyalakan kamera' }).click()
  await without.getByText('Kamera tidak ditemukan').waitFor()
  await without.context().close()
})

test('a bug is told to the officer, and what he sees stays', async () => {
  const page = await (await browser.newContext({ viewport: phone })).newPage()
  await show(page, 'sent', '', 'id')
  await page.evaluate(() => void setTimeout(() => Promise.reject(new Error('planted'))))
  await page.getByText('Ada kesalahan di aplikasi').waitFor()
  await page.getByRole('button', { name: 'Periksa jaringan' }).waitFor()
  await page.context().close()
})

test('a check names its steps, answers in one word, and an old answer says that it is old', async () => {
  const page = await open('sent', '')
  await page.evaluate(() => {
    const said = new Set<string>()
    Object.assign(window, { said })
    new MutationObserver(() => said.add(document.querySelector('main .panel')?.textContent ?? '')).observe(document.body, { childList: true, subtree: true, characterData: true })
  })
  await page.getByRole('button', { name: 'Periksa jaringan' }).click()
  await page.locator('.verdict b').getByText('KIRIM', { exact: true }).waitFor()
  const said = (await page.evaluate(() => [...(window as unknown as { said: Set<string> }).said])).join('\n')
  for (const step of ['mencoba internet dan server pemilu (langkah 1 dari 13)', 'menghitung waktu pulang-pergi (langkah 5 dari 13)', 'mencoba unduh (langkah 12 dari 13)', 'mencoba unggah (langkah 13 dari 13)']) assert.ok(said.includes(step), `${step} was not said: ${said}`)
  await show(page, 'old', '', 'id')
  await page.getByText('Hasil ini sudah 43 menit').waitFor()
  await show(page, 'move', '', 'id')
  await page.getByRole('link', { name: 'Cari tempat bersinyal' }).click()
  await page.getByRole('heading', { level: 1, name: 'Cari sinyal' }).waitFor()
  assert.match(page.url(), /#\/sinyal$/)
  await page.goBack()
  await page.locator('.verdict b').getByText('PINDAH', { exact: true }).waitFor()
  await page.context().close()
})

test('warmer, colder: a walk has a best spot and a way back to it; the nearest points turn with the position', { timeout: 60_000 }, async () => {
  const page = await open('sent', 'sinyal', { geolocation: { latitude: -8.61277, longitude: 120.46513, accuracy: 9 }, permissions: ['geolocation'] })
  await page.clock.install()
  await page.getByText('Jatah Anda menurut rencana').waitFor()
  assert.equal(await page.locator('.point').count(), 3)
  await page.getByRole('button', { name: 'Pakai posisi HP' }).click()
  await page.getByText('ketelitian 9 m').waitFor()
  await page.getByRole('button', { name: 'Mulai mencari' }).click()
  const words: string[] = []
  for (const count of [1, 2, 3, 4, 5, 6]) {
    await page.locator(`.chart i:nth-child(${count})`).waitFor({ state: 'attached' }).catch(() => assert.fail(`no feeling ${count}`))
    words.push(await page.locator('.warmth b').innerText())
    if (count === 4) await page.context().setGeolocation({ latitude: -8.61177, longitude: 120.46513, accuracy: 9 })
    await page.clock.runFor(3_100)
  }
  assert.deepEqual(words, ['Mengukur...', 'PALING BAIK', 'PALING BAIK', 'PALING BAIK', 'LEBIH DINGIN', 'TIDAK ADA JAWABAN'])
  await page.getByText('110 m ke selatan').waitFor()
  await whole(page, 'walk')
  await page.clock.runFor(5 * 60_000)
  await page.getByText('Berhenti setelah 5 menit').waitFor()
  await page.context().close()
})

test('in the shell dBm leads the walk, permissions are asked with their reasons and each may be refused; a browser on Android is told of the app', { timeout: 60_000 }, async () => {
  const page = await open('shell', 'sinyal')
  await page.clock.install()
  await page.getByRole('button', { name: 'Mulai mencari' }).click()
  const words: string[] = []
  for (const count of [1, 2, 3, 4, 5]) {
    await page.locator(`.chart i:nth-child(${count})`).waitFor({ state: 'attached' })
    words.push(`${await page.locator('.warmth b').innerText()} ${await page.locator('.dbm').innerText()}`)
    await page.clock.runFor(1_000)
  }
  assert.deepEqual(words, ['Mengukur... -118 dBm sangat lemah', 'PALING BAIK -112 dBm sangat lemah', 'PALING BAIK -104 dBm lemah', 'PALING BAIK -97 dBm lemah', 'LEBIH DINGIN -108 dBm lemah'])
  await page.getByRole('button', { name: 'Nyalakan lokasi' }).waitFor()
  await whole(page, 'walk-radio')
  await show(page, 'unasked', 'tugas', 'id')
  await page.getByRole('button', { name: 'Mulai tugas' }).click()
  await page.getByText('Sebelum mulai: 1 dari 3').waitFor()
  await whole(page, 'duty-steps')
  await page.getByRole('button', { name: 'Lanjut tanpa ini' }).click()
  await page.getByText('Izin pemberitahuan').waitFor()
  await page.getByRole('button', { name: 'Lanjut tanpa ini' }).click()
  await page.getByRole('button', { name: 'Buka setelan baterai' }).click()
  await page.getByText('Bertugas sejak').waitFor()
  await page.getByText('Izin lokasi ditolak. Tugas tetap jalan').waitFor()
  await show(page, 'sent', 'lainnya', 'id')
  assert.equal(await page.getByText('Ada aplikasi Android').count(), 0)
  await show(page, 'offered', 'lainnya', 'id')
  assert.equal(await page.getByRole('link', { name: 'Ada aplikasi Android' }).getAttribute('href'), '/android/')
  await page.context().close()
})

test('the position of the station goes out only when it is accurate, and only by the button', async () => {
  const page = await open('sent', 'tps', { geolocation: { latitude: -8.61, longitude: 120.46, accuracy: 140 }, permissions: ['geolocation'] })
  await page.getByRole('button', { name: 'Perbaiki posisi' }).click()
  await page.getByText('-8,61000, 120,46000, ketelitian 140 m').waitFor()
  assert.equal(await page.getByRole('button', { name: 'Kirim posisi ini' }).isDisabled(), true)
  await page.context().setGeolocation({ latitude: -8.61002, longitude: 120.46, accuracy: 12 })
  await page.getByText('ketelitian 12 m').waitFor()
  await whole(page, 'position')
  await page.getByRole('button', { name: 'Kirim posisi ini' }).click()
  await page.getByText('Posisi disimpan').waitFor()
  await page.context().close()
  const refused = await open('sent', 'tps', { permissions: [] })
  await refused.getByRole('button', { name: 'Perbaiki posisi' }).click()
  await refused.getByText('Izin lokasi ditolak').waitFor()
  await refused.context().close()
})

test('a problem that is begun is a draft: it outlives the page, is asked about, and goes out', async () => {
  const page = await open('sent', 'lapor')
  await page.getByRole('button', { name: 'Titik akses' }).click()
  await page.getByLabel('Ceritakan singkat').fill('Modem mati')
  await page.reload()
  await page.getByText('Ada tulisan yang belum dikirim').waitFor()
  assert.equal(await page.getByLabel('Ceritakan singkat').inputValue(), '', 'recovery asks first')
  await whole(page, 'draft')
  await page.getByRole('link', { name: 'Periksa' }).click()
  assert.equal(await page.locator('[data-count=draft]').innerText(), '1')
  await page.goBack()
  await page.getByRole('button', { name: 'Lanjutkan' }).click()
  assert.equal(await page.getByLabel('Ceritakan singkat').inputValue(), 'Modem mati')
  await page.getByRole('button', { name: 'Kirim laporan' }).click()
  await page.getByText('Laporan disimpan').waitFor()
  await page.getByRole('button', { name: 'Masih bermasalah' }).click()
  await page.getByText('Masih bermasalah').waitFor({ state: 'detached' })
  await page.getByRole('link', { name: 'Periksa' }).click()
  assert.equal(await page.locator('[data-count=draft]').innerText(), '0')
  await page.context().close()
})

test('cost is said and asked before a full test; practice is marked on every screen; the guide ends once', async () => {
  const page = await open('sent', 'data')
  await page.getByRole('button', { name: 'Mulai tes penuh' }).click()
  await page.getByText('Tes ini memakai sampai 20 MB').waitFor()
  await whole(page, 'cost')
  await page.getByRole('button', { name: 'Ya, lanjutkan' }).click()
  await page.getByText('18,4 Mbit/s').waitFor()
  await page.getByRole('button', { name: 'Mulai latihan' }).click()
  for (const path of ['', 'tugas', 'sinyal', 'tps', 'lapor', 'panduan/3']) {
    await page.evaluate((to) => (location.hash = `#/${to}`), path)
    await page.locator('.practice .band').getByText('LATIHAN', { exact: true }).waitFor()
  }
  await page.getByRole('button', { name: 'Selesai', exact: true }).click()
  await page.getByRole('button', { name: 'Periksa jaringan' }).waitFor()
  assert.equal(await page.getByText('Pertama kali?').count(), 0)
  await page.getByRole('link', { name: 'Tugas', exact: true }).click()
  await page.getByRole('button', { name: 'Mulai tugas' }).click()
  await page.getByText('Bertugas sejak').waitFor()
  await page.context().close()
})

test('a fault of the letter stands above the button that was tapped, on the screen; before enrolment no tab leads nowhere', async () => {
  const page = await open('new', '')
  await page.getByLabel('Kode TPS').fill('5310072003')
  await page.getByRole('button', { name: 'Daftar', exact: true }).click()
  const fault = page.getByRole('alert')
  await fault.getByText('harus 17 huruf dan angka').waitFor()
  const [said, button] = [await fault.boundingBox(), await page.getByRole('button', { name: 'Daftar', exact: true }).boundingBox()]
  assert.ok(said !== null && button !== null && said.y >= 0 && said.y + said.height <= button.y, 'the fault is above the button')
  assert.deepEqual(await page.getByRole('navigation').getByRole('link').allInnerTexts(), ['Daftar', 'Lainnya'])
  await page.getByRole('link', { name: 'Lainnya' }).click()
  await page.getByRole('heading', { level: 1, name: 'Lainnya' }).waitFor()
  assert.deepEqual(await page.locator('main li a').allInnerTexts(), ['Data dan setelan', 'Panduan singkat', 'Hemat baterai'])
  await page.context().close()
})

test('what the server refused is said in plain words, and an answered report calls for the officer\'s word on the first screen', async () => {
  const page = await open('duty', 'tugas')
  const refused = page.locator('ol li', { hasText: 'Gagal' })
  await refused.getByText('jam HP terlalu maju').waitFor()
  assert.doesNotMatch(await page.locator('main').innerText(), /eventAt|clock/)
  await page.getByRole('link', { name: 'Periksa', exact: true }).click()
  await page.getByRole('link', { name: 'Laporan KS-20290214-000123 dinyatakan pulih' }).click()
  const first = page.locator('main ol li').first()
  await first.getByText('KS-20290214-000123').waitFor()
  await first.getByRole('button', { name: 'Sudah beres' }).click()
  await first.getByText('KS-20290214-000123').waitFor({ state: 'detached' })
  assert.equal(await page.getByText('Perangkat ini sudah punya').count(), 0, 'a sentence of the server is not shown as an answer')
  await page.context().close()
})

test('practice sends neither a report nor a position', async () => {
  const page = await open('practice', 'lapor', { geolocation: { latitude: -8.61, longitude: 120.46, accuracy: 12 }, permissions: ['geolocation'] })
  const before = await page.locator('main ol > li').count()
  await page.getByRole('button', { name: 'Sinyal', exact: true }).click()
  await page.getByRole('button', { name: 'Kirim laporan' }).click()
  await page.getByText('Ini latihan: tidak ada yang disimpan').waitFor()
  assert.equal(await page.locator('main ol > li').count(), before)
  assert.equal(await page.getByRole('button', { name: 'Sudah beres' }).count(), 0)
  await page.evaluate(() => (location.hash = '#/tps'))
  await page.getByRole('button', { name: 'Perbaiki posisi' }).click()
  await page.getByRole('button', { name: 'Kirim posisi ini' }).click()
  await page.getByText('Ini latihan: tidak ada yang disimpan').waitFor()
  await page.context().close()
})

/** A page of a form as a camera gives it: text, sharp or out of focus. */
const photo = (page: Page, blur_px: number): Promise<Buffer> => page.evaluate((blur) => {
  const canvas = document.createElement('canvas')
  canvas.width = 1_200
  canvas.height = 1_600
  const context = canvas.getContext('2d') as CanvasRenderingContext2D
  context.fillStyle = '#e4e0d8'
  context.fillRect(0, 0, canvas.width, canvas.height)
  context.fillStyle = '#222'
  context.font = '24px sans-serif'
  for (let y = 60; y < 1_560; y += 34) context.fillText(`${y} DPT laki-laki 127 perempuan 145 jumlah 272 suara sah ${y * 7}`, 60, y)
  // Drawn small and large again: not every browser has a filter.
  const small = document.createElement('canvas')
  small.width = Math.round(canvas.width / (1 + blur))
  small.height = Math.round(canvas.height / (1 + blur))
  ;(small.getContext('2d') as CanvasRenderingContext2D).drawImage(canvas, 0, 0, small.width, small.height)
  if (blur > 0) context.drawImage(small, 0, 0, canvas.width, canvas.height)
  return canvas.toDataURL('image/jpeg', 0.9).split(',')[1] ?? ''
}, blur_px).then((text) => Buffer.from(text, 'base64'))

test("a supervisor's phone says on every screen whose copy it keeps, and has no stage that is KPU's; an officer's says nothing of it", async () => {
  const page = await open('supervisor', `rekap/${'c3'.repeat(20)}`)
  await page.getByText('PENGAWAS TPS: salinan Bawaslu').waitFor()
  await page.getByText('tidak diserahkan ke KPU').waitFor()
  assert.equal(await page.locator('.stages li').filter({ hasText: 'KPU' }).count(), 0)
  await whole(page, 'supervisor')
  await show(page, 'supervisor', 'tugas', 'en')
  await page.getByText("SUPERVISOR: Bawaslu's copy").waitFor()
  await show(page, 'recaps', `rekap/${'c3'.repeat(20)}`, 'id')
  await page.locator('.stages li').filter({ hasText: 'KPU' }).waitFor()
  assert.equal(await page.getByText('salinan Bawaslu').count(), 0)
})

test('another officer\'s record comes in by its file, a file that is none is told, and its QR leads there by itself', { timeout: 60_000 }, async () => {
  const page = await open('recaps', 'rekap/bawa')
  await page.getByLabel('Pilih berkas .cose').setInputFiles({ name: 'rekap.cose', mimeType: 'application/cose', buffer: Buffer.from('no record') })
  await page.getByText('Ini bukan catatan yang ditandatangani').waitFor()
  await whole(page, 'carry-none')
  const bytes = await (await recapPhone('5310072003009')).record()
  await page.getByLabel('Pilih berkas .cose').setInputFiles({ name: 'rekap.cose', mimeType: 'application/cose', buffer: bytes })
  await page.getByText('HP ini hanya membawanya').waitFor()
  await whole(page, 'carried')
  await page.evaluate((text) => location.assign(`#rekap=${text}`), bytes.toString('base64url'))
  await page.getByText('HP ini hanya membawanya').waitFor()
  await page.context().close()
})

test('a recap: what does not add up is said beside its field, a blurred photo is told, practice signs nothing, and a signed one has its code', { timeout: 60_000 }, async () => {
  const page = await open('recaps', 'rekap/isi-ppwp')
  const form = mustForm('ppwp', { kind: 'candidates', candidates: 3 })
  const type = (field: string, text: string): Promise<void> => page.locator(`[id='${field}']`).fill(text)
  for (const [at, field] of form.fields.entries()) await type(field, String(soundTotals[at]))
  await page.getByText('Semua angka cocok satu sama lain').waitFor()
  await type('votes_1', '928x')
  assert.equal(await page.locator('#votes_1').inputValue(), '928')
  await page.locator('#votes_1-told').getByText('Mungkin di kertas 128, bukan 928?').waitFor()
  await page.locator('#valid-told').getByText('berjumlah 1032, tetapi Suara sah tertulis 232').waitFor()
  await whole(page, 'recap-wrong')
  await type('votes_1', '128')
  const first = page.locator('.panel', { has: page.getByRole('heading', { name: 'Halaman 1' }) })
  const give = async (name: string, buffer: Buffer): Promise<void> => first.getByLabel('Dari galeri').setInputFiles({ name, mimeType: 'image/jpeg', buffer })
  await give('a.jpg', Buffer.from('no picture'))
  await first.getByText('bukan foto yang bisa dibuka').waitFor()
  await give('b.jpg', await photo(page, 7))
  await first.getByText('Foto ini kabur').waitFor()
  await give('c.jpg', await photo(page, 0))
  await first.getByText('Foto terbaca').waitFor()
  await page.getByText('Belum difoto: halaman 2').waitFor()
  const sign = page.getByRole('button', { name: 'Tandatangani dan kunci' })
  assert.equal(await sign.isDisabled(), true)
  await page.getByText('sudah saya cocokkan').click()
  await page.evaluate(() => (location.hash = '#/data'))
  await page.getByRole('button', { name: 'Mulai latihan' }).click()
  await page.evaluate(() => (location.hash = '#/rekap/isi-ppwp'))
  await page.getByText('sudah saya cocokkan').click()
  assert.equal(await page.locator('#votes_1').inputValue(), '128', 'what was filled in is there again')
  await first.getByRole('img').waitFor()
  await sign.click()
  await page.getByText('Ini latihan: tidak ada yang ditandatangani').waitFor()
  await page.getByRole('button', { name: 'Selesai latihan' }).click()
  await sign.click()
  await page.getByText('Kode tanda terima').waitFor()
  assert.match(await page.locator('p.code').innerText(), /^[0-9A-Z]{5}-[0-9A-Z]{5}$/)
  await page.getByText('QR catatan', { exact: true }).click()
  await page.getByText('Angka yang ditandatangani').click()
  await whole(page, 'recap-signed')
  await page.getByRole('link', { name: 'Buat perbaikan' }).click()
  await page.getByText('Memperbaiki catatan').waitFor()
  assert.equal(await page.locator('#votes_1').inputValue(), '128')
  await page.context().close()
})
