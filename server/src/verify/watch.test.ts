import assert from 'node:assert/strict'
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { after, beforeEach, test } from 'node:test'
import { minute_ms } from '@kawal/core/kernel/clock.ts'
import { formatVerifierKey } from '@kawal/core/ledger/key.ts'
import { outcomeEntry, writeActEntry } from '@kawal/core/act/entry.ts'
import { writeEntry } from '@kawal/core/recap/entry.ts'
import { noteKey, sha256 } from '@kawal/testkit/ed25519.ts'
import { recapPhone } from '@kawal/testkit/recap-phone.ts'
import { scratch } from '@kawal/testkit/scratch.ts'
import { writtenLog, type Voices, type WrittenState } from '@kawal/testkit/written-log.ts'
import { openMirror } from './mirror.ts'
import { createEntryReader, type EntryReader } from './records.ts'
import { openSeen } from './seen.ts'
import { sourceOf } from './source.ts'
import { openWatch, type Watch, type WatchEvent } from './watch.ts'

const voices: Voices = { log: noteKey('kawal.example/ledger'), witnesses: [], at_s: 0 }
const entryOf = (word: string) => (_: unknown, nth: number): Uint8Array => writeEntry({ kind: 'revocation', device: new Uint8Array(16), at: nth, reason: nth < 100 ? 'Hilang' : word })
const states = await writtenLog(Array.from({ length: 66_000 }, entryOf('Hilang')), [300, 700, 65_900], voices)
const [small, middle, tall] = states as [WrittenState, WrittenState, WrittenState]
const [fork] = await writtenLog(Array.from({ length: 900 }, entryOf('Rusak')), [900], voices) as [WrittenState]

/** A log whose keeper shows what the test wants; null: nothing. */
let showing: WrittenState | null = small
let asked: string[] = []
const server = createServer((request, response) => {
  const path = (request.url ?? '').slice('/ledger/'.length)
  asked.push(path)
  const bytes = showing?.files.get(path)
  response.writeHead(showing === null ? 503 : bytes === undefined ? 404 : 200).end(bytes)
})
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/ledger`
let folder = scratch('watch')
const folders = [folder]
let [now, events]: [number, WatchEvent[]] = [0, []]
after(() => {
  server.close()
  for (const each of folders) rmSync(each, { recursive: true, force: true })
})
beforeEach(() => {
  folders.push(folder = scratch('watch'))
  ;[showing, asked, events, now] = [small, [], [], 0]
})

const opened = ({ where = url, mirror = false, entries = createEntryReader(0) }: { where?: string; mirror?: boolean; entries?: EntryReader } = {}): Promise<Watch> => openWatch({
  source: sourceOf(where, () => Promise.resolve()), trust: { logs: [voices.log], witnesses: [], isEnough: () => true }, key: formatVerifierKey(voices.log.key), clock: () => now, entries, silence_ms: 10 * minute_ms,
  told: (event) => void events.push(event), seen: openSeen(join(folder, 'seen')), mirror: mirror ? openMirror(join(folder, 'mirror')) : null,
})
const codes = (): string[] => events.map((event) => (event.kind === 'alarm' ? event.alarm.code : `audited ${event.head.checkpoint.size}`))
const filesIn = (path: string): string[] => readdirSync(path, { recursive: true, withFileTypes: true }).filter((each) => each.isFile()).map((each) => join(each.parentPath, each.name).slice(path.length + 1)).sort()

test('what is followed is fetched once: new bundles, new tiles, and the proof from the checkpoint before', async () => {
  const watch = await opened()
  await watch.look()
  assert.deepEqual(asked.sort(), ['checkpoint', 'tile/0/000', 'tile/0/001.p/44', 'tile/1/000.p/1', 'tile/entries/000', 'tile/entries/001.p/44'])
  asked = []
  await watch.look()
  assert.deepEqual(asked, ['checkpoint'])
  ;[showing, asked] = [middle, []]
  await watch.look()
  assert.deepEqual([...new Set(asked)].sort(), ['checkpoint', 'tile/0/001', 'tile/0/002.p/188', 'tile/1/000.p/2', 'tile/entries/001', 'tile/entries/002.p/188'])
  showing = tall
  await watch.look()
  assert.deepEqual([codes(), watch.hasFound()], [['audited 300', 'audited 700', 'audited 65900'], false])
  const [, , last] = events
  assert.ok(last?.kind === 'audited')
  assert.deepEqual([last.tally.kinds, last.consistentWith], [{ revocation: 65_900 }, 700])
})

test('a mirror is the log again, file for file; it is taken up where it was left, and what was full replaces what was partial', async () => {
  await (await opened({ mirror: true })).look()
  const copy = join(folder, 'mirror')
  assert.deepEqual(filesIn(copy), [...small.files.keys()].sort())
  ;[showing, asked] = [tall, []]
  rmSync(join(copy, 'checkpoint'))
  await (await opened({ mirror: true })).look()
  assert.ok(!asked.includes('tile/entries/000') && asked.includes('tile/entries/001'), 'what is there is not asked for')
  assert.deepEqual(filesIn(copy), [...tall.files.keys()].sort())
  for (const [path, bytes] of tall.files) assert.ok(readFileSync(join(copy, path)).equals(bytes), path)
  showing = null
  const again = await opened({ where: copy })
  assert.deepEqual([await again.look(), again.hasFound()], [null, false])
  writeFileSync(join(copy, 'tile/0/x000'), '')
  writeFileSync(join(copy, 'tile/0/100'), readFileSync(join(copy, 'tile/0/101')))
  const spoilt = await opened({ where: copy })
  await spoilt.look()
  const last = events.at(-1)
  assert.deepEqual([last?.kind === 'audited' && last.findings, spoilt.isOver()], [[{ path: 'tile/0/100', fault: 'other' }], true])
})

test('of a log that took partial tiles away the full ones stand for them, and a copy has the partial ones', async () => {
  const files = new Map([...middle.files].filter(([path]) => !small.files.has(path) || !path.includes('.p/'))).set('checkpoint', Buffer.from(small.note))
  showing = { ...small, files: files.set('tile/1/000.p/1', small.files.get('tile/1/000.p/1') ?? assert.fail()) }
  const watch = await opened({ mirror: true })
  assert.deepEqual([await watch.look(), codes(), watch.hasFound()], [null, ['audited 300'], false])
  assert.ok(asked.includes('tile/entries/001.p/44') && asked.includes('tile/entries/001'))
  for (const [path, bytes] of small.files) assert.ok(readFileSync(join(folder, 'mirror', path)).equals(bytes), path)
})

test('a fork and a log that went back are cried out about, and both signed checkpoints are kept', async () => {
  const watch = await opened()
  await watch.look()
  showing = middle
  await watch.look()
  showing = fork
  await watch.look()
  assert.deepEqual([codes(), watch.isOver()], [['audited 300', 'audited 700', 'inconsistent'], true])
  showing = small
  const later = await opened()
  await later.look()
  assert.deepEqual([codes().at(-1), later.isOver()], ['rolled_back', true])
  const kept = readdirSync(join(folder, 'seen')).sort()
  assert.deepEqual(kept.map((name) => name.replace(/-[0-9a-f]{8}\./, '.')), ['alarms.jsonl', 'checkpoint', 'fork-700-900.txt', 'rollback-700-300.txt'])
  const evidence = readFileSync(join(folder, 'seen', kept[2] ?? ''), 'utf8')
  assert.ok(evidence.includes(middle.note) && evidence.includes(fork.note))
  assert.equal(readFileSync(join(folder, 'seen/checkpoint'), 'utf8'), middle.note)
  assert.deepEqual(readFileSync(join(folder, 'seen/alarms.jsonl'), 'utf8').trim().split('\n').map((line) => (JSON.parse(line) as { code: string }).code), ['inconsistent', 'rolled_back'])
})

test('who does not answer is silent after a while, and is followed on', async () => {
  const watch = await opened()
  await watch.look()
  showing = null
  now = 9 * minute_ms
  assert.match((await watch.look())?.message ?? '', /answered 503/)
  now = 11 * minute_ms
  await watch.look()
  await watch.look()
  showing = middle
  await watch.look()
  assert.deepEqual([codes(), watch.hasFound(), watch.isOver()], [['audited 300', 'unanswered', 'audited 700'], true, false])
})

test('records hold by keys that the log enrolled, before or after; one that does not is found, of others the key is not known', async () => {
  const [phone, late, stranger] = await Promise.all([recapPhone('1101012001001'), recapPhone('1101012001001', 'EdDSA'), recapPhone('1101012001001')])
  const liar = await recapPhone('1101012001001', 'ES256', phone.kid)
  const enrolled = (publicKey: Uint8Array, kind: 'enrolment' | 'supervision' = 'enrolment'): Uint8Array => writeEntry({ kind, device: new Uint8Array(16), station: '1101012001001', publicKey, at: 1 })
  const recorded = async (by: { record(): Promise<Buffer> }): Promise<Uint8Array> => writeEntry({ kind: 'recap', envelope: await by.record() })
  const entries = [enrolled(phone.publicKey), await recorded(phone), await recorded(late), await recorded(stranger), ...Array.from({ length: 300 }, entryOf('Hilang')), enrolled(late.publicKey, 'supervision'), await recorded(late), await recorded(liar), writeEntry({ kind: 'recap', envelope: new Uint8Array(3) })]
  const [state] = await writtenLog(entries, [entries.length], voices)
  showing = state ?? assert.fail()
  const reader = createEntryReader(2)
  try {
    const watch = await opened({ entries: reader })
    await watch.look()
    const [event] = events
    assert.ok(event?.kind === 'audited')
    assert.deepEqual(event.tally.records, { signed: 3, unknown: 1, wrong: [306, 307] }, 'a supervisor’s key is enrolled too')
    assert.deepEqual([event.tally.kinds['supervision'], event.tally.kinds['unknown']], [1, undefined])
    assert.deepEqual([event.findings, watch.isOver()], [[{ path: 'entry 306', fault: 'record' }, { path: 'entry 307', fault: 'record' }], true])
  } finally {
    await reader.close()
  }
})

test('entries of the log of acts are told by their kinds; what nobody knows is unknown', async () => {
  const reader = createEntryReader(0)
  const came = outcomeEntry({ id: 1, at: 1, status: 200, made: null }, { method: 'POST', path: '/v1/keys', entry: 0 }, new Uint8Array(32), sha256)
  await reader.take(0, [writeActEntry(came), Uint8Array.of(0x81, 0x18, 99)])
  assert.deepEqual(await reader.tally(), { kinds: { outcome: 1, unknown: 1 }, records: null })
  await reader.close()
})
