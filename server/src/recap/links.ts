import type pg from 'pg'
import type { Instant } from '@kawal/core/kernel/clock.ts'
import { glanceAt } from '@kawal/core/recap/glance.ts'
import { parseStationCode } from '@kawal/core/register/codes.ts'
import { codeOf } from '@kawal/core/recap/gathered.ts'
import { system, type Database } from '../adapters/postgres/database.ts'
import { recap_kind } from './intake.ts'
import { envelopeOf } from './stored.ts'

/** Records of one transaction, transactions of one turn, and how often: 2,000 records a second, and the intake never waits. */
const batch_max = 500
const batches_max = 20
const turn_ms = 5_000
const sequence_max = 2_147_483_647

interface Link { readonly entry: number; readonly hash: Buffer; readonly kid: Buffer; readonly sequence: number; readonly previous: Buffer | null; readonly station: string }

const add_links = `
  WITH added AS (SELECT * FROM unnest($1::bigint[], $2::bytea[], $3::bytea[], $4::integer[], $5::bytea[], $6::text[]) AS added (entry, hash, kid, sequence, previous, station))
  INSERT INTO recap_link (entry, hash, kid, sequence, previous, station_code, follows, again)
  SELECT entry, hash, kid, sequence, previous, station, previous IS NULL OR EXISTS (SELECT FROM ledger_entry WHERE name = added.previous AND kind = ${recap_kind}),
    row_number() OVER (PARTITION BY kid, sequence ORDER BY entry) > 1 OR EXISTS (SELECT FROM recap_link other WHERE other.kid = added.kid AND other.sequence = added.sequence)
  FROM added`

/**
 * Keeps `recap_link`: how records follow each other on their phones. It reads the ledger in its order, behind the judge and beside everything else; where it
 * stopped the table itself says.
 */
export function createRecapLinks({ database, clock }: { readonly database: Database; readonly clock: () => Instant }) {
  let last: number | null = null
  let asOf: Instant | null = null
  let turned = -Infinity

  const next = (): Promise<number> => database.transaction(system, async (client) => {
    last ??= (await client.query<{ last: number }>('SELECT coalesce(max(entry), -1)::integer AS last FROM recap_link')).rows[0]?.last ?? -1
    const { rows } = await client.query<{ index: number; name: Buffer; bytes: Buffer }>('SELECT index, name, bytes FROM ledger_entry WHERE kind = $1 AND index > $2 ORDER BY index LIMIT $3', [recap_kind, last, batch_max])
    await addLinks(client, rows.flatMap(linkOf))
    last = rows.at(-1)?.index ?? last
    return rows.length
  }).catch((error: unknown) => {
    last = null
    throw error
  })

  return {
    /** Until when everything is linked; null: not yet. */
    asOf: (): Instant | null => asOf,
    async turn(): Promise<void> {
      const now = clock()
      if (now - turned < turn_ms) return
      turned = now
      for (let nth = 0; nth < batches_max; nth++) if (await next() < batch_max) {
        asOf = now
        return
      }
    },
  }
}

/** Nothing for a record that cannot be read, or whose numbers nobody could keep: it has no place in a chain. */
function linkOf({ index, name, bytes }: { readonly index: number; readonly name: Buffer; readonly bytes: Buffer }): Link[] {
  const glance = glanceAt(envelopeOf(bytes))
  if (glance === null || glance.sequence < 1 || glance.sequence > sequence_max || parseStationCode(codeOf(glance.station)) === null) return []
  return [{ entry: index, hash: name, kid: Buffer.from(glance.kid), sequence: glance.sequence, previous: glance.previous === null ? null : Buffer.from(glance.previous), station: codeOf(glance.station) }]
}

async function addLinks(client: pg.ClientBase, links: readonly Link[]): Promise<void> {
  if (links.length === 0) return
  const column = <T>(pick: (link: Link) => T): T[] => links.map(pick)
  await client.query(add_links, [column(({ entry }) => entry), column(({ hash }) => hash), column(({ kid }) => kid), column(({ sequence }) => sequence), column(({ previous }) => previous), column(({ station }) => station)])
  await client.query('UPDATE recap_link SET follows = true WHERE NOT follows AND previous = ANY($1)', [column(({ hash }) => hash)])
}
