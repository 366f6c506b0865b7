import assert from 'node:assert/strict'
import { test } from 'node:test'
import { writeEntry } from './entry.ts'
import { recapPhone } from '@kawal/testkit/recap-phone.ts'
import { sha256, soundTotals } from '@kawal/testkit/recaps.ts'
import { createCompleteness, type Gap } from './completeness.ts'
import { hexOf } from './bytes.ts'
import { writePhotos } from './photo.ts'

const stations = ['7571011001001', '7571011001002', '7571011001003']
const [first = '', second = '', third = ''] = stations
const at = Date.UTC(2029, 1, 14, 9)
const deviceOf = (nth: number): Uint8Array => sha256(Uint8Array.of(nth)).slice(0, 16)
const nameOf = (bytes: Uint8Array): string => hexOf(sha256(bytes))

/** A day in small: whoever signs is enrolled unless he is a stranger, and each test says where records got to. */
async function day(hasPhotos = false) {
  const report = createCompleteness({ sha256, hasPhotos, stations, contests: { ppwp: { ceiling: 300 } } })
  let [index, devices] = [0, 0]
  const log = (entry: Parameters<typeof writeEntry>[0]): void => report.entry(index++, writeEntry(entry))
  return {
    report,
    async phone(station: string, isEnrolled = true, kind: 'enrolment' | 'supervision' = 'enrolment') {
      const phone = await recapPhone(station, 'EdDSA')
      const device = deviceOf(devices++)
      if (isEnrolled) log({ kind, device, station, publicKey: phone.publicKey, at })
      return { ...phone, device, revoke: () => log({ kind: 'revocation', device, at, reason: 'hilang' }) }
    },
    receiver: (bytes: Uint8Array, more: Partial<Parameters<typeof report.received>[0]> = {}): void => report.received({ hash: sha256(bytes), sha256: sha256(bytes), status: 'held', station: null, contest: null, ...more }),
    log: (bytes: Uint8Array): void => log({ kind: 'recap', envelope: bytes }),
    answer: (bytes: Uint8Array): void => log({ kind: 'delivery', recap: sha256(bytes), status: 201, answer: sha256(bytes), at }),
    box: (bytes: Uint8Array): void => report.custody('kotak', writeEntry({ kind: 'recap', envelope: bytes })),
    gaps: (): Gap[] => [...report.gaps()],
  }
}
const short = (gaps: readonly Gap[]) => gaps.map(({ kind, station, sequence, until, detail }) => [kind, station, sequence, until, detail])
const names = (gaps: readonly Gap[]) => gaps.map(({ kind, hash, mend }) => [kind, hash, mend])

test('where everything arrived nothing lacks, and of what never was made the slots are due', async () => {
  const it = await day()
  const [one, two] = [await it.phone(first), await it.phone(second)]
  const records = [await one.record(), await two.record(), await one.record({ totals: soundTotals.map((each) => each) })]
  for (const record of records) it.receiver(record)
  for (const record of records) it.log(record)
  for (const record of records) it.answer(record)
  assert.deepEqual(it.gaps().map(({ kind, station, contest, mend }) => [kind, station, contest, mend]), [['empty', third, 'ppwp', 'officer']])
  assert.equal(it.report.due, 3)
  assert.deepEqual([it.report.counts.records, it.report.counts.enrolments, it.report.counts.deliveries, it.report.counts.received], [3, 2, 3, 3])
  assert.deepEqual(it.gaps().length, 1, 'the same when it is asked again')
})

test('each place where a record may end has its line, and of one record there is one', async () => {
  const it = await day()
  const phones = [await it.phone(first), await it.phone(second), await it.phone(third)] as const
  const make = async (nth: 0 | 1 | 2): Promise<Buffer> => phones[nth].record()
  const [fine, lost, altered, unlogged, queued, unanswered] = [await make(0), await make(0), await make(0), await make(0), await make(0), await make(0)]
  const [boxed, alone, carried, after] = [await make(1), await make(1), await make(1), await make(1)]
  for (const record of [fine, unanswered, after, unlogged, boxed]) it.receiver(record)
  it.receiver(altered, { sha256: sha256(Uint8Array.of(1)) })
  it.receiver(queued, { status: 'antre' })
  for (const record of [fine, lost, altered, queued, unanswered, after]) it.log(record)
  for (const record of [fine, lost, altered, after, alone]) it.answer(record)
  const held = await make(2)
  for (const record of [boxed, held]) it.box(record)
  it.report.shown('berkas.cose', carried)
  assert.deepEqual(names(it.gaps()).sort(), [
    ['altered', nameOf(altered), 'receiver'], ['answer_alone', nameOf(alone), 'platform'], ['custody', nameOf(held), 'box'], ['lost', nameOf(lost), 'receiver'], ['shown', nameOf(carried), 'carrier'],
    ['undelivered', nameOf(queued), 'receiver'], ['unanswered', nameOf(unanswered), 'platform'], ['unlogged', nameOf(boxed), 'inquiry'], ['unlogged', nameOf(unlogged), 'inquiry'],
  ].sort(), 'a box that has it explains the number, and the slot that would be empty')
  assert.deepEqual(it.gaps().filter(({ kind }) => kind === 'custody' || kind === 'shown' || kind === 'undelivered').map(({ detail }) => detail), ['antre', 'berkas.cose', 'kotak'])
})

test('without the receiver’s list its answers in the log are taken for it', async () => {
  const it = await day()
  const phone = await it.phone(first)
  const [answered, waiting] = [await phone.record(), await phone.record()]
  it.log(answered)
  it.log(waiting)
  it.answer(answered)
  assert.deepEqual(names(it.gaps()).filter(([kind]) => kind !== 'empty'), [['undelivered', nameOf(waiting), 'receiver']])
})

test('a device’s numbers prove what nobody has: several in one line, by the hash that the next one names', async () => {
  const it = await day()
  const phone = await it.phone(first)
  const all: Buffer[] = []
  for (let nth = 0; nth < 9; nth++) all.push(await phone.record())
  const put = (numbers: readonly number[], where: (bytes: Buffer) => void): void => { for (const number of numbers) where(all[number - 1] as Buffer) }
  put([1, 5, 8, 9], it.receiver)
  put([1, 5, 8, 9], it.log)
  put([1, 5, 8, 9], it.answer)
  put([7], it.box)
  const gaps = it.gaps().filter(({ kind }) => kind !== 'empty')
  assert.deepEqual(short(gaps), [['custody', first, 7, null, 'kotak'], ['missing', first, 2, 4, nameOf(all[4] as Buffer)], ['missing', first, 6, 6, nameOf(all[6] as Buffer)]])
  assert.deepEqual(gaps.map(({ hash }) => hash), [nameOf(all[6] as Buffer), nameOf(all[3] as Buffer), nameOf(all[5] as Buffer)])
  it.report.shown('dari HP', all[3] as Buffer)
  assert.deepEqual(short(it.gaps()).slice(0, 3), [['shown', first, 4, null, 'dari HP'], ['custody', first, 7, null, 'kotak'], ['missing', first, 2, 3, nameOf(all[3] as Buffer)]])
})

test('a copied phone is told where it parts, once; a lost side of it, and a record that does not follow, are told too', async () => {
  const it = await day()
  const phone = await it.phone(first)
  const [one, two, three] = [await phone.record(), await phone.record(), await phone.record()]
  const copy = { previous: sha256(one), sequence: 2 }
  const other = await phone.record(copy)
  const after = await phone.record({ previous: sha256(other), sequence: 3 })
  const unseen = await phone.record(copy)
  const behind = await phone.record({ previous: sha256(unseen), sequence: 3 })
  const odd = await phone.record({ previous: sha256(one), sequence: 9 })
  for (const record of [one, two, three, other, after, behind, odd]) it.log(record)
  for (const record of [one, two, three, other, after, behind, odd]) it.answer(record)
  assert.deepEqual(it.gaps().filter(({ kind }) => kind !== 'empty').map(({ kind, sequence, until, hash }) => [kind, sequence, until, hash]), [
    ['branch', 2, null, nameOf(two)], ['missing', 2, 2, nameOf(unseen)], ['chain', 9, null, nameOf(odd)],
  ])
  assert.equal(short(it.gaps()).find(([kind]) => kind === 'branch')?.[4], nameOf(other))
})

test('a side of a copy that nobody has is missed though its number is known', async () => {
  const it = await day()
  const phone = await it.phone(first)
  const [one, two] = [await phone.record(), await phone.record()]
  const unseen = await phone.record({ previous: sha256(one), sequence: 2 })
  for (const record of [one, two, await phone.record({ previous: sha256(unseen), sequence: 3 })]) {
    it.log(record)
    it.answer(record)
  }
  assert.deepEqual(it.gaps().filter(({ kind }) => kind !== 'empty').map(({ kind, sequence, until, hash }) => [kind, sequence, until, hash]), [['missing', 2, 2, nameOf(unseen)]])
})

test('what a correction corrects is missed though no number tells of it', async () => {
  const it = await day()
  const [phone, other] = [await it.phone(first), await it.phone(first)]
  const wrong = await phone.record()
  const right = await other.record({ replaces: sha256(wrong) })
  it.log(right)
  it.answer(right)
  assert.deepEqual(it.gaps().filter(({ kind }) => kind !== 'empty').map(({ kind, hash, detail, contest }) => [kind, hash, detail, contest]), [['missing', nameOf(wrong), nameOf(right), 'ppwp']])
})

test('what does not count says why, by what the log itself enrolled and revoked', async () => {
  const it = await day()
  const [phone, stranger, revoked, late] = [await it.phone(first), await it.phone(first, false), await it.phone(second), await it.phone(second)]
  const before = await revoked.record()
  it.log(before)
  it.answer(before)
  revoked.revoke()
  const made = [await stranger.record(), await revoked.record(), await phone.record({ station: second }), await phone.record({ station: '9999999999001' }), await phone.record({ contest: 'dpd' }), await phone.record({ totals: soundTotals.map(() => 900) })]
  for (const record of made) it.log(record)
  const unreadable = sha256(Uint8Array.of(9))
  it.log(unreadable)
  const after = await late.record()
  late.revoke()
  it.log(after)
  it.answer(after)
  assert.deepEqual(it.gaps().filter(({ kind }) => kind !== 'empty').map(({ kind, detail, mend }) => [kind, detail, mend]), [
    ['quarantine', 'key_unknown', 'enrol'], ['quarantine', 'key_revoked', 'other_phone'], ['quarantine', 'key_elsewhere', 'enrol'], ['quarantine', 'station_unknown', 'register'],
    ['quarantine', 'contest_unknown', 'configure'], ['quarantine', 'totals_impossible', 'paper'], ['quarantine', 'record_unreadable', 'update'], ['uncountable', 'key_revoked', 'inquiry'],
  ])
})

test('photos that are listed and not held, and lists that nobody shows, of what nothing corrected', async () => {
  const it = await day(true)
  const phone = await it.phone(first)
  const [here, away] = [sha256(Uint8Array.of(1)), sha256(Uint8Array.of(2))]
  it.report.photo(here)
  const list = (...hashes: Uint8Array[]) => writePhotos(hashes.map((hash, nth) => ({ page: nth + 1, shot: 1, kind: 'preview' as const, size_bytes: 10, sha256: hash })))
  const [whole, half, unseen, empty] = [list(here), list(here, away), list(away), list()]
  for (const each of [whole, half]) assert.equal(it.report.photoList(each), true)
  assert.equal(it.report.photoList(Uint8Array.of(1)), false)
  const corrected = await phone.record({ photos: sha256(half) })
  const records = [corrected, await phone.record({ photos: sha256(whole), replaces: sha256(corrected) }), await phone.record({ photos: sha256(half) }), await phone.record({ photos: sha256(unseen) }), await phone.record({ photos: sha256(empty) })]
  for (const record of records) it.log(record)
  for (const record of records) it.answer(record)
  assert.deepEqual(it.gaps().filter(({ kind }) => kind !== 'empty').map(({ kind, sequence, detail }) => [kind, sequence, detail]), [['photos', 3, '1'], ['photos', 4, 'list']])
})

test('a supervisor’s copy fills no slot that is due, waits for no receiver, and is wrong where one has it', async () => {
  const it = await day()
  const [officer, supervisor, alone] = [await it.phone(first), await it.phone(first, true, 'supervision'), await it.phone(second, true, 'supervision')]
  const [record, copy, other, taken] = [await officer.record(), await supervisor.record(), await alone.record(), await supervisor.record()]
  for (const each of [record, taken]) it.receiver(each)
  for (const each of [record, copy, other, taken]) it.log(each)
  it.answer(record)
  assert.deepEqual(it.gaps().map(({ kind, station, detail }) => [kind, station, detail]), [['uncountable', first, 'supervisor'], ['empty', second, 'supervisor'], ['empty', third, null]])
})
