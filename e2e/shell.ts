import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { BrowserContext, Page } from 'playwright-core'
import { compact_type, decodeReceipt, encodeBatch } from '@kawal/contract/compact.ts'
import type { Sample } from '@kawal/contract/report.ts'
import type { DutyOrder, Permissions } from '@kawal/contract/shell.ts'
import { system } from '@kawal/server/src/adapters/postgres/database.ts'
import { storedReports } from '@kawal/testkit/reports.ts'
import { letterOf, type Bench } from './engine.ts'

const root = join(import.meta.dirname, '..')
type Given = Readonly<Record<string, unknown>>
const example = (path: string): Given => (JSON.parse(readFileSync(join(root, 'spec', path), 'utf8')) as { given: Given }).given

/** A native shell, played: it answers as spec/shell.md has it, with the answers that the shell's own reader gave (spec/radio-bridge/android), and reports over HTTP as the real one does. */
interface PlayedShell {
  readonly asked: { readonly what: string; readonly given: Given }[]
  readonly orders: DutyOrder[]
  permissions: Permissions
  reading: string
  /** Every ask is refused. */
  broken: boolean
  /** Sends these as its own, each with the number after the one before. @returns what the receipt says */
  report(to: string, samples: readonly Omit<Sample, 'sequence'>[]): Promise<{ readonly accepted: number; readonly quarantined: readonly unknown[] }>
  /** Tells the page a state that is told unasked. */
  tell(page: Page, part: Given): Promise<void>
}

async function playShell(context: BrowserContext): Promise<PlayedShell> {
  let state: Given = example('shell/duty-off.json')
  let next = 0
  const shell: PlayedShell = {
    asked: [], orders: [], reading: 'android/two-sims', broken: false, permissions: { location: 'askable', notifications: 'askable', precise: false, locationOn: true, batteryFree: false },
    async report(to, samples) {
      const order = shell.orders.at(-1)
      assert.ok(order !== undefined && state['on'] === true, 'on duty')
      const body = encodeBatch({ station: order.station, sentAt: new Date().toISOString(), samples: samples.map((sample) => ({ ...sample, sequence: next++ })) })
      const answer = await fetch(`${to}/v1/reports`, { method: 'POST', headers: { 'content-type': compact_type, authorization: `Bearer ${order.token}` }, body: new Uint8Array(body) })
      assert.equal(answer.status, 202)
      const receipt = decodeReceipt(new Uint8Array(await answer.arrayBuffer()))
      assert.ok(receipt.ok)
      return receipt.value
    },
    async tell(page, part) {
      state = { ...state, ...part }
      await page.evaluate((is) => (window as unknown as { tellShell(what: string, is: unknown): void }).tellShell('duty', is), state)
    },
  }
  const answers: Readonly<Record<string, (given: Given) => unknown>> = {
    read: () => ({ ...example(`radio-bridge/${shell.reading}.json`), readAt: new Date().toISOString() }),
    about: () => example('shell/about.json'), permissions: () => shell.permissions, settings: () => ({}), open: () => ({}), save: () => ({ saved: true }), 'duty.state': () => state, 'duty.send': () => state,
    permit: ({ what }) => (shell.permissions = { ...shell.permissions, ...(what === 'location' ? { location: 'granted', precise: true } : { notifications: 'blocked' }) }),
    'duty.start'(given) {
      const order = given as unknown as DutyOrder
      if (order.sequence.to !== shell.orders.at(-1)?.sequence.to) next = order.sequence.from
      shell.orders.push(order)
      if (state['on'] === true) return (state = { ...state, station: order.station, sequence: { next, to: order.sequence.to } })
      return (state = { ...example('shell/duty-on.json'), since: Date.now(), station: order.station, sequence: { next, to: order.sequence.to }, nextDueAt: Date.now() + 200_000, newest: [], sending: null, gap: null, bytesToday: 0, counts: { made: 0, sent: 0, waiting: 0, refused: 0 } })
    },
    'duty.stop': () => (state = { ...state, on: false, since: null, nextDueAt: null, station: null, sequence: null }),
  }
  await context.exposeBinding('askShell', (_, what: string, given: Given) => {
    shell.asked.push({ what, given })
    const answer = answers[what]
    if (shell.broken || answer === undefined) return { fault: `${what} tidak dikenal.` }
    return { is: answer(given) }
  })
  await context.addInitScript(() => {
    const page = window as unknown as { askShell(what: string, given: unknown): Promise<{ is?: unknown; fault?: string }> }
    const told: Record<string, ((is: unknown) => void)[]> = {}
    const ask = async (what: string, given?: unknown): Promise<unknown> => {
      const { is, fault } = await page.askShell(what, given ?? {})
      if (fault !== undefined) throw new Error(fault)
      return is
    }
    Object.assign(window, {
      kawalShell: { version: 1, ask, told: (what: string, run: (is: unknown) => void) => (told[what] ??= []).push(run) },
      kawalRadio: { version: 1, read: () => ask('read') },
      tellShell: (what: string, is: unknown) => told[what]?.forEach((run) => run(is)),
    })
  })
  return shell
}

const wait_ms_max = 30_000

/** One officer's way with the app of the build in the shell, on the real server; see engine.test.ts. */
export async function shellJourney({ front, server, builds }: Bench, context: BrowserContext, station: string): Promise<void> {
  front.serve(join(root, 'sigmon/dist'))
  const shell = await playShell(context)
  const page = await context.newPage()
  page.setDefaultTimeout(wait_ms_max)
  const thrown: string[] = []
  page.on('pageerror', (error) => thrown.push(error.message))
  const see = (text: string): Promise<void> => page.getByText(text).first().waitFor()
  const press = (name: string): Promise<void> => page.getByRole('button', { name, exact: true }).click()
  const go = (path: string): Promise<void> => page.evaluate((to) => void (location.hash = `#/${to}`), path)
  try {
    await page.goto(`${front.origin}/sigmon/#tps=${station}&kode=${letterOf(server, station)}`)
    await press('Daftar')
    await checkReads({ page, shell, see, press })
    const sequence = await dutyBegins({ shell, see, press, go })
    await bothReport({ front, server, page, shell, see, press, go, sequence, station })
    await packageShown({ front, page, shell, see, press, go })
    await go('tugas')
    await press('Selesai tugas')
    await see('Tidak sedang bertugas')
    assert.equal(shell.asked.filter(({ what }) => what === 'duty.stop').length, 1)
    shell.broken = true
    await press('Mulai tugas')
    await press('Lanjut tanpa ini')
    await press('Lanjut tanpa ini')
    await see('Tugas di latar belakang tidak bisa berjalan di HP ini')
    await see('Bertugas sejak')
    assert.deepEqual(thrown, [])
  } finally {
    front.serve(builds[0])
  }
}

interface Hands {
  readonly page: Page
  readonly shell: PlayedShell
  see(text: string): Promise<void>
  press(name: string): Promise<void>
  go(path: string): Promise<void>
}

async function checkReads({ page, see, press, shell }: Omit<Hands, 'go'>): Promise<void> {
  shell.reading = 'permission-refused'
  await press('Periksa jaringan')
  await see('tanpa itu Android tidak memberi kekuatan sinyal')
  shell.reading = 'android/permission-refused'
  await press('Periksa jaringan')
  await page.locator('.big').getByText('-97 dBm').waitFor()
  assert.equal(await page.getByText('tanpa itu Android tidak memberi kekuatan sinyal').count(), 0)
  shell.reading = 'android/two-sims'
  await press('Periksa jaringan')
  await page.locator('.big').getByText('-113 dBm').waitFor()
  await see('XL, 4G LTE')
}

/** Location is allowed, notifications refused by the phone's question, the battery left alone. */
async function dutyBegins({ see, press, go, shell }: Omit<Hands, 'page'>): Promise<DutyOrder['sequence']> {
  await go('tugas')
  await press('Mulai tugas')
  await see('Izin lokasi: tanpa ini kekuatan sinyal tidak terbaca')
  await press('Izinkan')
  await see('Izin pemberitahuan')
  await press('Izinkan')
  await see('Hemat baterai: HP ini boleh')
  await press('Lanjut tanpa ini')
  await see('Layar boleh mati')
  const [order, ...more] = shell.orders
  assert.ok(order !== undefined)
  assert.deepEqual([more.length, order.sequence.to - order.sequence.from, order.token.length > 20, order.keys.length > 0, order.config.version >= 1, order.language], [0, 9_999, true, true, true, 'id'])
  return order.sequence
}

async function bothReport({ front, server, page, shell, see, press, go, sequence, station }: Hands & Pick<Bench, 'front' | 'server'> & { readonly sequence: DutyOrder['sequence']; readonly station: string }): Promise<void> {
  const nextDueAt = Date.now() + 170_000
  await shell.tell(page, { nextDueAt })
  await go('')
  const sent = front.after(1)
  await press('Periksa jaringan')
  await sent
  await page.getByRole('button', { name: 'Periksa jaringan', exact: true }).waitFor()
  const sample = { ...(example('shell/duty-on.json')['newest'] as { sample: Sample }[])[1]?.sample } as Sample
  const at = (ago_ms: number): Sample => ({ ...sample, eventAt: new Date(Date.now() - ago_ms).toISOString(), nextDueAt: new Date(nextDueAt).toISOString() })
  // The page's number behind the block has come already: the shell's first come after it, and once more.
  const samples = [at(3_000), at(2_000), at(1_000)]
  const receipt = await shell.report(front.origin, samples)
  assert.deepEqual([receipt.accepted, receipt.quarantined], [3, []])
  await shell.tell(page, { gap: 'location_off', counts: { made: 3, sent: 3, waiting: 0, refused: 0 }, bytesToday: 1_200_000, day: new Intl.DateTimeFormat('en-CA', { timeZone: 'Asia/Makassar' }).format(), newest: samples.map((each, nth) => ({ sample: { ...each, sequence: sequence.from + nth }, state: 'sent', sentAt: Date.now(), reason: null })).reverse() })
  await go('tugas')
  await see('Lokasi (GPS) HP mati')
  await see(`nomor ${sequence.from + 2}`)
  const all = (await storedReports(server.app.database)).filter((report) => report.station === station)
  const own = all.find((report) => report.sequence > sequence.to)
  const rows = all.filter((report) => report.device === own?.device && report.sequence >= sequence.from)
  assert.deepEqual(rows.map((report) => report.sequence).filter((each) => each <= sequence.to).sort((a, b) => a - b), [0, 1, 2].map((nth) => sequence.from + nth))
  assert.equal(own?.sample.nextDueAt, new Date(nextDueAt).toISOString(), "the page's check promises what the shell does")
  const quarantined = await server.app.database.transaction(system, (client) => client.query('SELECT 1 FROM quarantine WHERE device_key = $1', [own?.device]))
  assert.equal(quarantined.rows.length, 0)

  const orders = shell.orders.length
  await page.reload()
  await see('Layar boleh mati')
  await see(`nomor ${sequence.from + 2}`)
  assert.equal(shell.orders.length, orders, 'the same order is not given twice')
  await shell.tell(page, { held: 'budget', nextDueAt: null })
  await see('Batas data hari ini habis')
  await go('sinyal')
  await press('Mulai mencari')
  await page.locator('.dbm').getByText('-113 dBm').waitFor()
  await press('Berhenti')
}

/** Which package runs, whether the platform publishes it, and a file that leaves the app. */
async function packageShown({ front, page, shell, see, press, go }: Hands & Pick<Bench, 'front'>): Promise<void> {
  const about = example('shell/about.json') as { versionCode: number; sha256: string; certificate: string }
  const publish = async (body: object | null, text: string): Promise<void> => {
    front.script((path) => (path !== '/v1/android' ? null : body === null ? { status: 404 } : { status: 200, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }))
    await go('lainnya')
    await page.getByRole('heading', { level: 1, name: 'Lainnya' }).waitFor()
    await go('data')
    await see(text)
  }
  const published = { ...about, versionName: '1.7', bytes: 900_000, minSdk: 24, publishedAt: '2029-02-01T00:00:00Z', leaf: 4_812, url: '/android/sigmon.apk' }
  await publish(null, 'Platform ini tidak membagikan aplikasi')
  await publish(published, 'tercatat di buku besar no. 4812')
  await see('9f9f 9f9f')
  await publish({ ...published, sha256: 'aa'.repeat(32) }, 'berbeda dari yang diumumkan')
  await publish({ ...published, certificate: 'bb'.repeat(32) }, 'ditandatangani oleh pihak lain')
  await publish({ ...published, versionCode: about.versionCode + 1, versionName: '1.8', sha256: 'cc'.repeat(32) }, 'Ada versi baru: 1.8')
  await press('Buka halaman unduhan')
  await page.getByRole('button', { name: 'Buat berkas' }).click()
  await page.getByRole('button', { name: 'Simpan berkas' }).click()
  await see('Tersimpan.')
  const given = (what: string): Given | undefined => shell.asked.find((each) => each.what === what)?.given
  assert.match(String(given('open')?.['url']), /\/android\/$/)
  assert.equal((JSON.parse(Buffer.from(String(given('save')?.['base64']), 'base64').toString()) as { format: string }).format, 'kawal-sigmon-1')
}
