import type { OfficerProblem, OfficerProblemGiven } from '@kawal/contract/sigmon.ts'
import type { Environment } from './environment.ts'
import type { Identities } from './identities.ts'
import { json, problemOf, read, request, retryAfter_ms } from './request.ts'
import { resultOf, type Store } from './store.ts'

const outbox_max = 100

/** What the officer told and the server has not taken yet: a problem, or a word on one. */
interface Letter { readonly id: string; readonly identity: string; readonly path: string; readonly body: OfficerProblemGiven | { readonly word: 'fixed' | 'still' } | object; readonly refused: string | null }

export interface Problems {
  list(): readonly OfficerProblem[]
  report(kind: OfficerProblem['kind'], text: string, accessPoint: string | null): Promise<void>
  answer(id: string, word: 'fixed' | 'still'): Promise<void>
  position(at: { readonly latitude: number; readonly longitude: number; readonly accuracyM: number }): Promise<boolean>
  /** Sends what waits, then reads what became of it. @returns how long to leave the server alone, ms */
  exchange(): Promise<number>
  open(): Promise<void>
}

export function createProblems(env: Environment, store: Store, identities: Identities, changed: () => void): Problems {
  let known: readonly OfficerProblem[] = []
  let outbox: readonly Letter[] = []
  let running: Promise<number> | null = null

  const load = (): Promise<Letter[]> => store.run(['outbox'], 'readonly', (at, done) => {
    at('outbox').getAll().onsuccess = (event) => done(resultOf(event))
  })
  async function post(letter: Omit<Letter, 'refused' | 'identity'>): Promise<void> {
    const identity = identities.current()
    if (identity === null || outbox.length >= outbox_max) return
    await store.run(['outbox'], 'readwrite', (at) => void at('outbox').put({ ...letter, identity: identity.id, refused: null } satisfies Letter))
    outbox = await load()
    changed()
    await exchange()
  }
  const settled = (letter: Letter, refused: string | null): Promise<void> => store.run(['outbox'], 'readwrite', (at) => {
    if (refused === null) at('outbox').delete(letter.id)
    else at('outbox').put({ ...letter, refused } satisfies Letter)
  })

  async function send(): Promise<number> {
    outbox = await load()
    for (const letter of outbox.filter((each) => each.refused === null)) {
      const token = identities.all().find((each) => each.id === letter.identity)?.token ?? null
      if (token === null) continue
      const { headers, ...init } = json(letter.body)
      const answer = await request(env, letter.path, { ...init, headers: { ...headers, authorization: `Bearer ${token}` } })
      // It stays until an answer of ours says that it is taken, or can never be.
      if (answer === null || answer.status === 429 || answer.status >= 500 || answer.status === 401) return answer === null ? 0 : retryAfter_ms(answer, env.clock())
      await settled(letter, answer.status < 300 ? null : (await problemOf(answer)).detail)
    }
    outbox = await load()
    return 0
  }

  async function fetchKnown(): Promise<void> {
    const token = identities.current()?.token ?? null
    if (token === null) return
    const answer = await request(env, '/v1/problems', { headers: { authorization: `Bearer ${token}` } })
    const list = answer?.status === 200 ? await read<OfficerProblem[]>(answer) : null
    if (!Array.isArray(list)) return
    known = list
    await store.write({ problems: list }).catch(() => undefined)
  }

  function exchange(): Promise<number> {
    running ??= (async () => {
      const wait_ms = await send()
      if (wait_ms === 0) await fetchKnown()
      changed()
      return wait_ms
    })().finally(() => (running = null))
    return running
  }

  return {
    exchange,
    list: () => [...outbox.flatMap((letter) => ('kind' in letter.body ? [waitingProblem(letter.body as OfficerProblemGiven, letter.refused)] : [])).filter((each) => !known.some(({ id }) => id === each.id)), ...known],
    report: (kind, text, accessPoint) => {
      const id = uuid(env.crypto)
      const given = { id, kind, text: text.slice(0, 500), accessPoint, givenAt: new Date(env.clock()).toISOString() } as OfficerProblemGiven
      return post({ id, path: '/v1/problems', body: given })
    },
    answer: (id, word) => post({ id: `word ${id}`, path: `/v1/problems/${encodeURIComponent(id)}/word`, body: { word } }),
    async position(at) {
      await post({ id: 'position', path: '/v1/position', body: { ...at, givenAt: new Date(env.clock()).toISOString() } })
      return !outbox.some((each) => each.id === 'position' && each.refused !== null)
    },
    async open() {
      known = (await store.read<readonly OfficerProblem[]>('problems')) ?? []
      outbox = await load()
    },
  }
}

/** Shown until the server knows it; it has no number yet. */
const waitingProblem = (given: OfficerProblemGiven, refused: string | null): OfficerProblem =>
  ({ id: given.id, kind: given.kind, text: given.text, givenAt: given.givenAt, ticket: '', status: refused === null ? 'submitted' : 'cancelled', with: '', answer: refused, changedAt: given.givenAt })

/** RFC 9562, version 4. `randomUUID` is Chromium 92 and Safari 15.4. */
function uuid(crypto: Crypto): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}
