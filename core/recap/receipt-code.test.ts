import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { readReceiptCode, receiptCode } from './receipt-code.ts'
import { sha256 } from '@kawal/testkit/recaps.ts'

const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const runs = { numRuns: 300, seed: 20290214 }
const hashes = fc.uint8Array({ minLength: 32, maxLength: 32 })

test('the code is the first 45 bits of the hash and a check symbol, five and five', () => {
  fc.assert(fc.property(hashes, (hash) => {
    const code = receiptCode(hash)
    assert.match(code, /^[0-9A-HJKMNP-TV-Z]{5}-[0-9A-HJKMNP-TV-Z]{5}$/)
    const number = [...code.replace('-', '').slice(0, 9)].reduce((sum, symbol) => sum * 32n + BigInt(alphabet.indexOf(symbol)), 0n)
    assert.equal(number, BigInt(`0x${Buffer.from(hash.subarray(0, 6)).toString('hex')}`) >> 3n)
  }), runs)
  assert.throws(() => receiptCode(new Uint8Array(5)), RangeError)
})

test('it is read as people write it', () => {
  fc.assert(fc.property(hashes, fc.nat(2), (hash, style) => {
    const code = receiptCode(hash)
    const sloppy = ` ${code.toLowerCase().replaceAll('0', 'o').replaceAll('1', style === 0 ? 'l' : 'i').replace('-', [' ', '', ' \u2013 '][style] ?? '')}\n`
    for (const text of [code, sloppy, code.replace('-', '').toLowerCase()]) assert.deepEqual(readReceiptCode(text), { ok: true, value: code })
  }), runs)
})

test('any one wrong symbol and any two swapped ones are seen', () => {
  for (let round = 0; round < 40; round++) {
    const code = receiptCode(sha256(Uint8Array.of(round))).replace('-', '')
    for (let at = 0; at < 10; at++) {
      for (const symbol of alphabet) if (symbol !== code[at]) assert.deepEqual(readReceiptCode(code.slice(0, at) + symbol + code.slice(at + 1)), { ok: false, error: 'code_check' })
      for (let other = at + 1; other < 10; other++) {
        const symbols = [...code]
        ;[symbols[at], symbols[other]] = [symbols[other] ?? '', symbols[at] ?? '']
        if (code[at] !== code[other]) assert.deepEqual(readReceiptCode(symbols.join('')), { ok: false, error: 'code_check' })
      }
    }
  }
})

test('what is no code is told from a wrong one', () => {
  const code = receiptCode(sha256(Uint8Array.of(1)))
  for (const text of ['', code.slice(1), `${code}0`, code.replace(/.$/, 'U'), code.replace(/^./, '*'), code.replace(/^./, '\u0131'), '0'.repeat(1_000), ' '.repeat(50) + code]) assert.deepEqual(readReceiptCode(text), { ok: false, error: 'code_form' })
  fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => void readReceiptCode(text)), runs)
})
