import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { envelope_type, key_header, list_type } from '@kawal/contract/handing-in.ts'
import { seeded } from '@kawal/core/kernel/random.ts'
import { signRecap } from '@kawal/core/recap/envelope.ts'
import { writePhotos } from '@kawal/core/recap/photo.ts'
import { freePort } from '@kawal/server/src/adapters/postgres/embedded.ts'
import { sha256 } from '@kawal/server/src/ledger/cryptography.ts'
import { presidential } from '@kawal/testkit/recaps.ts'
import { serve, type Running } from '../ingest/processes.ts'
import { audit, createHistory, type Found, type History } from './history.ts'
import { enrolPhones, province, type Enrolled } from './world.ts'

const phones_count = 8
/** Between the start of both and their end, ms. */
const alive_ms = { least: 150, more: 650 }
/** One thing that the box has is at the platform within this, or it never will be. */
const carry_ms_max = 60_000
const photo_bytes = 60_000

/** Where phones hand in, and what they were answered there. */
interface Place { readonly url: string; readonly history: History }
/** One record with its photo, and how far it came: 3 is all of it. */
interface Item { readonly officer: Enrolled; readonly bytes: Buffer; readonly hash: string; readonly list: Uint8Array; readonly photo: Buffer; readonly photoId: string; step: number }

/**
 * The platform and a box at an access point are killed together, each with its database, while phones hand in at both. In the end both hold what they acknowledged, once,
 * and the platform holds what the box did.
 */
export async function killBoth(rounds: number, seed: number, say: (text: string) => void): Promise<Found & { readonly runs: number; readonly acknowledged: number }> {
  const folder = mkdtempSync(join(tmpdir(), 'kawal-both-'))
  const random = seeded(seed)
  const [up, down] = [await freePort(), await freePort()]
  const platform: Place = { url: `http://127.0.0.1:${up}`, history: createHistory() }
  const box: Place = { url: `http://127.0.0.1:${down}`, history: createHistory() }
  try {
    const [first, ...officers] = await enrolPhones(join(folder, 'platform'), phones_count + 1, seed)
    if (first === undefined) throw new Error('nobody was enrolled')
    const start = (): Promise<Running[]> => together([
      serve(join(folder, 'platform'), up, ['--province', province], { LOG_LEVEL: 'silent' }),
      serve(join(folder, 'box'), down, ['--role', 'custody', '--up', platform.url, '--station', first.station], { LOG_LEVEL: 'silent', KAWAL_LETTER: first.letter }),
    ])
    const hands = officers.map((officer, nth) => createHand(officer, nth % 2 === 0 ? platform : box))
    for (let round = 0; round < rounds; round++) {
      const both = await start()
      let isAlive = true
      const loading = Promise.all(hands.map((hand) => hand.work(() => isAlive)))
      await pause(alive_ms.least + alive_ms.more * random()) // the moment of the kill is what is drawn
      await Promise.all(both.map((each) => each.kill(false)))
      isAlive = false
      await loading
      if ((round + 1) % 10 === 0) say(`killed: ${round + 1} of ${rounds}, ${platform.history.photos.size} and ${box.history.photos.size} records with their photos acknowledged`)
    }
    const both = await start()
    try {
      for (const hand of hands) await hand.finish()
      await carried(box, platform, first.token)
      const found = [await audit(platform.history, { url: platform.url, token: first.token, held: null }), await audit(box.history, { url: box.url, token: '', held: null, isBox: true })]
      return {
        runs: rounds, acknowledged: platform.history.records.size, why: found.flatMap(({ why }) => why),
        lost: found.reduce((sum, { lost }) => sum + lost, 0), doubled: found.reduce((sum, { doubled }) => sum + doubled, 0),
      }
    } finally {
      for (const each of both) await each.stop()
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** All of them, or none: where one does not start the others are ended. */
async function together(starting: readonly Promise<Running>[]): Promise<Running[]> {
  const ends = await Promise.allSettled(starting)
  const running = ends.flatMap((end) => (end.status === 'fulfilled' ? [end.value] : []))
  const failed = ends.find((end) => end.status === 'rejected')
  if (failed === undefined) return running
  await Promise.all(running.map((each) => each.stop()))
  throw failed.reason
}

/** Hands in as fast as it is answered; what was not acknowledged is sent again after the restart. */
function createHand(officer: Enrolled, place: Place) {
  let sequence = 0
  let open: Item | null = null
  async function next(): Promise<Item> {
    const photo = randomBytes(photo_bytes)
    const list = writePhotos([{ page: 1, shot: 1, kind: 'original', size_bytes: photo.length, sha256: sha256(photo) }])
    const bytes = Buffer.from(await signRecap({ ...presidential, station: officer.station, photos: sha256(list), ...(sequence++ === 0 ? { sequence: 1, previous: null } : { sequence }) }, officer.signer))
    return { officer, bytes, hash: place.history.sent(bytes), list, photo, photoId: `${Buffer.from(sha256(photo)).toString('hex')}-${photo.length}`, step: 0 }
  }
  const step = async (): Promise<boolean> => {
    open ??= await next()
    const isTaken = await steps[open.step]?.(open, place).catch(() => false) ?? false
    if (isTaken && ++open.step === steps.length) open = null
    return isTaken
  }
  return {
    async work(running: () => boolean): Promise<void> {
      // The server is gone: its answer never comes.
      while (running()) if (!(await step())) return
    },
    /** With nobody killed any more: what is begun is taken whole. */
    async finish(): Promise<void> {
      while (open !== null) if (!(await step())) throw new Error(`${place.url} does not take what it was sent before it was killed`)
    },
  }
}

const own = ({ officer }: Item): Record<string, string> => ({ authorization: `Bearer ${officer.token}` })

/** Each says whether it was acknowledged. */
const steps: readonly ((item: Item, place: Place) => Promise<boolean>)[] = [
  async (item, { url, history }) => {
    const answer = await fetch(`${url}/v1/recaps`, { method: 'POST', headers: { ...own(item), 'content-type': envelope_type, [key_header]: item.officer.publicKey.toString('base64url') }, body: new Uint8Array(item.bytes) })
    history.answered(item.hash, { status: answer.status, text: await answer.text() })
    return answer.ok
  },
  async (item, { url }) => (await fetch(`${url}/v1/recaps/${item.hash}/photos`, { method: 'PUT', headers: { ...own(item), 'content-type': list_type }, body: Uint8Array.from(item.list) })).status === 204,
  async (item, { url, history }) => {
    const address = `${url}/v1/photos/${item.photoId}`
    const headers = { ...own(item), 'tus-resumable': '1.0.0' }
    const from = Number((await fetch(address, { method: 'HEAD', headers })).headers.get('upload-offset') ?? 0)
    const answer = await fetch(address, { method: 'PATCH', headers: { ...headers, 'upload-offset': String(from), 'content-type': 'application/offset+octet-stream' }, body: new Uint8Array(item.photo.subarray(from)) })
    if (answer.status !== 204) return false
    history.kept(item.photoId, item.photo.length)
    return true
  },
]

/** What the box acknowledged is from here on what the platform answers for; and everything there is judged. */
async function carried(box: Place, platform: Place, token: string): Promise<void> {
  for (const [hash, { bytes }] of box.history.records) {
    platform.history.sent(bytes)
    const text = await eventually(async () => {
      const answer = await fetch(`${box.url}/v1/recaps/${hash}/logged`)
      return answer.status === 200 ? answer.text() : null
    })
    if (text !== null) platform.history.answered(hash, { status: 200, text })
  }
  for (const [id, bytes] of box.history.photos) platform.history.kept(id, bytes)
  const ask = (path: string, method = 'GET'): Promise<Response> => fetch(platform.url + path, { method, headers: { authorization: `Bearer ${token}`, 'tus-resumable': '1.0.0' } })
  for (const hash of platform.history.records.keys()) await eventually(async () => ((await (await ask(`/v1/recaps/${hash}`)).json() as { state: string }).state === 'waiting' ? null : true))
  for (const [id, bytes] of box.history.photos) await eventually(async () => (Number((await ask(`/v1/photos/${id}`, 'HEAD')).headers.get('upload-offset')) === bytes ? true : null))
}

/** @returns null where it did not come in time: the checker then says what is missing */
async function eventually<T>(ask: () => Promise<T | null>): Promise<T | null> {
  for (const ends = Date.now() + carry_ms_max; ; await pause(100)) {
    const found = await ask()
    if (found !== null || Date.now() > ends) return found
  }
}
