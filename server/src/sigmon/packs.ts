import { promisify } from 'node:util'
import { gunzip, gzip } from 'node:zlib'
import { canonicalJson, joinPackFile, makePatch, packVersion, splitPackFile } from '@kawal/contract/pack.ts'
import type { Pack, PackDelta, PackStation } from '@kawal/contract/sigmon.ts'
import { system, type Database } from '../adapters/postgres/database.ts'
import { readDistrict, type PackContent, type PackInputs } from './district.ts'
import { sha256 } from './key.ts'
import type { Signer } from './signing.ts'

interface PackOptions extends PackInputs {
  readonly database: Database
  readonly signer: Signer
  readonly clock: () => number
}

/** A pack or a delta as it goes out; `version` is what the phone holds afterwards. */
interface PackAnswer {
  readonly version: string
  readonly file: Uint8Array
}

interface Held {
  readonly file: Uint8Array<ArrayBuffer>
  readonly version: string
  /** Its access points: a word on one of them makes the pack old. */
  readonly access: readonly string[]
  /** The newest word on them that it has. */
  readonly said: number | null
  /** What else the database was like when it was built. */
  readonly marks: string
  readonly looked_at: number
}

/** Versions of a district that deltas are made from. A phone that holds an older one takes the whole pack. */
const kept_per_district = 5
/** Whether a pack is old is looked up this often at most. */
const looked_up_ms = 5_000
/** Districts and deltas in memory: some 20 kB each. */
const districts_held_max = 500
const deltas_held_max = 500
/** Packs that are built at one time: reports need the database too. Who waits shares a build, and a district that is not in the register waits for none, so those who wait are no more than the packs. */
const builds_max = 2

const compress = promisify(gzip)
const expand = promisify(gunzip)

/**
 * Which of a district's packs. `open`: for anybody, and so without a word on any operator's network, which its
 * rivals may not read; enough to enrol by, to find an access point and to call for help. The whole one is for
 * devices of the district.
 */
interface Which { readonly district: string; readonly open: boolean }
const nameOf = ({ district, open }: Which): string => (open ? `${district} open` : district)

/** Packs of districts, built when they are asked for and kept until something that they are made of changes. */
export function createPacks(options: PackOptions): {
  /** @param since the version that the phone holds: a delta where one can be made. @returns null when there is no such district */
  pack(which: Which, since: string | null): Promise<PackAnswer | null>
} {
  const held = new Map<string, Held>()
  const deltas = new Map<string, Uint8Array>()
  const looking = new Map<string, Promise<Held | null>>()
  const turn = takeTurns(builds_max)
  const isDistrict = districtsOf(options)

  async function present(which: Which): Promise<Held | null> {
    const name = nameOf(which)
    const before = held.get(name)
    const age_ms = options.clock() - (before?.looked_at ?? -Infinity)
    if (before !== undefined && age_ms >= 0 && age_ms < looked_up_ms) return before
    const marks = await marksOf(options.database, which.district, before?.access ?? [])
    const same = before !== undefined && before.marks === marks.of && before.said === marks.said
    // what changes while it is built is seen at the next look: its marks are of before
    const now = same ? before : await turn(() => build(options, which))
    if (now === null) held.delete(name)
    else keepNewest(held, name, { ...now, marks: marks.of, looked_at: options.clock() }, districts_held_max)
    return held.get(name) ?? null
  }

  function shared(which: Which): Promise<Held | null> {
    const name = nameOf(which)
    const asked = looking.get(name) ?? present(which).finally(() => looking.delete(name))
    looking.set(name, asked)
    return asked
  }

  return {
    async pack(which, since) {
      const now = (await isDistrict(which.district)) ? await shared(which) : null
      if (now === null) return null
      const whole = { version: now.version, file: now.file }
      if (since === null || since === now.version) return whole
      const name = `${nameOf(which)} ${since} ${now.version}`
      const known = deltas.get(name)
      if (known !== undefined) return { version: now.version, file: known }
      const made = await deltaFrom(options, which, since, now)
      if (made === null || made.length >= now.file.length) return whole
      keepNewest(deltas, name, made, deltas_held_max)
      return { version: now.version, file: made }
    },
  }
}

/**
 * Whether there is such a district. Anybody may ask for a million that there are not: the register is looked at once for
 * all of them, and again for one that it did not have, as seldom as a pack.
 */
function districtsOf({ database, clock }: PackOptions): (code: string) => Promise<boolean> {
  let known: ReadonlySet<string> = new Set()
  let reading = Promise.resolve(known)
  let read_at = -Infinity
  return async (code) => {
    if (known.has(code)) return true
    const age_ms = clock() - read_at
    if (!(age_ms >= 0 && age_ms < looked_up_ms)) {
      read_at = clock()
      reading = database.pool.query<{ code: string }>("SELECT code FROM region_now WHERE level = 'district'").then(({ rows }) => (known = new Set(rows.map((row) => row.code))))
      reading.catch(() => (read_at = -Infinity))
    }
    return (await reading).has(code)
  }
}

/** The map holds at most so many; what was put in first goes first. */
function keepNewest<V>(map: Map<string, V>, name: string, value: V, max: number): void {
  map.delete(name)
  map.set(name, value)
  for (const oldest of map.keys()) {
    if (map.size <= max) return
    map.delete(oldest)
  }
}

function takeTurns(max: number): <T>(work: () => Promise<T>) => Promise<T> {
  let running = 0
  const waiting: (() => void)[] = []
  return async (work) => {
    if (running >= max) await new Promise<void>((resolve) => waiting.push(resolve))
    else running++
    try {
      return await work()
    } finally {
      // the next one takes over the place
      const next = waiting.shift()
      if (next === undefined) running--
      else next()
    }
  }
}

/**
 * What a district's pack depends on: the plan, the edition, imports, the day, the newest word on its stations' places,
 * and on its access points. A handful of index look-ups, against tens of milliseconds for a build.
 */
function marksOf(database: Database, district: string, access: readonly string[]): Promise<{ readonly of: string; readonly said: number | null }> {
  return database.transaction(system, async (client) => {
    const { rows } = await client.query<{ of: string; said: number | null }>(
      `SELECT concat_ws(' ', current_date,
         (SELECT concat('p', max(id)) FROM plan WHERE finished), (SELECT concat('e', max(published_at)) FROM edition), (SELECT concat('i', max(id)) FROM import_run WHERE phase = 'merged'),
         (SELECT concat('d', max(id)) FROM siting_decision WHERE station_code >= $1 AND station_code < $1 || ':'),
         (SELECT concat('f', max(decided_at)) FROM position_fix WHERE station_code >= $1 AND station_code < $1 || ':')) AS of,
         (SELECT max(id) FROM access_point_state WHERE access_point_id = ANY ($2)) AS said`, [district, access])
    return rows[0] ?? { of: '', said: null }
  })
}

async function build(options: PackOptions, which: Which): Promise<Omit<Held, 'marks' | 'looked_at'> | null> {
  const found = await options.database.transaction(system, (client) => readDistrict(client, which.district, options))
  if (found === null) return null
  const made: Pack = { ...(which.open ? withoutOperators(found.content) : found.content), madeAt: new Date(options.clock()).toISOString() }
  const version = await packVersion(made, sha256)
  const held = { version, said: found.said, access: Object.keys(found.content.access) }
  const stored = await newestStored(options.database, which)
  // unchanged content keeps its file, with the day that it was made on
  if (stored?.version === version) return { ...held, file: new Uint8Array(stored.bytes) }
  const file = await sealed(options.signer, 'pack', made)
  await store(options.database, which, version, made.madeAt, file)
  return { ...held, file }
}

/** Class and better place too: an operator that knows its own network would read from them where its rivals' is. */
function withoutOperators(content: PackContent): PackContent {
  const stations = Object.entries(content.stations).map(([code, [latitude, longitude, grade, , , , , verifier, point, from_min, for_min, , , , supervisor]]): [string, PackStation] =>
    [code, [latitude, longitude, grade, null, '', null, null, verifier, point, from_min, for_min, null, null, null, supervisor]])
  return { ...content, stations: Object.fromEntries(stations) }
}

async function sealed(signer: Signer, kind: 'pack' | 'delta', content: Pack | PackDelta): Promise<Uint8Array<ArrayBuffer>> {
  const body = new Uint8Array(await compress(canonicalJson(content), { level: 9 }))
  return joinPackFile({ kind, kid: signer.kid, signature: new Uint8Array(signer.sign(body)), body })
}

async function newestStored(database: Database, { district, open }: Which): Promise<{ version: string; bytes: Buffer } | undefined> {
  const { rows } = await database.pool.query<{ version: string; bytes: Buffer }>('SELECT version, bytes FROM pack WHERE district = $1 AND open = $2 ORDER BY id DESC LIMIT 1', [district, open])
  return rows[0]
}

/** A content that comes back is the newest again. */
function store(database: Database, { district, open }: Which, version: string, madeAt: string, file: Uint8Array): Promise<void> {
  return database.transaction(system, async (client) => {
    await client.query('SELECT pg_advisory_xact_lock(5109, hashtext($1))', [district])
    await client.query('DELETE FROM pack WHERE district = $1 AND open = $2 AND version = $3', [district, open, version])
    await client.query('INSERT INTO pack (district, open, version, made_at, bytes) VALUES ($1, $2, $3, $4, $5)', [district, open, version, madeAt, Buffer.from(file)])
    await client.query('DELETE FROM pack WHERE district = $1 AND open = $2 AND id NOT IN (SELECT id FROM pack WHERE district = $1 AND open = $2 ORDER BY id DESC LIMIT $3)', [district, open, kept_per_district])
  })
}

/** @returns null when the phone's version is not kept, or no patch leads from it */
async function deltaFrom({ database, signer }: PackOptions, { district, open }: Which, since: string, now: Held): Promise<Uint8Array | null> {
  const { rows: [row] } = await database.pool.query<{ bytes: Buffer }>('SELECT bytes FROM pack WHERE district = $1 AND open = $2 AND version = $3', [district, open, since])
  if (row === undefined) return null
  const [from, to] = await Promise.all([contentOf(new Uint8Array(row.bytes)), contentOf(now.file)])
  const patch = makePatch(from.content, to.content)
  return patch === null ? null : sealed(signer, 'delta', { district, from: since, to: now.version, madeAt: to.madeAt, patch })
}

async function contentOf(file: Uint8Array<ArrayBuffer>): Promise<{ content: PackContent; madeAt: string }> {
  const split = splitPackFile(file)
  if (split === null) throw new Error('a stored pack is the file of a pack')
  const { madeAt, ...content } = JSON.parse((await expand(split.body)).toString()) as Pack
  return { content, madeAt }
}
