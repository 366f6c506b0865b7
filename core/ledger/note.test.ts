import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { noteKey, publicKeyOf, sha256, verifyEd25519 } from '@kawal/testkit/ed25519.ts'
import { formatSignerKey, formatVerifierKey, readSignerKey, readVerifierKey, verifierKey } from './key.ts'
import { formatNote, readNote, type NoteSignature } from './note.ts'
import { cosignText, signText, verifyNote } from './signature.ts'

const suite = join(import.meta.dirname, '../../../shared/suites/tlog/signed-note.json')
interface Vectors { readonly text: string; readonly verifiers: { readonly peter: string; readonly enoch: string }; readonly signatureLines: { readonly peter: string; readonly enoch: string } }

test('notes of Go\'s checksum database are read, written and verified', { skip: existsSync(suite) ? false : 'SKIPPED: ../shared/suites/tlog is not there' }, async () => {
  const { text, verifiers, signatureLines } = JSON.parse(readFileSync(suite, 'utf8')) as Vectors
  const [peter, enoch] = [readVerifierKey(verifiers.peter, sha256), readVerifierKey(verifiers.enoch, sha256)]
  assert.ok(peter.ok && enoch.ok)
  for (const [key, vkey] of [[peter.value, verifiers.peter], [enoch.value, verifiers.enoch]] as const) assert.equal(formatVerifierKey(key), vkey)
  for (const [lines, signers] of [[signatureLines.peter, [peter.value]], [signatureLines.enoch, [enoch.value]], [signatureLines.peter + signatureLines.enoch, [peter.value, enoch.value]]] as const) {
    const note = readNote(`${text}\n${lines}`)
    assert.ok(note.ok)
    assert.equal(note.value.text, text)
    assert.equal(formatNote(note.value), `${text}\n${lines}`)
    assert.deepEqual(await verifyNote(note.value, [peter.value, enoch.value], verifyEd25519), { ok: true, value: signers.map((key) => ({ key, at_s: null })) })
    assert.deepEqual(await verifyNote({ ...note.value, text: text.replace('problem', 'problems') }, [peter.value], verifyEd25519), { ok: false, error: signers.some((key) => key === peter.value) ? 'signature_wrong' : 'signature_unknown' })
  }
})

test('a note is its text to the last empty line, and its signatures', async () => {
  const { key, signBy } = noteKey('kawal.example/log')
  for (const text of ['\n', 'a\n', 'a\n\nb\n', '\n\n\n', 'a\n\n\n', '— kawal.example/log AAAA\n\nb\n', 'é 🗳\n']) {
    const note = { text, signatures: [await signText(text, key, signBy)] }
    assert.deepEqual(readNote(formatNote(note)), { ok: true, value: note }, JSON.stringify(text))
    assert.ok((await verifyNote(note, [key], verifyEd25519)).ok)
  }
})

test('what is no note is refused, and what makes it so is named', () => {
  const line = '— a.example AAAAAAA=\n'
  const fault = (note: string): unknown => {
    const read = readNote(note)
    return read.ok ? null : read.error
  }
  assert.equal(fault(`a\n\n${line}`), null)
  for (const note of ['', 'a\n', 'a', line, `a\n${line}`, 'a\n\n', `\n${line}`, `a\n\n${line.trimEnd()}`, `a\n\n${line}\n`]) assert.equal(fault(note), 'note_unsigned', JSON.stringify(note))
  for (const note of [`a\r\n\n${line}`, `a\tb\n\n${line}`, `\u0000\n\n${line}`, `\ud800\n\n${line}`, `a\n\n— a.exa\u001fmple AAAAAAA=\n`]) assert.equal(fault(note), 'note_characters', JSON.stringify(note))
  for (const wrong of ['- a.example AAAAAAA=', '—  AAAAAAA=', '— a.example', '— a.example AAAAAAA= ', '— a.example  AAAAAAA=', '—a.example AAAAAAA=', '— a.example AAAAAA==', '— a.example AAAAAAAA==', '— a.example AAAAAAB=', '— a+b AAAAAAA=', '— a\u00a0b AAAAAAA=',
    '— a\u2003b AAAAAAA=', '— a\u0085b AAAAAAA=', ' — a AAAAAAA=', '— a AAAAAAA', '— a AAAA_AA=', 'a']) assert.equal(fault(`a\n\n${line}${wrong}\n`), 'signature_line', wrong)
  assert.equal(fault(`a\n\n${line.repeat(100)}`), null)
  assert.equal(fault(`a\n\n${line.repeat(101)}`), 'signature_many')
  assert.equal(fault(`${'a'.repeat(1_000_000)}\n\n${line}`), 'note_long')
  const signature: NoteSignature = { name: 'a', id: 0, signature: Uint8Array.of(1) }
  for (const note of [{ text: 'a', signatures: [signature] }, { text: 'a\n', signatures: [] }, { text: 'a\n', signatures: [{ ...signature, name: 'a b' }] }, { text: 'a\n', signatures: [{ ...signature, signature: new Uint8Array() }] },
    { text: 'a\n', signatures: [{ ...signature, name: 'a AAAAAAA=\n— b' }] }, { text: '\ta\n', signatures: [signature] }]) assert.throws(() => formatNote(note), RangeError, JSON.stringify(note))
})

test('keys are read as they are written; each part that is wrong is named', async () => {
  for (const algorithm of ['ed25519', 'cosignature'] as const) {
    const { key, seed } = noteKey('saksi.example/ü', algorithm)
    const text = formatVerifierKey(key)
    assert.deepEqual(readVerifierKey(text, sha256), { ok: true, value: key })
    const signer = { name: key.name, id: key.id, algorithm, seed }
    assert.deepEqual(await readSignerKey(formatSignerKey(signer), sha256, (bytes) => Promise.resolve(publicKeyOf(bytes))), { ok: true, value: signer })
    const [name = '', id = '', base64 = ''] = /^(.+?)\+(.+?)\+(.+)$/.exec(text)?.slice(1) ?? []
    const bytes = Buffer.from(base64, 'base64')
    const changed: readonly (readonly [string, string])[] = [
      [`${name}+${id}`, 'key_form'], [`${name}+${id.slice(1)}+${base64}`, 'key_form'], [`${name}+${id.slice(1)}g+${base64}`, 'key_form'], [`${name}+${id}+${base64}=`, 'key_form'], [`${name}+${id}+`, 'key_form'], ['', 'key_form'],
      [`+${id}+${base64}`, 'key_name'], [`a b+${id}+${base64}`, 'key_name'], [`b${name}+${id}+${base64}`, 'key_id'], [`${name}+${id === '00000000' ? '00000001' : '00000000'}+${base64}`, 'key_id'],
      [`${name}+${id}+${Buffer.from([2, ...bytes.subarray(1)]).toString('base64')}`, 'key_algorithm'], [`${name}+${id}+${bytes.subarray(0, 32).toString('base64')}`, 'key_length'], [`${name}+${id}+${Buffer.concat([bytes, bytes]).toString('base64')}`, 'key_length'],
      [`${name}+${id}+${Buffer.from([algorithm === 'ed25519' ? 4 : 1, ...bytes.subarray(1)]).toString('base64')}`, 'key_id'], [`${name}+${id}+${Buffer.from(bytes.map((byte, at) => (at === 9 ? byte ^ 1 : byte))).toString('base64')}`, 'key_id'],
    ]
    for (const [wrong, error] of changed) assert.deepEqual(readVerifierKey(wrong, sha256), { ok: false, error }, wrong)
    assert.deepEqual(await readSignerKey(text, sha256, publicKeyOf), { ok: false, error: 'key_form' })
    assert.deepEqual(await readSignerKey(formatSignerKey({ ...signer, id: 7 }), sha256, publicKeyOf), { ok: false, error: 'key_id' })
  }
  for (const name of ['', 'a b', 'a+b', 'a\n', '\u3000']) assert.deepEqual(verifierKey(name, 'ed25519', new Uint8Array(32), sha256), { ok: false, error: 'key_name' }, name)
  assert.deepEqual(verifierKey('a', 'ed25519', new Uint8Array(31), sha256), { ok: false, error: 'key_length' })
  assert.notEqual(noteKey('a', 'ed25519').key.id, noteKey('a', 'cosignature').key.id)
})

test('unknown keys are passed over, a known one that does not hold spoils the note', async () => {
  const [log, other, witness] = [noteKey('kawal.example/log'), noteKey('kawal.example/other'), noteKey('saksi.example', 'cosignature')]
  const text = 'kawal.example/log\n1\n'
  const [signed, cosigned, stray] = [await signText(text, log.key, log.signBy), await cosignText(text, witness.key, 1_865_000_000, witness.signBy), await signText(text, other.key, other.signBy)]
  const verified = (signatures: readonly NoteSignature[], keys = [log.key, witness.key], of = text): unknown => verifyNote({ text: of, signatures }, keys, verifyEd25519)
  assert.deepEqual(await verified([signed, stray, cosigned]), { ok: true, value: [{ key: log.key, at_s: null }, { key: witness.key, at_s: 1_865_000_000 }] })
  assert.deepEqual(await verified([stray]), { ok: false, error: 'signature_unknown' })
  assert.deepEqual(await verified([], []), { ok: false, error: 'signature_unknown' })
  // only the name or only the id of a known key: another key
  assert.deepEqual(await verified([signed, { ...stray, name: log.key.name }, { ...stray, id: log.key.id }]), { ok: true, value: [{ key: log.key, at_s: null }] })
  for (const wrong of [{ ...stray, name: log.key.name, id: log.key.id }, { ...signed, signature: signed.signature.slice(1) }, { ...cosigned, signature: cosigned.signature.slice(1) }, { ...cosigned, signature: cosigned.signature.slice(8) },
    { ...cosigned, signature: cosigned.signature.map((byte, at) => (at === 7 ? byte ^ 1 : byte)) }, { ...cosigned, signature: cosigned.signature.map((byte, at) => (at === 0 ? 255 : byte)) }, { ...signed, name: witness.key.name, id: witness.key.id }])
    assert.deepEqual(await verified([signed, wrong]), { ok: false, error: 'signature_wrong' }, JSON.stringify(wrong))
  assert.deepEqual(await verified([signed], [log.key], `${text}\n`), { ok: false, error: 'signature_wrong' })
  assert.equal(((await verified([signed, signed])) as { value: unknown[] }).value.length, 2)
})

test('a witness signs the header, its time and the text', async () => {
  const { key, signBy } = noteKey('saksi.example', 'cosignature')
  const text = 'example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n'
  const messages: string[] = []
  const cosigned = await cosignText(text, key, 1_679_315_147, (message) => {
    messages.push(Buffer.from(message).toString())
    return signBy(message)
  })
  assert.deepEqual(messages, [`cosignature/v1\ntime 1679315147\n${text}`])
  assert.equal(Buffer.from(cosigned.signature).readBigUInt64BE(), 1_679_315_147n)
  assert.equal(cosigned.signature.length, 72)
  await fc.assert(fc.asyncProperty(fc.maxSafeNat(), async (at_s) => {
    assert.deepEqual(await verifyNote({ text, signatures: [await cosignText(text, key, at_s, signBy)] }, [key], verifyEd25519), { ok: true, value: [{ key, at_s }] })
  }), { numRuns: 20 })
  // a time that a number cannot tell from the next one, well signed
  const beyond = Buffer.alloc(8)
  beyond.writeBigUInt64BE(2n ** 60n)
  const far = { name: key.name, id: key.id, signature: Uint8Array.from([...beyond, ...(await signBy(Uint8Array.from(Buffer.from(`cosignature/v1\ntime ${2 ** 60}\n${text}`))))]) }
  assert.deepEqual(await verifyNote({ text, signatures: [far] }, [key], verifyEd25519), { ok: false, error: 'signature_wrong' })
  for (const at_s of [-1, 0.5, 2 ** 53, NaN]) await assert.rejects(cosignText(text, key, at_s, signBy), RangeError)
})
