import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createPhone, type Phone } from './phone.ts'
import { keyOf } from './world.ts'

type Way = 'dead' | 'refused'

/** A phone whose requests of a kind get no answer, or one that takes nothing; the others are taken. */
async function phoneThat(fails: (path: string) => Way | null): Promise<Phone> {
  const fetch = (path: string, { method, headers, body }: RequestInit = {}): Promise<Response> => {
    const way = fails(path)
    if (way === 'dead') return Promise.reject(new TypeError('no line'))
    if (way === 'refused') return Promise.resolve(Response.json({ code: 'overloaded', detail: '' }, { status: 429 }))
    if (method === 'POST') return Promise.resolve(new Response('a receipt', { status: 201 }))
    const from = Number(new Headers(headers).get('upload-offset') ?? 0)
    return Promise.resolve(new Response(null, { status: 204, headers: { 'upload-offset': String(from + (body as ArrayBuffer | Uint8Array).byteLength) } }))
  }
  return createPhone({ station: '7571011001003', token: 'token', ...await keyOf(), ledgerKey: null, fetch, clock: () => 1_000, random: () => 0.5 })
}

test('nothing is marked as sent before its answer, whatever answer is missing', async () => {
  for (const way of ['dead', 'refused'] as const) for (const [at, part] of ['/v1/recaps', '/photos', '/v1/photos/'].entries()) {
    const phone = await phoneThat((path) => ((at === 0 ? path === part : path.includes(part)) ? way : null))
    await phone.sign([200_000])
    await phone.sender.trigger('button')
    phone.sender.stop()
    const [kept] = await phone.all()
    assert.deepEqual([kept?.receipt !== null, kept?.isListKept, kept?.photos[0]?.offset], [at > 0, at > 1, 0], `${part} ${way}`)
  }
})

test('with an answer to each everything goes, once', async () => {
  const sent: string[] = []
  const phone = await phoneThat((path) => (sent.push(path), null))
  await phone.sign([100_000, 300_000])
  await phone.sender.trigger('button')
  phone.sender.stop()
  const [kept] = await phone.all()
  assert.ok(kept?.photos.every(({ offset, size_bytes }) => offset === size_bytes))
  assert.equal(sent.filter((path) => path === '/v1/recaps').length, 1)
  assert.ok(sent.length > 4, `${sent.length} requests`)
})
