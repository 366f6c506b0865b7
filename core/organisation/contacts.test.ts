import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { checkContact, completeness } from './contacts.ts'

const given = (more: object = {}) => checkContact({ name: 'Piket NOC', level: 1, email: 'noc@isp.example', phone: '+628110000001', ...more })
const wrongOf = (more: object): string => {
  const checked = given(more)
  return checked.ok ? 'nothing' : `${checked.error.field}: ${checked.error.wrong}; ${checked.error.mend}`
}
const phoneOf = (phone: string): string | null | undefined => {
  const checked = given({ phone })
  return checked.ok ? checked.value.phone : undefined
}

test('a contact is kept trimmed, Indonesian where nothing is said, with e-mail or phone', () => {
  assert.deepEqual(given({ name: '  Piket \t NOC ', email: ' noc@isp.example ' }), { ok: true, value: { name: 'Piket NOC', level: 1, email: 'noc@isp.example', phone: '+628110000001', language: 'id' } })
  assert.deepEqual(given({ email: '', phone: '0811 0000 001', language: 'en' }), { ok: true, value: { name: 'Piket NOC', level: 1, email: null, phone: '+628110000001', language: 'en' } })
  assert.deepEqual(given({ phone: null }), { ok: true, value: { name: 'Piket NOC', level: 1, email: 'noc@isp.example', phone: null, language: 'id' } })
  assert.match(wrongOf({ email: ' ', phone: null }), /^phone: there is neither an e-mail nor a phone; give one/)
})

test('names and levels that cannot be', () => {
  for (const [name, pattern] of [['', /no name/], [' \t', /no name/], ['a\0b', /cannot be read/], ['a\ud800', /cannot be read/], ['a\u202eb', /cannot be read/], ['Pi\ufffdket', /CSV UTF-8/], ['x'.repeat(101), /more than 100/]] as const) assert.match(wrongOf({ name }), pattern, JSON.stringify(name))
  assert.equal(wrongOf({ name: '😀'.repeat(100) }), 'nothing')
  assert.equal(wrongOf({ name: 'x'.repeat(100) }), 'nothing')
  for (const level of [0, 6, -1, 1.5, Number.NaN, Infinity]) assert.match(wrongOf({ level }), /^level: .*1 to 5/, String(level))
  for (const level of [1, 5]) assert.equal(wrongOf({ level }), 'nothing')
})

test('e-mail addresses: one, plain, of at most 254 characters', () => {
  const long = `${'x'.repeat(254 - '@isp.example'.length)}@isp.example`
  for (const email of ['noc@isp.example', 'n.o-c+duty@isp.co.id', "o'noc@isp.example", long]) assert.equal(wrongOf({ email }), 'nothing', email)
  for (const email of ['noc', 'noc@', '@isp.example', 'noc@isp', 'noc@isp.', 'noc@.isp', 'noc@isp..id', 'a@b@isp.example', 'a@b.id@isp.example', 'a@b.id,c@d.id', 'a b@isp.example', 'a\u00a0b@isp.example', 'noc@isp.example\r\nBcc: x', 'noc\0@isp.example', 'NOC <noc@isp.example>', 'noc@isp.example;', 'n\u200boc@isp.example', 'noc@\ud800.id', `x${long}`])
    assert.match(wrongOf({ email }), /^email: /, email)
})

test('phones: E.164, the national form turned into it, and a word on what spreadsheets do to them', () => {
  for (const [phone, kept] of [['08110000001', '+628110000001'], ['0811-0000-001', '+628110000001'], ['+62 811 0000 001', '+628110000001'], ['(021) 5550100', '+62215550100'], ['+6561234567', '+6561234567'], ['', null], ['  ', null]] as const) assert.equal(phoneOf(phone), kept, phone)
  for (const phone of ['8110000001', '628110000001', '+6208110000001', '62 0811 0000 001']) assert.match(wrongOf({ phone }), /^phone: .*write \+628110000001: a spreadsheet/, phone)
  for (const phone of ['12', '0812', '+1', '+0811000000', '00628110000001', '8.11E+09', 'call us', '+62811000000123456', '0811000000a', '+62811\u0000000001', '０８１１０００００１'])
    assert.equal(phoneOf(phone), undefined, phone)
  assert.match(wrongOf({ phone: '8.11E+09' }), /write it as 08/)
})

test('what is taken is taken again as it is, and is what the database takes', () => {
  const text = fc.oneof(fc.string({ unit: 'binary', maxLength: 300 }), fc.constantFrom('Piket NOC', 'noc@isp.example', '08110000001', '+628110000001', ' '))
  fc.assert(fc.property(text, text, text, fc.oneof(fc.integer({ min: -1, max: 7 }), fc.double()), (name, email, phone, level) => {
    const checked = checkContact({ name, email, phone, level })
    if (!checked.ok) return assert.ok(checked.error.wrong.isWellFormed() && checked.error.mend !== '')
    assert.deepEqual(checkContact(checked.value), checked)
    assert.ok(checked.value.phone === null || /^\+[1-9][0-9]{7,14}$/.test(checked.value.phone))
    assert.ok(checked.value.name.isWellFormed() && !checked.value.name.includes('\0') && [...checked.value.name].length <= 100)
  }), { seed: 1, numRuns: 2_000 })
})

test('completeness: what the contacts of each organisation lack', () => {
  const contact = (organisation: string, name: string, level: number, phone: string | null = '+628110000001') => ({ organisation, name, level, phone })
  const organisations = ['whole', 'none', 'late', 'alone', 'silent', 'poor'].map((id) => ({ id }))
  const found = completeness(organisations, [
    contact('whole', 'Piket NOC', 1, null), contact('whole', 'Kepala NOC', 2), contact('late', 'Piket NOC', 2), contact('late', 'Kepala NOC', 3), contact('alone', 'Piket NOC', 1), contact('alone', 'piket noc', 2),
    contact('silent', 'Piket NOC', 1, null), contact('silent', 'Kepala NOC', 1, null), contact('poor', 'Piket NOC', 3, null), contact('stranger', 'Piket NOC', 1),
  ])
  assert.deepEqual(found.map(({ organisation, contacts, lacks }) => [organisation.id, contacts, lacks]), [
    ['whole', 2, []], ['none', 0, ['no_contact']], ['late', 2, ['no_first_level']], ['alone', 2, ['one_person_only']], ['silent', 2, ['no_phone']], ['poor', 1, ['no_first_level', 'one_person_only', 'no_phone']]])
})
