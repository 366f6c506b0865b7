import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { Entry } from '@kawal/core/recap/entry.ts'
import { writePhotos } from '@kawal/core/recap/photo.ts'
import { writeLogFolder } from '@kawal/testkit/log-folder.ts'
import { recapPhone } from '@kawal/testkit/recap-phone.ts'
import { sha256 } from '@kawal/testkit/recaps.ts'
import { scratch } from '@kawal/testkit/scratch.ts'
import { CommandFailure } from './exits.ts'
import { verifyRecaps } from './verify-recaps.ts'

const folder = scratch('verify-recaps')
after(() => rmSync(folder, { recursive: true, force: true }))
const at = (name: string): string => join(folder, name)
const program = join(import.meta.dirname, 'kawal.ts')
const kawal = (...args: string[]): Promise<{ code: number | null; out: string; err: string }> => new Promise((resolve) => {
  const child = spawn(process.execPath, [program, 'verify', 'recaps', ...args], { cwd: folder })
  let [out, err] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text))
  child.once('close', (code) => resolve({ code, out, err }))
})

const stations = Array.from({ length: 4 }, (_, nth) => `757101100100${nth + 1}`)
const [first = '', second = '', third = ''] = stations
const hex = (bytes: Uint8Array): string => Buffer.from(sha256(bytes)).toString('hex')
const list = writePhotos([{ page: 1, shot: 1, kind: 'preview', size_bytes: 9, sha256: sha256(Uint8Array.of(1)) }])
let [key, boxKey]: [string, string] = ['', '']
let held: Record<'whole' | 'lost' | 'boxed' | 'shown', Buffer>

before(async () => {
  const phones = [await recapPhone(first, 'EdDSA'), await recapPhone(second), await recapPhone(third)] as const
  const enrolments = phones.map(({ publicKey }, nth): Entry => ({ kind: 'enrolment', device: sha256(Uint8Array.of(nth)).slice(0, 16), station: stations[nth] ?? '', publicKey, at: 1 }))
  held = { whole: await phones[0].record({ photos: sha256(list) }), lost: await phones[1].record(), boxed: await phones[2].record(), shown: await phones[0].record() }
  const answer = (bytes: Uint8Array): Entry => ({ kind: 'delivery', recap: sha256(bytes), status: 201, answer: sha256(bytes), at: 2 })
  // more than a tile, so that a whole one and a part of one are read
  const more = Array.from({ length: 300 }, (_, nth): Entry => ({ kind: 'revocation', device: sha256(Uint8Array.of(nth, 9)).slice(0, 16), at: nth, reason: 'gladi' }))
  key = await writeLogFolder(at('log'), 'kawal.example/ledger', [...enrolments, ...more, { kind: 'recap', envelope: held.whole }, { kind: 'recap', envelope: held.lost }, answer(held.whole), answer(held.lost)])
  boxKey = await writeLogFolder(at('kotak'), 'kotak.example/ledger', [{ kind: 'recap', envelope: held.boxed }, { kind: 'recap', envelope: held.whole }])
  writeFileSync(at('roster.csv'), `code,village,zone\n${stations.map((station) => `${station},"desa, lama",Asia/Makassar`).join('\n')}\n`)
  writeFileSync(at('carried.cose'), held.shown)
})

const common = (): string[] => ['--log', at('log'), '--key', key, '--roster', at('roster.csv'), '--contests', 'ppwp']

test('what lacks is counted and told with who mends it; everything stands in the CSV', async () => {
  writeFileSync(at('terima.csv'), `hash,sha256,status\n${hex(held.whole)},${hex(held.whole)},held\n`)
  const { code, out, err } = await kawal(...common(), '--receiver', at('terima.csv'), '--box', `${boxKey} ${at('kotak')}`, '--record', at('carried.cose'), '--csv', at('gaps.csv'))
  assert.equal(code, 4, err)
  assert.match(err, /^4 gaps\.\n$/)
  for (const said of [
    /^Due: 4 contests at stations\. In the log: 307 entries, of them 2 records, 3 enrolments, 300 revocations, 2 answers/, / {2}lost +1 {2}the receiver answered for it/, / {2}custody +1 /, / {2}shown +1 /, / {2}empty +1 /,
    new RegExp(`\\nlost: ${second} ppwp, phone [0-9a-f]{16} number 1, record [0-9A-Z-]{11} ${hex(held.lost).slice(0, 16)}, made 2029-02-14T09:30:00.000Z. Mended by: KPU’s receiver`),
    new RegExp(`\\ncustody: ${third} .*kotak.*Mended by: whoever keeps the box: connect it`), /\nshown: .*carried\.cose/, /\nEmpty by province: 75 1\./,
  ]) assert.match(out, said)
  assert.doesNotMatch(out, /came from the log itself/)
  const rows = readFileSync(at('gaps.csv'), 'utf8').trim().split('\n')
  assert.deepEqual(rows.map((row) => row.split(',').slice(0, 4).join(' ')).sort(), ['custody box 7571011001003 ppwp', 'empty officer 7571011001004 ppwp', 'kind mend station contest', `lost receiver ${second} ppwp`, `shown carrier ${first} ppwp`])
})

test('over HTTP, with the keys that the logs name, in JSON; an object a line of the receiver, with the bytes that it holds', async () => {
  const server = createServer((request, response) => {
    try {
      response.end(readFileSync(join(folder, new URL(request.url ?? '', 'http://x').pathname)))
    } catch {
      response.writeHead(404).end()
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const line = (of: Buffer, bytes: Buffer): string => JSON.stringify({ hash: hex(of), status: 'held', record: bytes.toString('base64') })
  writeFileSync(at('terima.ndjson'), `\uFEFF${line(held.whole, held.whole)}\n${line(held.lost, held.whole)}\n`)
  try {
    const { code, out, err } = await kawal('--log', `${url}/log`, '--roster', at('roster.csv'), '--contests', 'ppwp', '--receiver', at('terima.ndjson'), '--box', `${url}/kotak/`, '--json')
    assert.equal(code, 4, err)
    const { due, gaps, lines, emptyByProvince } = JSON.parse(out) as { due: number; gaps: Record<string, number>; lines: { kind: string; hash: string }[]; emptyByProvince: Record<string, number> }
    assert.deepEqual([due, Object.entries(gaps).filter(([, count]) => count > 0), emptyByProvince], [4, [['altered', 1], ['custody', 1], ['empty', 1]], { 75: 1 }])
    assert.deepEqual(lines.map(({ kind, hash }) => [kind, hash]), [['altered', hex(held.lost)], ['custody', hex(held.boxed)]])
    assert.match((await kawal('--log', `${url}/none`, '--roster', at('roster.csv'))).err, /has no key/)
  } finally {
    server.close()
  }
})

test('photos by their names, and the whole of it without a gap', async () => {
  const photos = at('foto')
  mkdirSync(photos)
  writeFileSync(join(photos, 'daftar.cbor'), list)
  writeFileSync(at('one.csv'), `code\n${first}\n`)
  const phone = await recapPhone(first, 'EdDSA')
  const record = await phone.record({ photos: sha256(list) })
  const oneKey = await writeLogFolder(at('log-one'), 'kawal.example/ledger', [{ kind: 'enrolment', device: new Uint8Array(16), station: first, publicKey: phone.publicKey, at: 1 }, { kind: 'recap', envelope: record }, { kind: 'delivery', recap: sha256(record), status: 201, answer: sha256(record), at: 2 }])
  const args = ['--log', at('log-one'), '--key', oneKey, '--roster', at('one.csv'), '--contests', 'ppwp', '--photos', photos]
  assert.match((await kawal(...args)).out, /\nphotos: .*, 1, made .*on the phone that made it/)
  writeFileSync(join(photos, `${hex(Uint8Array.of(1))}-9`), '')
  const whole = await kawal(...args)
  assert.deepEqual([whole.code, /Nothing lacks\./.test(whole.out), /No list of the receiver was given/.test(whole.out)], [0, true, true], whole.err)
})

test('what is no roster, list, key or log says so, with its line', async () => {
  writeFileSync(at('wrong.csv'), 'code\n7571011001001\n75710110\n')
  writeFileSync(at('wrong.list'), 'hash,status\nabc,held\n')
  cpSync(at('log'), at('changed'), { recursive: true })
  const bundle = join(at('changed'), 'tile/entries/000')
  writeFileSync(bundle, readFileSync(bundle).map((byte, place) => (place === 60 ? byte ^ 1 : byte)))
  const given = { log: at('log'), key, roster: at('roster.csv') }
  for (const [options, exit, said] of [
    [{ log: at('log') }, 2, /--roster/], [{ ...given, roster: at('wrong.csv') }, 3, /row 3: 75710110 is no code/], [{ ...given, roster: at('none.csv') }, 3, /none\.csv cannot be read/],
    [{ ...given, receiver: at('wrong.list') }, 3, /wrong\.list, line 2: hash is no SHA-256/], [{ ...given, log: at('kotak') }, 4, /is not one that .* signed \(origin_other/], [{ ...given, log: at('changed') }, 4, /their root is another/], [{ ...given, contests: 'pilkades' }, 2, /not pilkades/],
  ] as const) await assert.rejects(verifyRecaps(options), (error) => error instanceof CommandFailure && error.exit === exit && said.test(error.message), said.source)
})
