import { readSignedRecap, signRecap } from '@kawal/core/recap/envelope.ts'
import type { Recap } from '@kawal/core/recap/record.ts'
import type { Draft, Filled, KeptRecap, Recaps } from '../src/recap/kept.ts'
import { linkOf } from '../src/recap/link.ts'

/** Records, made up, in each state in which they look different. Their signatures are nobody's. */
const signer = { algorithm: 'EdDSA', kid: new Uint8Array(8), sign: () => Promise.resolve(new Uint8Array(64).fill(3)) } as const
const totals = [127, 145, 272, 104, 119, 223, 3, 2, 5, 4, 6, 10, 111, 127, 238, 278, 238, 2, 38, 1, 2, 3, 128, 71, 33, 232, 6, 238]
const filled: Filled = { station: '5310072003004', contest: 'ppwp', ballot: { kind: 'candidates', candidates: 3 }, ceiling: 300, totals, shots: [], replaces: null, place: null }
const hashOf = (byte: string): string => byte.repeat(32)
const bytesOf = (hash: string): Uint8Array => Uint8Array.from(hash.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))

async function kept(byte: string, { totals: counts, replaces }: Filled, more: Partial<KeptRecap>): Promise<KeptRecap> {
  const madeAt = Date.now() - 3_600_000
  const recap: Recap = { ...filled, totals: counts, form: 1, warned: [], photos: new Uint8Array(32), madeAt, clockOffset_ms: null, sequence: 1, previous: null, replaces: replaces === null ? null : bytesOf(replaces), build: new Uint8Array(32), place: null, later: new Map() }
  return { hash: hashOf(byte), bytes: await signRecap(recap, signer), madeAt, list: new Uint8Array(), photos: [], isListKept: false, receipt: null, isProven: false, said: null, refusal: null, ...more }
}

const counts = { state: 'counts', reason: null, detail: null } as const
/** As long as a nation's. */
const proof = `c2sp.org/tlog-proof@v1\nindex 4100805\n${'uGk0b3VnaCBmb3IgYSBxciwgYW5kIG5vYm9keSdzIGhhc2g=\n'.repeat(22)}\nkawal.example/ledger\n4100806\n`
/** With the cosignatures of two witnesses. */
const cosigned = `${proof}${'— saksi.bawaslu.example/kawal uGk0b3VnaCBmb3IgYSBxciwgYW5kIG5vYm9keSdzIGhhc2guGk0b3VnaCBmb3IgYSBxciwgYW5kIG5vYm9keSdzIGhhc2g=\n'.repeat(3)}`
const witnessed = { text: cosigned, by: [{ name: 'bawaslu', at_s: Math.floor(Date.now() / 1000) - 3_500 }, { name: 'kampus', at_s: Math.floor(Date.now() / 1000) - 3_498 }] }
const sent = { receipt: proof, isProven: true, isListKept: true }

/** @param many else there is none yet */
export async function playedRecaps(many: boolean, changed: () => void): Promise<Recaps> {
  const all: KeptRecap[] = many ? await Promise.all([
    kept('a1', filled, { ...sent, witnessed, delivery: proof, said: { ...counts, deliveredAt: new Date().toISOString() } }),
    kept('b2', { ...filled, replaces: hashOf('a1') }, { ...sent, witnessed, photos: [{ id: 'x', kind: 'original', size_bytes: 2_400_000, offset: 786_432 }], said: { ...counts, deliveredAt: null } }),
    kept('c3', filled, {}),
    kept('a7', filled, { photos: [{ id: 'y', kind: 'original', size_bytes: 1_900_000, offset: 0 }], custody: [{ at: Date.now() - 1_200_000, key: 'kotak', receipt: proof, isListKept: true, sent: { y: 1_900_000 } }] }),
    kept('d4', filled, { ...sent, isProven: false, said: { state: 'quarantine', reason: 'totals_impossible', detail: 'votes_1 is 905.', deliveredAt: null } }),
    kept('e5', filled, { refusal: 'These 12 bytes are no signed record (not_sign1).' }),
  ]) : []
  let draft: Draft | null = null
  return {
    sender: { trigger: () => Promise.resolve(), state: () => (many ? { status: 0, retryAt: Date.now() + 90_000 } : null), stop: () => undefined },
    anythingWaits: () => Promise.resolve(many), all: () => Promise.resolve([...all]), photosFrom: () => null, hasWitnesses: () => true, photo: () => Promise.resolve(undefined),
    draft: () => Promise.resolve(draft),
    keepDraft: (_, given) => Promise.resolve(void (draft = given)),
    linkOf: ({ bytes }) => Promise.resolve(linkOf('https://kawal.example/sigmon/', { bytes, key: 'A'.repeat(87) })),
    async adopt({ bytes }) {
      const read = readSignedRecap(bytes)
      if (!read.ok) return null
      const adopted = await kept('a8', filled, { bytes, isListKept: true, carriedFor: null })
      all.push(adopted)
      changed()
      return adopted
    },
    fileOf: ({ bytes }) => new Blob([bytes]),
    async sign(given) {
      const signed = await kept('f6', given, { photos: given.shots.map(({ kind, bytes }, at) => ({ id: String(at), kind, size_bytes: bytes.byteLength, offset: 0 })) })
      all.push(signed)
      changed()
      return signed
    },
  }
}
