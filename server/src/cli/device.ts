import { connect, migrate, system, type Database } from '../adapters/postgres/database.ts'
import { audited, typed } from './audited.ts'
import { joinDatabase } from './database.ts'
import { CommandFailure, exits } from './exits.ts'
import type { Options } from './options.ts'

interface Found { readonly key: number; readonly station_code: string; readonly has_key: boolean; readonly revoked_at: Date | null; readonly revoked_reason: string | null; readonly records: number }

/** As the ledger takes it (core/recap/entry.ts). */
const reason_chars_max = 200

/** `kawal device revoke DEVICE --reason TEXT`: the server writes the revocation into the ledger within seconds of its next turn. */
export async function deviceAction(action: string, device: string, options: Options): Promise<void> {
  if (action !== 'revoke') throw new CommandFailure(exits.usage, `kawal device knows revoke, not ${action}.`)
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(device)) throw new CommandFailure(exits.usage, `A device is named by its id, as 0b5c6a1e-7f3a-4c2b-9d10-2a4f5e6c7b81, not ${device}.`)
  const reason = options['reason']?.trim() ?? ''
  if (reason === '' || reason.length > reason_chars_max) throw new CommandFailure(exits.usage, `Say why with --reason, in 1 to ${reason_chars_max} characters: it goes into the ledger. Name no person.`)
  const isDry = options['dryRun'] !== undefined
  const server = await joinDatabase(options['data'])
  try {
    await migrate(server.ownerUrl, server.appPassword)
    const database = connect(server.ownerUrl, server.appPassword, 1)
    try {
      const found = isDry ? await find(database, device) : await audited(server, `device revoke ${device}${typed(options, ['reason'])}`, () => revoke(database, device, reason))
      tell(options, device, found, isDry)
    } finally {
      await database.end()
    }
  } finally {
    await server.stop()
  }
}

/** @throws CommandFailure for one that is not there, or revoked already */
async function find(database: Database, device: string): Promise<Found> {
  const { rows: [found] } = await database.transaction(system, (client) => client.query<Found>(
    'SELECT key, station_code, public_key IS NOT NULL AS has_key, revoked_at, revoked_reason, (SELECT count(*)::integer FROM recap WHERE recap.device = device.key AND reason IS NULL) AS records FROM device WHERE id = $1', [device]))
  if (found === undefined) throw new CommandFailure(exits.rejected, `There is no device ${device} here: entries of the ledger name those that were enrolled. See whether --data is the right folder.`)
  if (found.revoked_at !== null) throw new CommandFailure(exits.refused, `Device ${device} was revoked already, ${found.revoked_at.toISOString()}: ${found.revoked_reason}. Nothing was changed; what the ledger says stays.`)
  if (!found.has_key) throw new CommandFailure(exits.rejected, `Device ${device} has no key of its own: it signs nothing, so there is nothing to revoke.`)
  return found
}

async function revoke(database: Database, device: string, reason: string): Promise<Found> {
  const found = await find(database, device)
  const { rowCount } = await database.transaction(system, (client) => client.query('UPDATE device SET revoked_at = $2, revoked_reason = $3 WHERE id = $1 AND revoked_at IS NULL', [device, new Date(), reason]))
  if (rowCount === 0) throw new CommandFailure(exits.refused, `Device ${device} was revoked by somebody else in this moment. Nothing was changed.`)
  return found
}

function tell(options: Options, device: string, { station_code, records }: Found, isDry: boolean): void {
  if (options['json'] !== undefined) return void process.stdout.write(`${JSON.stringify({ device, station: station_code, recordsThatCount: records, revoked: !isDry })}\n`)
  process.stdout.write(`${isDry ? 'Would revoke' : 'Revoked'} device ${device} of station ${station_code}. ${records} records of it count and stay so: people look at them by the paper. What it signs and hands in from now on goes to quarantine.\n`)
}
