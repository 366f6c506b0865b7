import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sha256 } from '@kawal/testkit/ed25519.ts'
import { compareActs, type AuditCopy } from './compare.ts'
import { factsOf, publicOf } from './deed.ts'
import { actEntry, actRowBytes, commitmentOf, openEntry, outcomeEntry, outcomeRowBytes, readActEntry, writeActEntry, writeOpened, type ActEntry, type ActRow } from './entry.ts'

const at = Date.UTC(2029, 1, 14, 2)
const salt = (nth: number): Uint8Array => sha256(Uint8Array.of(nth))
const row: ActRow = {
  id: 7, at, organisation: 'telkomsel', role: 'noc', staff: '42220a90-ad7d-4d5c-a7e4-4045a44adc64', name: 'Budi Santoso', key: null, contact: null, address: '10.0.0.9', method: 'POST', path: '/v1/planned-work', subject: null,
  reason: 'atas permintaan Budi', request: 'req-1', facts: { operator: 'telkomsel', areas: ['750101'], uplink: 2.5, working: true, left: null },
}

test('an entry is read as it was written; other bytes are none', () => {
  const entry = actEntry(row, salt(1), sha256)
  assert.deepEqual(readActEntry(writeActEntry(entry)), { ok: true, value: entry })
  const came = outcomeEntry({ id: 7, at, status: 201, made: '12' }, { ...row, entry: 3 }, salt(2), sha256)
  assert.deepEqual(readActEntry(writeActEntry(came)), { ok: true, value: came })
  assert.deepEqual([came.kind === 'outcome' && came.made, came.kind === 'outcome' && came.act], ['12', 3])
  for (const bytes of [new Uint8Array(), Uint8Array.of(0x80), Uint8Array.of(0x81, 0x0b), Uint8Array.of(0x82, 0x01, 0x40), writeActEntry(entry).subarray(1), Uint8Array.of(...writeActEntry(entry), 0)]) assert.equal(readActEntry(bytes).ok, false)
})

test('nobody tells from an entry who it was: the salt hides what could be guessed, and binds all of the row', () => {
  const hash = (change: Partial<ActRow>, nth = 1): string => Buffer.from(commitmentOf(salt(nth), actRowBytes({ ...row, ...change }), sha256)).toString('hex')
  assert.notEqual(hash({}, 1), hash({}, 2))
  const hashes = new Set([hash({}), ...Object.keys(row).map((name) => hash({ [name]: typeof row[name as keyof ActRow] === 'number' ? 8 : name === 'facts' ? { a: 1 } : 'x' }))])
  assert.equal(hashes.size, 1 + Object.keys(row).length, 'each column counts')
  assert.equal(hash({ request: '' }), hash({ request: null }), 'as a spreadsheet file has it')
  assert.equal(hash({ name: '=1+1' }), hash({ name: "'=1+1" }))
})

test('what everybody may know of an address, of a command and of a body', () => {
  const of = (method: string, path: string, subject: string | null = null): unknown[] => Object.values(publicOf({ method, path, subject }))
  assert.deepEqual(of('DELETE', '/v1/contacts/6b5990da', '6b5990da'), ['removeContact', '/v1/contacts/:id', null])
  assert.deepEqual(of('DELETE', '/v1/planned-work/12', '12'), ['withdrawWork', '/v1/planned-work/:id', '12'])
  assert.deepEqual(of('PATCH', '/tmf-api/troubleTicket/v5/troubleTicket/TT-1', 'Budi Santoso'), ['changeTicket', '/tmf-api/troubleTicket/:version/troubleTicket/:id', null])
  assert.deepEqual(of('POST', '/v1/budi-santoso', 'budi'), ['other', null, null])
  assert.deepEqual(of('CLI', 'org link komdigi --name Budi Santoso'), ['makeLogInLink', 'org link komdigi', 'komdigi'])
  assert.deepEqual(of('CLI', 'org link komdigi --name Budi --person 42'), ['makeLogInLink', 'org link komdigi', 'komdigi'])
  assert.deepEqual(of('CLI', 'org key telkomsel --scope read'), ['makeKey', 'org key telkomsel --scope read', 'telkomsel'])
  assert.deepEqual(of('CLI', 'import register budi/pemilu --date 2029-01-01'), ['importData', 'import register --date 2029-01-01', null])
  assert.deepEqual(of('CLI', 'plan --date 2029-01-01 --config budi/plan.json'), ['makePlan', 'plan --date 2029-01-01', null])
  assert.deepEqual(of('CLI', 'device revoke 0b5c6a1e --reason dicuri Budi'), ['revokeDevice', 'device revoke 0b5c6a1e', '0b5c6a1e'])
  assert.deepEqual(of('MAIL', 'reply', 'TT-1'), ['answerByMail', 'reply', 'TT-1'])
  assert.deepEqual(factsOf('POST', '/v1/contacts', { name: 'Budi', level: 2 }), { level: 2 })
  assert.deepEqual(factsOf('POST', '/v1/planned-work', { title: 'x', reason: 'Budi', from: '2029-02-14T02:00:00+07:00', to: 'nama Budi', areas: ['75', 'nama Budi'] }), { from: '2029-02-14T02:00:00+07:00', areas: ['75'] })
  assert.deepEqual(factsOf('POST', '/v1/planned-work', 'from,to\na,b\n\nc,d\n'), { lines: 3 })
  assert.deepEqual(factsOf('PATCH', '/tmf-api/troubleTicket/v5/troubleTicket/1', { status: 'cancelled', statusChangeReason: 'Budi', relatedParty: [{ partyOrPartyRole: { id: 'indosat', name: 'Budi' } }] }), { status: 'cancelled', relatedParty: ['indosat'] })
  assert.deepEqual(factsOf('POST', '/v1/siting/decisions', [{ station: '7501011001001', venue: 'a', decision: 'accepted', note: 'Budi' }]), { decisions: ['7501011001001:accepted'] })
  assert.equal(factsOf('POST', '/v1/session', { token: 'secret' }), null)
  const many = factsOf('POST', '/v1/announcements', { audience: Array.from({ length: 2_000 }, (_, nth) => `lembaga-${nth}`.padEnd(60, 'x')) })
  assert.ok(writeActEntry(actEntry({ ...row, facts: many }, salt(1), sha256)).length < 65_535)
})

test('a proof that is turned: another row, another story for everybody, another salt', () => {
  const entry = actEntry(row, salt(1), sha256)
  const opened = (told: ActEntry, bytes = actRowBytes(row), by = salt(1)): string => {
    const read = openEntry(writeOpened({ entry: writeActEntry(told), salt: by, row: bytes }), sha256)
    return read.ok ? read.value.kind : read.error
  }
  assert.equal(opened(entry), 'act')
  assert.equal(opened(entry, actRowBytes({ ...row, name: 'orang lain' })), 'commitment_other')
  assert.equal(opened(entry, actRowBytes(row), salt(2)), 'commitment_other')
  for (const change of [{ organisation: 'indosat' }, { deed: 'comment' }, { at: at + 1 }, { facts: null }, { id: 8 }, { subject: 'x' }, { path: null }] as const) assert.equal(opened({ ...entry, ...change } as ActEntry), 'entry_other', JSON.stringify(change))
  const outcome = { id: 7, at, status: 201, made: '12' }
  const came = outcomeEntry(outcome, { ...row, entry: 3 }, salt(2), sha256)
  assert.equal(opened(came, outcomeRowBytes(outcome), salt(2)), 'outcome')
  assert.equal(opened({ ...came, status: 403 } as ActEntry, outcomeRowBytes(outcome), salt(2)), 'entry_other')
  assert.equal(openEntry(Uint8Array.of(0x80), sha256).ok, false)
})

test('a copy of the audit against the log: each way in which they may differ', () => {
  const rows = [1, 2, 3].map((id): ActRow => ({ ...row, id, at: at + id * 120_000 }))
  const copies = rows.map((each): AuditCopy => ({ row: each, salt: salt(each.id), isPlaced: true, outcome: null }))
  const log = rows.map((each) => actEntry(each, salt(each.id), sha256))
  const within = { from: -Infinity, to: Infinity, organisation: null, sha256 }
  const differing = (entries: readonly ActEntry[], given: readonly AuditCopy[], more: Partial<typeof within> = {}): string => compareActs(entries, given, { ...within, ...more }).differences.join('\n')
  assert.deepEqual(compareActs(log, copies, within), { differences: [], same: 3, waiting: 0 })
  assert.match(differing(log, copies.slice(1)), /^Entry 0, act 1 .* is in the log, and the audit has no row of it: it was taken out\.$/)
  assert.equal(differing(log, copies.slice(1), { from: at + 240_000 }), '', 'what was not asked for is not missed')
  assert.match(differing(log.slice(1), copies), /^Act 1 .* is in the audit, and the log has no entry of it: it was put in behind the log\.$/)
  const late: AuditCopy = { ...(copies[2] as AuditCopy), row: { ...row, id: 4, at: at + 400_000 }, isPlaced: false }
  assert.deepEqual(compareActs(log, [...copies, late], within), { differences: [], same: 3, waiting: 1 })
  assert.match(differing(log, [...copies.slice(0, 2), { ...(copies[2] as AuditCopy), row: { ...(rows[2] as ActRow), reason: 'lain' } }]), /^Act 3 .* is not the one of entry 2 .*: the row was rewritten\.$/)
  assert.match(differing([...log.slice(0, 2), { ...log[2], organisation: 'indosat' } as ActEntry], copies), /^Entry 2 .* tells everybody something else than act 3/)
  assert.match(differing([...log, log[0] as ActEntry], copies), /^Act 1 is in the log twice: entries 0 and 3\./)
  assert.match(differing([log[2], log[0], log[1]] as ActEntry[], copies), /it was dated back, or a clock was/)
})
