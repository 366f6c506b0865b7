import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatCheckpoint } from '@kawal/core/ledger/checkpoint.ts'
import { leafHash } from '@kawal/core/ledger/merkle.ts'
import { formatNote } from '@kawal/core/ledger/note.ts'
import { formatPolicy } from '@kawal/core/ledger/policy.ts'
import { formatProof } from '@kawal/core/ledger/proof.ts'
import { cosignText, signText } from '@kawal/core/ledger/signature.ts'
import { writeEntry } from '@kawal/core/recap/entry.ts'
import { noteKey, sha256 } from '@kawal/testkit/ed25519.ts'
import type { KeptRecap } from './src/recap/kept.ts'
import { seenBy } from './src/recap/receipt.ts'
import { createWitnessed } from './src/recap/witnessed.ts'

const log = noteKey('kawal.example/ledger')
const [bawaslu, kampus, stranger] = ['bawaslu', 'kampus', 'stranger'].map((name) => noteKey(`saksi.example/${name}`, 'cosignature')) as [typeof log, typeof log, typeof log]
const policy = formatPolicy({ logs: [{ key: log.key, url: null }], witnesses: [{ name: 'bawaslu', key: bawaslu.key, url: null }, { name: 'kampus', key: kampus.key, url: null }], groups: [{ name: 'both', members_min: 2, members: ['bawaslu', 'kampus'] }], quorum: 'both' })
const bytes = Uint8Array.from(Buffer.from('a signed record'))

async function proofBy(witnesses: readonly (typeof log)[], entry: Uint8Array = bytes): Promise<string> {
  const text = formatCheckpoint({ origin: log.key.name, size: 1, root: leafHash(writeEntry({ kind: 'recap', envelope: entry }), sha256), extensions: [] })
  const signatures = [await signText(text, log.key, log.signBy)]
  for (const { key, signBy } of witnesses) signatures.push(await cosignText(text, key, 1_865_000_000, signBy))
  return formatProof({ index: 0, hashes: [], extra: null, checkpoint: formatNote({ text, signatures }) })
}

/** A phone with one logged record, whose questions are answered as the test says. */
function phoneThat(answer: () => { readonly status: number; readonly body: string } | null, told: () => string | null = () => policy) {
  let kept: KeptRecap = { hash: 'a1'.repeat(32), bytes, madeAt: 0, list: new Uint8Array(), photos: [], isListKept: true, receipt: 'logged', isProven: true, said: null, refusal: null }
  const [asked, soon]: [string[], number[]] = [[], []]
  const clock = { now: 1_000_000 }
  const reach = { setTimer: () => null, clearTimer: () => undefined, fetch: (path: string) => {
    asked.push(path)
    const said = answer()
    return said === null ? Promise.reject(new TypeError('no line')) : Promise.resolve(new Response(said.body, { status: said.status }))
  } }
  const witnessed = createWitnessed({
    env: { ...reach, clock: () => clock.now }, ledgerPolicy: told, seenBy, soon: (wait_ms) => void soon.push(wait_ms),
    book: { all: () => Promise.resolve([kept]), change: (_, part) => Promise.resolve(void (kept = { ...kept, ...part })) },
  })
  return { witnessed, clock, asked, soon, kept: () => kept }
}

test('a record that was logged is asked for 5 s later, then ever more rarely, until witnesses have seen it; then no more', async () => {
  let answer = { status: 503, body: '' }
  const { witnessed, clock, asked, soon, kept } = phoneThat(() => answer)
  witnessed.logged()
  assert.equal(await witnessed.ask({}), false)
  assert.deepEqual([asked.length, soon], [0, [5_000]])
  for (const wait_ms of [5_000, 15_000, 45_000, 135_000, 300_000, 300_000]) {
    clock.now += wait_ms - 1
    await witnessed.ask({})
    const before = asked.length
    clock.now += 1
    assert.equal(await witnessed.ask({}), false)
    assert.equal(asked.length, before + 1, `after ${wait_ms}`)
  }
  assert.deepEqual(soon, [5_000, 15_000, 45_000, 135_000], 'no timer of ours is longer than minutes')
  answer = { status: 200, body: await proofBy([bawaslu, kampus]) }
  clock.now += 300_000
  assert.equal(await witnessed.ask({}), true)
  assert.deepEqual(kept().witnessed, { text: answer.body, by: [{ name: 'bawaslu', at_s: 1_865_000_000 }, { name: 'kampus', at_s: 1_865_000_000 }] })
  const before = asked.length
  clock.now += 3_600_000
  assert.equal(await witnessed.ask({}), false)
  assert.equal(asked.length, before)
  assert.equal(asked[0], `/v1/recaps/${'a1'.repeat(32)}/witnessed`)
})

test('what no quorum has signed, what is of another record, and a portal\'s page are not kept', async () => {
  for (const body of [await proofBy([]), await proofBy([bawaslu]), await proofBy([bawaslu, stranger]), await proofBy([bawaslu, kampus], Uint8Array.from(Buffer.from('another record'))), '<html>\n', (await proofBy([bawaslu, kampus])).replace('\n1\n', '\n2\n')]) {
    const { witnessed, kept, asked } = phoneThat(() => ({ status: 200, body }))
    assert.equal(await witnessed.ask({}), false)
    assert.deepEqual([kept().witnessed, asked.length], [undefined, 1], body.slice(0, 200))
  }
})

test('where no witnesses are asked, or the policy cannot be read, nothing is kept; without one nothing is asked', async () => {
  const good = await proofBy([bawaslu, kampus])
  const none = phoneThat(() => ({ status: 200, body: good }), () => null)
  none.witnessed.logged()
  assert.equal(await none.witnessed.ask({}), false)
  assert.deepEqual([none.asked, none.soon], [[], []])
  const torn = phoneThat(() => ({ status: 200, body: good }), () => policy.slice(0, -5))
  assert.equal(await torn.witnessed.ask({}), false)
  assert.equal(torn.kept().witnessed, undefined)
})
