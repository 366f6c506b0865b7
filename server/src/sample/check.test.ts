import assert from 'node:assert/strict'
import { test } from 'node:test'
import { writeEntry, type AuditorEntry, type DrawEntry } from '@kawal/core/recap/entry.ts'
import { drawFrom, rosterHash } from '@kawal/core/recap/draw.ts'
import { placesToRead, signFinding, type Finding } from '@kawal/core/recap/finding.ts'
import { auditorKey } from '@kawal/testkit/auditor.ts'
import { mustForm, pairs, presidential, soundTotals } from '@kawal/testkit/recaps.ts'
import { sha256 } from '../ledger/cryptography.ts'
import { checkDraws, checkFindings, outcomeOf, type Sampled, type SlotRecord } from './check.ts'

const roster = Array.from({ length: 30 }, (_, at) => `7501012001${String(at + 1).padStart(3, '0')}`)
const hash = (text: string): Uint8Array => sha256(Buffer.from(text))
const [key, other] = await Promise.all([auditorKey(), auditorKey()])
const draw: DrawEntry = { kind: 'draw', seed: '20237331128159211123', occasion: '', roster: rosterHash(roster, sha256), size: 10, root: hash('ten'), contests: ['ppwp'], strata: [{ area: '', draw: 3 }], organisation: 'bawaslu', by: '', at: 0 }
const idOf = (entry: DrawEntry): string => Buffer.from(sha256(writeEntry(entry))).toString('hex')
const drawn = drawFrom(draw.seed, roster, draw.strata, sha256).map(({ station }) => station)
const [first = '', second = ''] = drawn
const undrawn = roster.find((code) => !drawn.includes(code)) ?? ''
const auditor = (isEnrolled: boolean, index: number): Sampled['auditors'][number] => ({ index, auditor: { kind: 'auditor', publicKey: Buffer.from(key.publicKey, 'base64url'), isEnrolled, organisation: 'bawaslu', by: '', at: 0 } satisfies AuditorEntry })
const record: SlotRecord = { index: 4, hash: Buffer.from(hash('record')).toString('hex'), recap: { ...presidential, station: first } }
const records = (station: string): readonly SlotRecord[] => (station === first ? [record, { ...record, index: 12, hash: Buffer.from(hash('later')).toString('hex') }] : [])
const finding: Finding = { draw: Buffer.from(idOf(draw), 'hex'), station: first, contest: 'ppwp', record: hash('record'), result: 'agrees', readings: placesToRead(mustForm('ppwp', pairs)).map((place) => [place, soundTotals[place] ?? null] as const), remark: '', at: 0 }

test('a draw that names what the log or the roster is not is wrong; one after another over the same is told', () => {
  const at = (index: number, change: Partial<DrawEntry> = {}) => ({ index, id: idOf({ ...draw, ...change }), draw: { ...draw, ...change } })
  const check = (draws: Sampled['draws'], rosters: readonly (readonly string[])[] = [roster]) => checkDraws({ draws }, rosters, (size) => (size === 10 ? hash('ten') : null))
  assert.deepEqual(check([at(11)]).map(({ problems, stations }) => [problems, stations]), [[[], drawn]])
  assert.deepEqual(check([at(9)])[0]?.problems, ['size_beyond'])
  assert.deepEqual(check([at(11, { root: hash('other') })])[0]?.problems, ['root_other'])
  assert.deepEqual(check([at(11)], [roster.slice(1)]).map(({ problems, stations }) => [problems, stations]), [[['roster_other'], null]])
  assert.deepEqual(check([at(11)], [roster.slice(1), roster])[0]?.problems, [])
  assert.deepEqual(check([at(11), at(12, { contests: ['dpd'] }), at(13, { seed: '99999999991234567890' })]).map(({ after }) => after), [[], [], [11]])
})

test('a finding counts by its key, its draw, its record and its numbers; each that is wrong is named', async () => {
  const draws = checkDraws({ draws: [{ index: 11, id: idOf(draw), draw }] }, [roster], () => hash('ten'))
  const problemOf = async (change: Partial<Finding> = {}, { by = key.signer, auditors = [auditor(true, 12)], index = 20 } = {}): Promise<string | null> =>
    (await checkFindings({ findings: [{ index, envelope: await signFinding({ ...finding, ...change }, by) }], auditors }, draws, records))[0]?.problem ?? null
  assert.equal(await problemOf(), null)
  assert.equal(await problemOf({ station: second, record: null, result: 'no_record', readings: [] }), null)
  assert.deepEqual([await problemOf({}, { auditors: [] }), await problemOf({}, { auditors: [auditor(true, 21)] }), await problemOf({}, { by: other.signer })], ['key_unknown', 'key_unknown', 'key_unknown'])
  assert.equal(await problemOf({}, { by: { ...other.signer, kid: key.signer.kid } }), 'signature_wrong')
  assert.deepEqual([await problemOf({}, { auditors: [auditor(true, 12), auditor(false, 19)] }), await problemOf({}, { auditors: [auditor(true, 12), auditor(false, 21)] })], ['key_withdrawn', null])
  assert.deepEqual([await problemOf({ draw: hash('none') }), await problemOf({}, { index: 11, auditors: [auditor(true, 3)] })], ['draw_unknown', 'draw_unknown'])
  assert.equal(await problemOf({ station: undrawn }), 'station_not_drawn')
  assert.equal(await problemOf({ contest: 'dpd' }), 'contest_other')
  assert.deepEqual([await problemOf({ record: hash('later') }), await problemOf({ record: hash('none') })], ['record_other', 'record_other'])
  assert.equal(await problemOf({ record: null, result: 'no_record', readings: [] }), 'record_there')
  assert.equal(await problemOf({ result: 'differs' }), 'result_other')
  assert.equal(await problemOf({ readings: finding.readings.slice(1) }), 'readings_few')
  assert.equal((await checkFindings({ findings: [{ index: 20, envelope: Buffer.from('x') }], auditors: [auditor(true, 12)] }, draws, records))[0]?.problem, 'finding_unreadable')
})

test('what is wrong does not count as compared', async () => {
  const draws = checkDraws({ draws: [{ index: 11, id: idOf(draw), draw }] }, [roster], () => hash('ten'))
  const findings = await checkFindings({ findings: [{ index: 20, envelope: await signFinding(finding, key.signer) }, { index: 21, envelope: await signFinding({ ...finding, station: second }, key.signer) }], auditors: [auditor(true, 12)] }, draws, records)
  assert.deepEqual(draws.map((each) => outcomeOf(each, findings)), [{ results: { agrees: 1 }, open: drawn.slice(1).map((station) => `${station} ppwp`) }])
})
