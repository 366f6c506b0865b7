import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { seeded } from '../kernel/random.ts'
import { enrolmentClaim, formatLetterCode, letterCodeOf, letterVerifier, readLetterCode } from './letter.ts'

const sha256 = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest()
const random = seeded(7)
const made = Array.from({ length: 300 }, () => letterCodeOf(Uint8Array.from({ length: 10 }, () => Math.floor(random() * 256))))
const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'

test('80 bits become 16 symbols that mean the same number, and its rest modulo 37', () => {
  for (let round = 0; round < 300; round++) {
    const bytes = Uint8Array.from({ length: 10 }, () => Math.floor(random() * 256))
    const number = BigInt(`0x${Buffer.from(bytes).toString('hex')}`)
    const code = letterCodeOf(bytes)
    assert.equal([...code.slice(0, 16)].reduce((sum, symbol) => sum * 32n + BigInt(alphabet.indexOf(symbol)), 0n), number)
    assert.equal(`${alphabet}*~$=U`.indexOf(code[16] ?? ''), Number(number % 37n))
  }
  assert.equal(letterCodeOf(new Uint8Array(10)), '00000000000000000')
  assert.throws(() => letterCodeOf(new Uint8Array(9)), /not 9/)
})

test('a code is read as people write it', () => {
  for (const code of made) {
    const printed = formatLetterCode(code)
    assert.match(printed, /^.{4}-.{4}-.{4}-.{4}-.$/)
    const sloppy = ` ${printed.toLowerCase().replaceAll('-', ' - ').replaceAll('0', 'o').replaceAll('1', random() < 0.5 ? 'l' : 'I')}\n`
    for (const text of [code, printed, sloppy]) assert.deepEqual(readLetterCode(text), { ok: true, value: code })
  }
})

test('one symbol mistaken, two swapped: told from a wrong length or a strange sign', () => {
  for (const code of made) {
    const at = Math.floor(random() * 16)
    const other = alphabet[(alphabet.indexOf(code[at] ?? '') + 1 + Math.floor(random() * 31)) % 32] ?? ''
    assert.deepEqual(readLetterCode(code.slice(0, at) + other + code.slice(at + 1)), { ok: false, error: 'code_check' })
    const next = Math.floor(random() * 15)
    const swapped = code.slice(0, next) + code[next + 1] + code[next] + code.slice(next + 2)
    if (swapped !== code) assert.deepEqual(readLetterCode(swapped), { ok: false, error: 'code_check' })
    for (const text of [code.slice(1), `${code}0`, `*${code.slice(1)}`, `U${code.slice(1)}`, `${code.slice(0, 3)}%${code.slice(4)}`, ''])
      assert.deepEqual(readLetterCode(text), { ok: false, error: 'code_form' })
  }
})

test('a verifier tells a wrong code or station, and every check symbol is used', async () => {
  const verifier = await letterVerifier('7501011001001', made[0] ?? '', sha256)
  assert.equal(verifier, createHash('sha256').update(`kawal-code 7501011001001 ${made[0]}`).digest('hex').slice(0, 6))
  assert.notEqual(verifier, await letterVerifier('7501011001001', made[1] ?? '', sha256))
  assert.notEqual(verifier, await letterVerifier('7501011001002', made[0] ?? '', (bytes) => Promise.resolve(sha256(bytes))))
  assert.equal(new Set(made.map((code) => code[16])).size, 37)
  assert.equal(Buffer.from(enrolmentClaim('7501011001001', made[0] ?? '')).toString(), `kawal-enrol 7501011001001 ${made[0]}`)
})
