import type { FastifyInstance, FastifyRequest } from 'fastify'
import { Enrolment, ReportBatch, type Enrolled } from '@kawal/contract/report.ts'
import { timingSafeEqual } from 'node:crypto'
import type { Database } from '../adapters/postgres/database.ts'
import { ProblemError } from '../problem.ts'
import { Attempts } from './attempts.ts'
import { deviceToken, enrol, readDeviceToken, stationCode, station_devices_max, type Device } from './enrolment.ts'
import type { createIngest } from './ingest.ts'

interface MeasurementDependencies {
  readonly database: Database
  readonly secret: Buffer
  readonly clock: () => number
  readonly ingest: ReturnType<typeof createIngest>
  readonly stationOf: (code: string) => Promise<Enrolled['station'] | null>
  readonly networkOperator: (address: string) => Promise<string | null>
  readonly targets: { readonly election: string | null; readonly internet: string | null }
  /** Devices that may enrol at one station; without it the default. */
  readonly stationDevices_max?: number | undefined
}

/**
 * Wrong codes within ten minutes: of one address for one station, of one address for all, and of all for
 * one station. A whole village may share an address behind its operator's translation.
 */
const wrong_codes_max = { here: 20, address: 1_000, station: 200 }
const down_bytes_max = 150_000
const up_bytes_max = 75_000

export function measurementRoutes(app: FastifyInstance, needs: MeasurementDependencies): void {
  const wrong = new Attempts()

  app.post<{ Body: Enrolment }>('/v1/devices', { schema: { body: Enrolment } }, async (request, reply): Promise<Enrolled> => {
    const { station: code, code: given } = request.body
    const guesses = { here: `${request.ip} ${code}`, address: request.ip, station: code }
    refuseGuessing(wrong, guesses, needs.clock())
    const station = await needs.stationOf(code)
    if (station === null) throw new ProblemError('station_unknown', `${code} is not in the register. The code has 13 digits: village, then the number of the station.`)
    const right = Buffer.from(stationCode(needs.secret, code))
    const sent = Buffer.from(given.trim().toUpperCase().replaceAll('-', ''))
    if (sent.length !== right.length || !timingSafeEqual(sent, right)) {
      for (const key of Object.values(guesses)) wrong.failed(key, needs.clock())
      throw new ProblemError('code_wrong', `Read the code in the appointment letter of station ${code} again.`)
    }
    const device = await enrol(needs.database, code, needs.clock(), needs.stationDevices_max)
    if (device === null) throw new ProblemError('station_full', `Station ${code} has ${needs.stationDevices_max ?? station_devices_max} devices already. Ask the helpdesk of your district.`)
    void reply.code(201)
    return { device: device.id, token: deviceToken(needs.secret, device), station }
  })

  app.post<{ Body: ReportBatch }>('/v1/reports', { schema: { body: ReportBatch }, bodyLimit: 1_000_000 }, async (request, reply) => {
    const device = deviceOf(request, needs.secret)
    if (device.station !== request.body.station)
      throw new ProblemError('not_allowed', `This device belongs to station ${device.station}. Enrol it again to move it.`)
    const operator = await needs.networkOperator(request.ip)
    const receipt = await needs.ingest.submit(device, request.body.samples, { receivedAt: needs.clock(), sentAt: request.body.sentAt ?? null }, operator)
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
  app.addContentTypeParser('application/octet-stream', (_, payload, done) => {
    // The server times an upload: a phone only knows when it handed the bytes to its own system.
    const started = performance.now()
    let bytes = 0
    payload.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes <= up_bytes_max) return
      payload.removeAllListeners('data').resume()
      done(new ProblemError('too_large', `An upload test has at most ${up_bytes_max} bytes.`))
    })
    payload.once('end', () => bytes <= up_bytes_max && done(null, { bytes, ms: Math.max(0.1, performance.now() - started) }))
    payload.once('error', (error) => done(error))
  })
  app.post<{ Body: { bytes: number; ms: number } | undefined }>('/v1/probe/up', (request) => {
    if (!(typeof request.body?.ms === 'number' && request.body.bytes > 0)) throw new ProblemError('body_invalid', 'Send some bytes as application/octet-stream.')
    return { bytes: request.body.bytes, kbps: Math.round((request.body.bytes * 8) / request.body.ms) }
  })
}

function deviceOf(request: FastifyRequest, secret: Buffer): Device {
  const token = request.headers.authorization?.replace(/^Bearer /, '') ?? ''
  const device = readDeviceToken(secret, token)
  if (device === null) throw new ProblemError('device_unknown', 'Enrol this device with the code of its station: POST /v1/devices.')
  return device
}

/** 39 bits are no use to a guesser who gets so few tries. */
function refuseGuessing(wrong: Attempts, guesses: Readonly<Record<keyof typeof wrong_codes_max, string>>, now: number): void {
  const waits = (['here', 'address', 'station'] as const).map((scope) => wrong.wait_s(guesses[scope], wrong_codes_max[scope], now))
  const wait_s = Math.max(...waits)
  if (wait_s > 0) throw new ProblemError('too_many_attempts', 'Too many wrong codes. Wait, then read the code in the appointment letter again.', wait_s)
}
