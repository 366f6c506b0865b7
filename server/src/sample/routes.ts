import type { FastifyInstance, FastifyRequest } from 'fastify'
import { Compile } from 'typebox/compile'
import { cose_type } from '@kawal/contract/handing-in.ts'
import { AuditorKeyGiven, SampleGiven, sampleQuery, sampleScopeQuery, slotQuery, type AuditorKeyRow, type SampleDetail, type SampleRows, type SampleScope, type SampleSlot } from '@kawal/contract/sample.ts'
import type { Instant } from '@kawal/core/kernel/clock.ts'
import { signed_bytes_max } from '@kawal/core/recap/cose.ts'
import { contestDefaults, type Contests } from '@kawal/core/recap/judge.ts'
import type { Caller, Database } from '../adapters/postgres/database.ts'
import { bodyOf } from '../body.ts'
import type { Ledger } from '../ledger/ledger.ts'
import { SignerRefused } from '../ledger/signer.ts'
import { ProblemError } from '../problem.ts'
import { callerWho, sendCsv, takes, wantsCsv } from '../readiness/ask.ts'
import { createSignatures } from '../recap/keys.ts'
import { createAuditors } from './auditors.ts'
import { checkpointIn, createDraws, type KeptDraw } from './draws.ts'
import { createFindings } from './findings.ts'
import { createPhotoReader } from './photo.ts'
import { createRoster } from './roster.ts'
import { detailColumns, detailLines, placeOf, showDetail, showFindings, showRow } from './show.ts'
import { readSlot } from './slots.ts'
import { takeFinding } from './take.ts'

interface SampleNeeds {
  readonly database: Database
  readonly clock: () => Instant
  readonly register: { readonly stations: readonly { readonly code: string }[]; readonly names: ReadonlyMap<string, string> }
  readonly contests?: Contests | undefined
  /** @throws ProblemError where it does not go on */
  readonly ledger: () => Ledger
  /** Folder of photos. */
  readonly photos: string
}

interface Slot { readonly id: string; readonly station: string; readonly contest: string }
const [checkGiven, checkKey] = [Compile(SampleGiven), Compile(AuditorKeyGiven)]
const path = '/v1/audits'

/** Audits by sample. Bawaslu draws and compares; whoever may read recaps reads all of it. */
export function sampleRoutes(app: FastifyInstance, { database, clock, register, contests = contestDefaults, ledger, photos }: SampleNeeds): void {
  const roster = createRoster(register.stations.map(({ code }) => code))
  const [findings, auditors, draws, sendPhoto] = [createFindings(database), createAuditors(database, clock), createDraws({ database, clock, roster, contests: Object.keys(contests) }), createPhotoReader(database, photos)]
  const now = (): string => new Date(clock()).toISOString()

  const detailOf = async (caller: Caller, id: string): Promise<SampleDetail> => {
    const draw = await draws.find(caller, id)
    const found = await findings.of(id)
    return showDetail(showRow(draw, await draws.list(caller), found), await draws.drawn(caller, id), found, { people: await auditors.names(caller), areas: register.names }, clock())
  }

  app.get<{ Querystring: { areas?: string } }>(`${path}/scope`, takes(sampleScopeQuery), (request): SampleScope => {
    callerWho(request, 'read', 'sample')
    const { size, root } = checkpointIn(ledger().checkpoint())
    const areas = [...new Set(['', ...(request.query.areas ?? '').split(',')])]
    return {
      now: now(), roster: { hash: hex(roster.hash()), stations: roster.codes.length }, contests: Object.keys(contests), checkpoint: { size, root: hex(root) },
      areas: areas.map((area) => ({ area, name: register.names.get(area) ?? area, stations: roster.population(area) })),
    }
  })
  app.get(`${path}/roster`, (request, reply) => {
    callerWho(request, 'read', 'sample')
    return reply.type('text/csv; charset=utf-8').header('content-disposition', 'attachment; filename="tps.csv"').send(roster.codes.map((code) => `${code}\n`).join(''))
  })
  app.get(path, async (request): Promise<SampleRows> => {
    const caller = callerWho(request, 'read', 'sample')
    const all = await draws.list(caller)
    const rows = []
    for (const draw of all) rows.push(showRow(draw, all, await findings.of(draw.id)))
    return { now: now(), rows }
  })
  app.post(path, async (request, reply): Promise<SampleDetail> => {
    const { caller, staff } = auditorOf(request)
    const given = bodyOf(checkGiven, request.body)
    const log = ledger()
    const id = await draws.make(given, caller, staff)
    await log.turn()
    void reply.code(201).header('location', `${path}/${id}`)
    return detailOf(caller, id).catch(notYet)
  })
  keyRoutes(app, { auditors, ledger })
  app.get<{ Params: { photo: string } }>(`${path}/photos/:photo`, (request, reply) => sendPhoto(reply, callerWho(request, 'read', 'recap'), request.params.photo))
  app.get<{ Params: { id: string } }>(`${path}/:id`, takes(sampleQuery), async (request, reply) => {
    const detail = await detailOf(callerWho(request, 'read', 'sample'), request.params.id)
    return wantsCsv(request) ? sendCsv(reply, `uji-petik-${detail.entry}`, detailColumns, detailLines(detail)) : detail
  })
  app.get<{ Params: Slot; Querystring: { totals?: string } }>(`${path}/:id/slots/:station/:contest`, takes(slotQuery), async (request): Promise<SampleSlot> => {
    const caller = callerWho(request, 'read', 'sample')
    const { id, station, contest } = request.params
    const draw = await slotIn(caller, request.params)
    const found = (await findings.of(id)).filter(({ finding }) => finding.station === station && finding.contest === contest)
    return { now: now(), station, place: placeOf(station, register.names), contest, ...(await readSlot(database, caller, { station, contest, size: draw.draw.size }, request.query.totals === 'true')), findings: showFindings(found, await auditors.names(caller)) }
  })
  const slotIn = async (caller: Caller, { id, station, contest }: Slot): Promise<KeptDraw> => {
    const draw = await draws.find(caller, id)
    if (!/^[0-9]{13}$/.test(station) || !draw.draw.contests.some((each) => each === contest) || !(await draws.isDrawn(caller, id, station))) throw new ProblemError('not_found', 'This draw has no such station or contest.')
    return draw
  }
  findingRoute(app, { database, ledger, draws, auditors })
}

/** In a scope of its own: nobody else takes bodies of this type. */
function findingRoute(app: FastifyInstance, { database, ledger, draws, auditors }: Pick<SampleNeeds, 'database' | 'ledger'> & { readonly draws: ReturnType<typeof createDraws>; readonly auditors: ReturnType<typeof createAuditors> }): void {
  const signatures = createSignatures()
  void app.register((scope, _, done) => {
    scope.addContentTypeParser(cose_type, { parseAs: 'buffer', bodyLimit: signed_bytes_max }, (_, body, parsed) => parsed(null, body))
    scope.post<{ Params: { id: string } }>(`${path}/:id/findings`, async (request, reply) => {
      const { caller, staff } = auditorOf(request)
      if (!Buffer.isBuffer(request.body)) throw new ProblemError('body_invalid', `Send the signed finding as it is, as ${cose_type}; cose-type="cose-sign1".`)
      const draw = await draws.find(caller, request.params.id)
      const isDrawn = (station: string): Promise<boolean> => draws.isDrawn(caller, draw.id, station)
      const { isNew, receipt } = await takeFinding({ database, ledger, signatures, auditors, isDrawn }, { draw, staff: staff.id, bytes: request.body }).catch(sayStopped)
      return reply.code(isNew ? 201 : 200).type('text/plain; charset=utf-8').send(receipt)
    })
    done()
  })
}

function keyRoutes(app: FastifyInstance, { auditors, ledger }: { readonly auditors: ReturnType<typeof createAuditors>; readonly ledger: () => Ledger }): void {
  app.get(`${path}/keys`, (request): Promise<AuditorKeyRow[]> => auditors.list(callerWho(request, 'read', 'sample'), request.staff?.id ?? null))
  app.post(`${path}/keys`, async (request, reply): Promise<AuditorKeyRow> => {
    const { caller, staff } = auditorOf(request)
    const { publicKey } = bodyOf(checkKey, request.body)
    const log = ledger()
    const isNew = await auditors.enrol(caller, staff, Buffer.from(publicKey, 'base64url'))
    await log.turn()
    const row = (await auditors.list(caller, staff.id)).find((each) => each.publicKey === publicKey)
    if (row === undefined) throw new ProblemError('body_invalid', 'publicKey is no base64url without padding.')
    void reply.code(isNew ? 201 : 200)
    return row
  })
  app.delete<{ Params: { kid: string } }>(`${path}/keys/:kid`, async (request, reply) => {
    const { caller } = auditorOf(request)
    if (!/^[0-9a-f]{16}$/.test(request.params.kid)) throw new ProblemError('not_found', 'A key is named by 16 digits of hex: GET /v1/audits/keys lists all.')
    const log = ledger()
    await auditors.withdraw(caller, request.params.kid)
    await log.turn()
    return reply.code(204).send()
  })
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

/** A person of Bawaslu: nobody draws or signs by a key of a system. */
function auditorOf(request: FastifyRequest): { readonly caller: Caller; readonly staff: { readonly id: string; readonly name: string } } {
  const caller = callerWho(request, 'write', 'sample')
  if (request.staff === null) throw new ProblemError('not_allowed', 'People draw, compare and sign: log in to the console. A key cannot.')
  return { caller, staff: request.staff }
}

const notYet = (error: unknown): never => {
  if (error instanceof ProblemError && error.code === 'not_found') throw new ProblemError('not_ready', 'The draw is kept, and goes into the ledger by itself when it can. Do not throw again: look at the list in a minute.')
  throw error
}

/** A ledger that does not go on takes nothing in. */
function sayStopped(error: unknown): never {
  if (error instanceof SignerRefused) throw new ProblemError('not_ready', 'The ledger is stopped until people have looked at it. The finding was not taken: sign again when it goes on.')
  throw error
}
