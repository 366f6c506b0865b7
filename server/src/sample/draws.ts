import type pg from 'pg'
import type { SampleGiven } from '@kawal/contract/sample.ts'
import type { Instant } from '@kawal/core/kernel/clock.ts'
import { readCheckpoint } from '@kawal/core/ledger/checkpoint.ts'
import { readNote } from '@kawal/core/ledger/note.ts'
import { readSeed, seed_digits_max, seed_digits_min, strataFault, type Drawn, type SeedFault } from '@kawal/core/recap/draw.ts'
import { readEntry, writeEntry, type DrawEntry } from '@kawal/core/recap/entry.ts'
import { contests as allContests, type Contest } from '@kawal/core/recap/form.ts'
import type { Caller, Database } from '../adapters/postgres/database.ts'
import { sha256 } from '../ledger/cryptography.ts'
import { ProblemError } from '../problem.ts'
import type { Roster } from './roster.ts'

export interface KeptDraw {
  /** SHA-256 of its entry, hex. */
  readonly id: string
  readonly entry: number
  readonly draw: DrawEntry
  /** How many stations it drew. */
  readonly stations: number
}

interface DrawsNeeds { readonly database: Database; readonly clock: () => Instant; readonly roster: Roster; readonly contests: readonly string[] }
interface Staff { readonly id: string; readonly name: string }

/** What stands in the way of a draw, in words. */
const seedFaults: Readonly<Record<SeedFault, string>> = {
  seed_form: 'seed holds something else than digits: enter what the dice showed, in the order of the throws.', seed_short: `seed has fewer than ${seed_digits_min} digits: throw on.`,
  seed_long: `seed has more than ${seed_digits_max} digits.`, seed_alike: 'seed has fewer than five different digits, which thrown dice hardly ever give: throw again, with ten-sided dice.',
}

export function createDraws({ database, clock, roster, contests }: DrawsNeeds) {
  /** @throws ProblemError body_invalid, state_conflict */
  async function entryOf(given: SampleGiven, caller: Caller, staff: Staff): Promise<DrawEntry> {
    const seed = readSeed(given.seed)
    if (!seed.ok) throw new ProblemError('body_invalid', seedFaults[seed.error])
    const strata = [...given.strata].sort((one, other) => (one.area < other.area ? -1 : 1))
    const fault = strataFault(strata)
    if (fault !== null) throw new ProblemError('body_invalid', fault === 'strata_order' ? 'strata: an area is named twice, or lies in another that is named. Name each once.' : 'strata: at most 10,000 stations in all, each area by the 2, 4, 6 or 10 digits of its code.')
    const empty = strata.find(({ area }) => roster.population(area) === 0)
    if (empty !== undefined) throw new ProblemError('body_invalid', `strata: the register has no station in ${empty.area === '' ? 'the whole country' : `the area ${empty.area}`}.`)
    const strange = given.contests.find((contest) => !contests.includes(contest))
    if (strange !== undefined) throw new ProblemError('body_invalid', `contests: ${strange} is not configured. There are ${contests.join(', ')}.`)
    const { size, root } = given.checkpoint
    if (given.roster !== hex(roster.hash())) throw new ProblemError('state_conflict', 'The register has changed since its hash was read out. Look at the new one, read it out, and throw the dice again.')
    if (given.occasion.trim() === '') throw new ProblemError('body_invalid', 'occasion: say where and when the dice were thrown, and before whom.')
    if ((await database.transaction(caller, (client) => rootShownAt(client, size))) !== root) throw new ProblemError('state_conflict', `The log never showed a checkpoint of ${size} entries with this root. Take the one of GET /v1/audits/scope, read it out, and throw the dice again.`)
    return {
      kind: 'draw', seed: seed.value, occasion: given.occasion.trim(), roster: roster.hash(), size, root: Buffer.from(root, 'hex'), contests: allContests.filter((contest) => given.contests.includes(contest)) as Contest[], strata,
      organisation: caller.organisation, by: staff.name, at: clock(),
    }
  }

  return {
    /** Draws, and keeps it: from then on it goes into the ledger by itself. @returns its id, hex */
    async make(given: SampleGiven, caller: Caller, staff: Staff): Promise<string> {
      const entry = await entryOf(given, caller, staff)
      const drawn = await roster.draw(entry.seed, entry.strata)
      const bytes = writeEntry(entry)
      const id = sha256(bytes)
      await database.transaction(caller, async (client) => {
        await client.query('INSERT INTO draw (id, organisation_id, staff_id, bytes, at) VALUES ($1, $2, $3, $4, $5)', [id, caller.organisation, staff.id, bytes, new Date(entry.at)])
        await client.query(
          'INSERT INTO drawn (draw, nth, station_code, area, ticket, organisation_id) SELECT $1, nth, station, area, ticket, $5 FROM unnest($2::text[], $3::text[], $4::bytea[]) WITH ORDINALITY AS given (station, area, ticket, nth)',
          [id, drawn.map(({ station }) => station), drawn.map(({ area }) => area), drawn.map(({ ticket }) => ticket), caller.organisation])
      })
      return hex(id)
    },
    /** Those that are in the ledger, the newest first. */
    list: (caller: Caller): Promise<KeptDraw[]> => database.transaction(caller, (client) => readDraws(client, null)),
    /** @throws ProblemError not_found, not_ready for one that is not in the ledger yet */
    async find(caller: Caller, id: string): Promise<KeptDraw> {
      const [draw] = /^[0-9a-f]{64}$/.test(id) ? await database.transaction(caller, (client) => readDraws(client, Buffer.from(id, 'hex'))) : []
      if (draw === undefined) throw new ProblemError('not_found', 'There is no draw of this id: GET /v1/audits lists all.')
      return draw
    },
    drawn: (caller: Caller, id: string): Promise<Drawn[]> => database.transaction(caller, async (client) => (await client.query<Drawn>('SELECT station_code AS station, area, ticket FROM drawn WHERE draw = $1 ORDER BY nth', [Buffer.from(id, 'hex')])).rows),
    isDrawn: (caller: Caller, id: string, station: string): Promise<boolean> => database.transaction(caller, async (client) => (await client.query('SELECT FROM drawn WHERE draw = $1 AND station_code = $2', [Buffer.from(id, 'hex'), station])).rows.length > 0),
  }
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

async function rootShownAt(client: pg.ClientBase, size: number): Promise<string | null> {
  const { rows } = await client.query<{ note: string }>('SELECT note FROM ledger_checkpoint WHERE size = $1', [size])
  return rows[0] === undefined ? null : hex(checkpointIn(rows[0].note).root)
}

/** Of a checkpoint that the log itself wrote. */
export function checkpointIn(note: string): { readonly size: number; readonly root: Uint8Array } {
  const read = readNote(note)
  const checkpoint = read.ok ? readCheckpoint(read.value.text) : read
  if (!checkpoint.ok) throw new Error(`a checkpoint that was shown cannot be read: ${checkpoint.error}`)
  return checkpoint.value
}

async function readDraws(client: pg.ClientBase, id: Buffer | null): Promise<KeptDraw[]> {
  const { rows } = await client.query<{ id: Buffer; entry: number; bytes: Buffer; stations: number }>(
    'SELECT id, entry, bytes, (SELECT count(*)::integer FROM drawn WHERE draw = draw.id) AS stations FROM draw WHERE entry IS NOT NULL AND ($1::bytea IS NULL OR id = $1) ORDER BY entry DESC', [id])
  return rows.map(({ id, entry, bytes, stations }) => {
    const read = readEntry(bytes)
    if (!read.ok || read.value.kind !== 'draw') throw new Error(`draw ${hex(id)} is no entry of a draw`)
    return { id: hex(id), entry, draw: read.value, stations }
  })
}
