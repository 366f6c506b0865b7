import { formatLetterCode } from '@kawal/core/measurement/letter.ts'
import type { Side } from '@kawal/core/recap/slot.ts'
import { connect, migrate, system } from '../adapters/postgres/database.ts'
import { deploymentSecret, stationCode } from '../measurement/enrolment.ts'
import { loadMonitorStations } from '../register/lookup.ts'
import { readSigner } from '../sigmon/signing.ts'
import { audited, typed } from './audited.ts'
import { joinDatabase } from './database.ts'
import { CommandFailure, exits } from './exits.ts'
import { exportPlan, planKinds } from './export-plan.ts'
import { roleFor } from './letters.ts'

const quote = (value: unknown): string => {
  const text = value === null || value === undefined ? '' : String(value)
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

/** audit, codes, keys that phones trust, stations, disturbances, or rows of the newest plan; CSV with a header, or one JSON object with --json. The atlas goes to a file. */
export async function exportAction(kind: string, options: Record<string, string | undefined>): Promise<void> {
  if (kind === 'atlas') return (await import('./atlas.ts')).exportAtlas(options)
  if (kind === 'audit') return (await import('./export-audit.ts')).exportAudit(options)
  if (kind === 'verify-page') return (await import('./export-page.ts')).exportPage(options)
  if (kind === 'letters') return (await import('./letters.ts')).exportLetters(options)
  const planKind = planKinds.find((each) => each === kind)
  if (planKind !== undefined) return exportPlan(planKind, options)
  if (!['codes', 'keys', 'stations', 'disturbances'].includes(kind)) throw new CommandFailure(exits.usage, `kawal export knows audit, codes, keys, letters, stations, disturbances, readiness, moves, access, atlas and verify-page, not ${kind}.`)
  const server = await joinDatabase(options['data'])
  try {
    await migrate(server.ownerUrl, server.appPassword)
    const database = connect(server.ownerUrl, server.appPassword)
    try {
      // secrets of the officers that leave are an action, though nothing is changed
      const rows = kind === 'keys' ? [...(await readSigner(database)).keys].map((key) => ({ ...key })) : kind === 'disturbances' ? await disturbances(database)
        : kind === 'codes' ? await audited(server, `export codes${typed(options, ['for', 'province'])}`, () => stations(database, kind, options['province'], roleFor(options))) : await stations(database, kind, options['province'])
      if (options['json'] !== undefined) process.stdout.write(JSON.stringify({ [kind]: rows }) + '\n')
      else process.stdout.write([Object.keys(rows[0] ?? {}).join(','), ...rows.map((row) => Object.values(row).map(quote).join(','))].join('\n') + '\n')
      process.stderr.write(`${rows.length} rows\n`)
    } finally {
      await database.end()
    }
  } finally {
    await server.stop()
  }
}

async function stations(database: ReturnType<typeof connect>, kind: string, province: string | undefined, role: Side = 'officer'): Promise<Record<string, unknown>[]> {
  const rows = await loadMonitorStations(database, province)
  if (kind === 'stations') return rows.map((row) => ({ ...row }))
  const secret = await deploymentSecret(database)
  return rows.map((row) => ({ station: row.code, code: formatLetterCode(stationCode(secret, row.code, role)) }))
}

function disturbances(database: ReturnType<typeof connect>): Promise<Record<string, unknown>[]> {
  return database.transaction(system, async (client) => {
    const { rows } = await client.query<Record<string, unknown>>(
      `SELECT id, state->>'cause' AS cause, organisation_id AS operator, state->>'severity' AS severity, state->>'areaCode' AS area,
              jsonb_array_length(state->'stations') AS stations, state->>'startedAt' AS started_at, state->>'foundAt' AS found_at, state->>'endedAt' AS ended_at
       FROM disturbance ORDER BY found_at, id`)
    return rows
  })
}
