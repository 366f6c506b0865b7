import type { FastifyInstance, FastifyRequest } from 'fastify'
import { Enrolment, ReportBatch, type Enrolled } from '@kawal/contract/report.ts'
import { timingSafeEqual } from 'node:crypto'
import type { Database } from '../adapters/postgres/database.ts'
import { ProblemError } from '../problem.ts'
import { deviceToken, enrol, readDeviceToken, stationCode, type Device } from './enrolment.ts'
import type { createIngest } from './ingest.ts'

export interface MeasurementDependencies {
  readonly database: Database
  readonly secret: Buffer
  readonly clock: () => number
  readonly ingest: ReturnType<typeof createIngest>
  readonly stationOf: (code: string) => Promise<Enrolled['station'] | null>
  readonly networkOperator: (address: string) => Promise<string | null>
  readonly targets: { readonly election: string | null; readonly internet: string | null }
}

const wrong_codes_max = 20
const wrong_codes_window_ms = 10 * 60_000
const down_bytes_max = 150_000
const up_bytes_max = 75_000

export function measurementRoutes(app: FastifyInstance, needs: MeasurementDependencies): void {
  const wrong = new Map<string, { count: number; since: number }>()

  app.post<{ Body: Enrolment }>('/v1/devices', { schema: { body: Enrolment } }, async (request, reply): Promise<Enrolled> => {
    refuseGuessing(wrong, request.ip, needs.clock())
    const { station: code, code: given } = request.body
    const station = await needs.stationOf(code)
    if (station === null) throw new ProblemError('station_unknown', `${code} is not in the register. The code has 13 digits: village, then the number of the station.`)
    const right = Buffer.from(stationCode(needs.secret, code))
    const sent = Buffer.from(given.trim().toUpperCase().replaceAll('-', ''))
    if (sent.length !== right.length || !timingSafeEqual(sent, right)) {
      const seen = wrong.get(request.ip) ?? { count: 0, since: needs.clock() }
      wrong.set(request.ip, { ...seen, count: seen.count + 1 })
      throw new ProblemError('code_wrong', `Read the code in the appointment letter of station ${code} again.`)
    }
    const device = await enrol(needs.database, code, needs.clock())
    void reply.code(201)
    return { device: device.id, token: deviceToken(needs.secret, device), station }
  })

  app.post<{ Body: ReportBatch }>('/v1/reports', { schema: { body: ReportBatch }, bodyLimit: 1_000_000 }, async (request, reply) => {
    const device = deviceOf(request, needs.secret)
    if (device.station !== request.body.station)
      throw new ProblemError('not_allowed', `This device belongs to station ${device.station}. Enrol it again to move it.`)
    const operator = await needs.networkOperator(request.ip)
    const receipt = await needs.ingest.submit(device, request.body.samples, needs.clock(), operator)
    return reply.code(202).send(receipt)
  })

  app.get('/v1/ping', (_, reply) => reply.header('cache-control', 'no-store').send({ now: new Date(needs.clock()).toISOString() }))
  app.get('/v1/sigmon/config', () => needs.targets)

  const filler = Buffer.alloc(down_bytes_max, 'kawal-sinyal ')
  app.get<{ Querystring: { bytes: number } }>(
    '/v1/probe/down',
    { schema: { querystring: { type: 'object', required: ['bytes'], properties: { bytes: { type: 'integer', minimum: 1, maximum: down_bytes_max } } } } },
    (request, reply) => reply.header('cache-control', 'no-store, no-transform').type('application/octet-stream').send(filler.subarray(0, request.query.bytes)),
  )
  app.addContentTypeParser('application/octet-stream', { bodyLimit: up_bytes_max }, (request, payload, done) => {
    // The server times an upload: a phone only knows when it handed the bytes to its own system.
    const started = performance.now()
    let bytes = 0
    payload.on('data', (chunk: Buffer) => (bytes += chunk.length))
    payload.on('end', () => done(null, { bytes, ms: Math.max(0.1, performance.now() - started) }))
    payload.on('error', (error) => done(error))
    void request
  })
  app.post<{ Body: { bytes: number; ms: number } }>('/v1/probe/up', (request) => ({
    bytes: request.body.bytes,
    kbps: Math.round((request.body.bytes * 8) / request.body.ms),
  }))
}

function deviceOf(request: FastifyRequest, secret: Buffer): Device {
  const token = request.headers.authorization?.replace(/^Bearer /, '') ?? ''
  const device = readDeviceToken(secret, token)
  if (device === null) throw new ProblemError('device_unknown', 'Enrol this device with the code of its station: POST /v1/devices.')
  return device
}

/** 39 bits are no use to a guesser who gets 20 tries in 10 minutes. */
function refuseGuessing(wrong: Map<string, { count: number; since: number }>, address: string, now: number): void {
  const seen = wrong.get(address)
  if (seen === undefined) return
  if (now - seen.since > wrong_codes_window_ms) wrong.delete(address)
  else if (seen.count >= wrong_codes_max)
    throw new ProblemError('too_many_attempts', 'Too many wrong codes from this address.', Math.ceil((seen.since + wrong_codes_window_ms - now) / 1000))
}
