import type { FastifyInstance } from 'fastify'
import { Compile } from 'typebox/compile'
import { SupervisorLetters } from '@kawal/contract/sigmon.ts'
import { formatLetterCode } from '@kawal/core/measurement/letter.ts'
import type { Caller, Database } from '../adapters/postgres/database.ts'
import { bodyOf } from '../body.ts'
import { ProblemError } from '../problem.ts'
import { callerWho, sendCsv, type FlatRow } from '../readiness/ask.ts'
import { inArea } from '../readiness/read.ts'
import { readLetters } from './read-letters.ts'

interface LetterNeeds {
  readonly database: Database
  readonly clock: () => number
  /** Where people find the server; the address that was asked at without it. */
  readonly publicUrl?: string | undefined
}

const checkLetters = Compile(SupervisorLetters)

/** Supervisors' letters are Bawaslu's to issue: each time is written down before a secret leaves. */
export function letterRoutes(app: FastifyInstance, { database, clock, publicUrl }: LetterNeeds): void {
  app.post('/v1/supervisor-letters', async (request, reply) => {
    const caller = callerWho(request, 'write', 'supervisor_letter')
    const { area } = bodyOf(checkLetters, request.body)
    await note(database, caller, area, clock())
    const url = (publicUrl ?? `${request.protocol}://${request.host}`).replace(/\/+$/, '')
    return sendCsv(reply.header('cache-control', 'no-store'), `surat-pengawas-${area}`, columns, rowsOf(readLetters(database, area, url, 'supervisor')))
  })
}

const columns = ['station', 'village', 'district', 'regency', 'province', 'code', 'link']

function note(database: Database, caller: Caller, area: string, now: number): Promise<void> {
  return database.transaction(caller, async (client) => {
    const { rows: [counted] } = await client.query<{ stations: number }>(`SELECT count(*)::integer AS stations FROM station_now WHERE ${inArea('code', '$1')}`, [area])
    if (counted === undefined || counted.stations === 0) throw new ProblemError('not_found', `The register has no stations in ${area}.`)
    await client.query('INSERT INTO supervisor_letter (organisation_id, area, stations, issued_at) VALUES ($1, $2, $3, $4)', [caller.organisation, area, counted.stations, new Date(now)])
  })
}

async function* rowsOf(letters: ReturnType<typeof readLetters>): AsyncGenerator<FlatRow> {
  for await (const village of letters) for (const { code, ...letter } of village) yield { ...letter, code: formatLetterCode(code) }
}
