import type pg from 'pg'
import { canonicalJson } from '@kawal/contract/pack.ts'
import type { SigmonConfig } from '@kawal/contract/sigmon.ts'
import { system, type Database } from '../adapters/postgres/database.ts'
import { insertAct, insertOutcome } from '../organisation/audit-store.ts'
import { sha256 } from './key.ts'
import type { SigmonSettings } from './settings.ts'
import { compactJws, type Signer } from './signing.ts'

interface ConfigOptions {
  readonly database: Database
  readonly signer: Signer
  readonly settings: SigmonSettings
  readonly targets: SigmonConfig['targets']
  /** Of the ledger that this server keeps; null for none. */
  readonly ledgerKey: string | null
  /** Of the ledger and its witnesses; null where none are asked. */
  readonly ledgerPolicy?: string | null
  readonly clock: () => number
}

type Content = Omit<SigmonConfig, 'version' | 'issuedAt' | 'validUntil'>

/** A configuration as it goes out. */
interface Issued {
  readonly jws: string
  readonly etag: string
}

const day_ms = 86_400_000
/** A phone that was off for a week is told by the mark of expiry that its settings may be old. */
const valid_days = 7
export const interval_s_max = 3_600
/** The interval grows in these steps: each step is a version that every phone takes, so small ones would be waste. */
const load_steps = [1, 2, 4, 8]
const issue_lock = 5108

/**
 * Versions are the seconds since here, or one more than the newest: phones refuse a lower one than they hold, and a
 * database that was restored from an older copy does not know what they hold.
 */
const versions_from = Date.UTC(2026, 0, 1)

/**
 * The signed configuration of Sigmon. Its version rises when its content is another than the one issued last, by
 * whichever process, and each day, when it is issued anew so that `validUntil` moves on.
 */
export function createConfig(options: ConfigOptions): {
  current(): Promise<Issued>
  /** Devices report `load` times less often from their next look at the configuration on: 1 is as configured. */
  steer(load: number): void
} {
  let load = 1
  let held: { readonly issued: Promise<Issued>; readonly until: number; readonly load: number } | null = null
  const issue = async (at: number): Promise<Issued> => {
    const { version, issued_at } = await versionOf(options.database, contentOf(options, load), at)
    const payload: SigmonConfig = {
      version, issuedAt: issued_at.toISOString(), validUntil: new Date(issued_at.getTime() + valid_days * day_ms).toISOString(), ...contentOf(options, load),
    }
    return { jws: compactJws(options.signer, payload), etag: `"${version}"` }
  }
  return {
    current() {
      const now = options.clock()
      if (held === null || now >= held.until || held.load !== load) {
        const asked = { issued: issue(now), until: (dayOf(now) + 1) * day_ms, load }
        held = asked
        asked.issued.catch(() => {
          if (held === asked) held = null
        })
      }
      return held.issued
    },
    steer(wanted) {
      load = load_steps.findLast((step) => step <= wanted) ?? 1
    },
  }
}

function contentOf({ signer, settings, targets, ledgerKey, ledgerPolicy = null }: ConfigOptions, load: number): Content {
  const { forms: _, intervalS, ...rest } = settings
  return { keys: [...signer.keys], ...rest, intervalS: Math.min(interval_s_max, intervalS * load), targets, ledgerKey, ...(ledgerPolicy === null ? {} : { ledgerPolicy }) }
}

const dayOf = (at: number): number => Math.floor(at / day_ms)

/** The version of a content: the newest one's where it is of this day and nothing changed, else the next. */
function versionOf(database: Database, content: Content, now: number): Promise<{ version: number; issued_at: Date }> {
  return database.transaction(system, async (client) => {
    await client.query('SELECT pg_advisory_xact_lock($1)', [issue_lock])
    const { rows: [newest] } = await client.query<{ version: number; content: unknown; issued_at: Date }>('SELECT version, content, issued_at FROM sigmon_config ORDER BY version DESC LIMIT 1')
    if (newest !== undefined && dayOf(newest.issued_at.getTime()) >= dayOf(now) && canonicalJson(newest.content) === canonicalJson(content)) return newest
    const made = { version: Math.max((newest?.version ?? 0) + 1, Math.floor((now - versions_from) / 1_000)), issued_at: new Date(now) }
    await client.query('INSERT INTO sigmon_config (version, content, issued_at) VALUES ($1, $2, $3)', [made.version, JSON.stringify(content), made.issued_at])
    await writeTold(client, made.version, content, now)
    return made
  })
}

/** What all phones are told is an act too, by whatever it came about: anybody can fetch the configuration and hold it against the log. */
async function writeTold(client: pg.ClientBase, version: number, content: Content, at: number): Promise<void> {
  const { intervalS, jitterShare, spreadS, fullTestShare } = content
  const facts = { version, content: `sha256:${Buffer.from(sha256(Buffer.from(canonicalJson(content)))).toString('hex')}`, intervalS, jitterShare, spreadS, fullTestShare }
  const begun = await insertAct(client, { at, actor: system, address: null, method: 'CLOCK', path: 'configure', subject: null, reason: null, request: null, facts })
  await insertOutcome(client, begun, { at, status: 0, made: null })
}
