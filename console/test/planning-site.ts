import type { IncomingMessage } from 'node:http'
import type { Role } from '@kawal/core/organisation/rules.ts'
import {
  neighbourPlaces, planningCampaign, planningCell, planningChallenges, planningDifference, planningEdition, planningEditions, planningFixes, planningMoves, planningPoints, planningRows, planningStation, planningSummary, planningTile, planningUnchecked, planningWhatIf,
} from './planning.ts'

/** What the planning routes answer, and what was sent to them. */
export interface PlanningSite {
  role: Role
  /** Nothing was published, nothing planned. */
  bare: boolean
  /** Everything that was posted, in order. */
  readonly stored: { readonly path: string; readonly body: unknown }[]
}
interface Reply { readonly status: number; readonly body: unknown; readonly bytes?: Uint8Array }
const good = (body: unknown): Reply => ({ status: 200, body })
const refused = (status: number, code: string): Reply => ({ status, body: { status, code, title: code, detail: '' } })

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  let text = ''
  for await (const chunk of request) text += String(chunk)
  return text === '' ? null : JSON.parse(text)
}

/** @returns null where the path is none of planning's */
export async function answerPlanning(site: PlanningSite, request: IncomingMessage, url: URL): Promise<Reply | null> {
  const { pathname: path, searchParams: query } = url
  if (!/^\/v1\/(readiness|siting|positions|campaign|access-points|atlas|stations)/.test(path)) return null
  if (request.method === 'POST') return answerPost(site, path, await bodyOf(request))
  return path.startsWith('/v1/atlas/') ? answerAtlas(site, path) : answerPlan(site, path, query)
}

function answerPlan(site: PlanningSite, path: string, query: URLSearchParams): Reply | null {
  const now = Date.now()
  const area = query.get('area')
  if (path === '/v1/stations') return area === null ? null : good({ now: new Date(now).toISOString(), total: 12, stations: neighbourPlaces().filter((row) => row.code.startsWith(area)).map((row) => ({ ...row, status: 'unknown', disturbanceId: null })) })
  const station = /^\/v1\/stations\/(\d{13})\/readiness$/.exec(path)?.[1]
  if (station !== undefined) return good(planningStation(station, now))
  if (path.startsWith('/v1/stations')) return null
  if (site.role === 'noc' || site.role === 'association') return refused(403, 'not_allowed')
  const level = query.get('level')
  if (path === '/v1/campaign') return good(planningCampaign((level ?? 'regency') as 'regency', area, now, site.stored.some((each) => each.path === '/v1/campaign/reminders')))
  if (path === '/v1/campaign/stations') return good(planningUnchecked(area, now))
  if (path === '/v1/positions') return good(planningFixes(now, new Set(site.stored.flatMap((each) => /^\/v1\/positions\/(.+)\/decision$/.exec(each.path)?.[1] ?? []))))
  if (site.bare) return refused(404, 'not_found')
  if (path === '/v1/readiness') return good(planningRows(query, now))
  if (path === '/v1/readiness/summary') return good(planningSummary((level ?? 'province') as 'province', area, now))
  if (path === '/v1/siting/moves') return good(planningMoves(query, now))
  return path === '/v1/access-points' ? good(planningPoints(now)) : null
}

function answerAtlas(site: PlanningSite, path: string): Reply | null {
  const now = Date.now()
  const own = site.role === 'noc' ? 'telkomsel' : null
  if (path === '/v1/atlas/challenges') return good(planningChallenges(now).filter((each) => own === null || each.operator === own))
  if (site.role === 'association') return refused(403, 'not_allowed')
  if (path === '/v1/atlas/editions') return good(site.bare ? [] : planningEditions(now, own))
  const tile = /\/tiles\/([a-z]+)\/[a-z]+\/(\d+)\/(\d+)\/(\d+)\.mvt$/.exec(path)
  if (tile !== null) return { status: 200, body: null, bytes: planningTile(tile[1] ?? '', Number(tile[2]), Number(tile[3]), Number(tile[4])) }
  const cell = /\/cell\/([0-9a-f]{15})$/.exec(path)?.[1]
  if (cell !== undefined) return good(planningCell(cell, own))
  if (path.includes('/difference/')) return good(planningDifference())
  const edition = /^\/v1\/atlas\/editions\/([0-9a-f]{12})$/.exec(path)?.[1]
  return edition === undefined ? null : good(planningEdition(edition, now, own))
}

function answerPost(site: PlanningSite, path: string, body: unknown): Reply {
  const now = new Date().toISOString()
  // asking what would be stores nothing, so it is not among what was stored
  if (path === '/v1/siting/what-if') {
    const { area, walkKmMax } = body as { area: string; walkKmMax?: number }
    return good(planningWhatIf(area, walkKmMax ?? 5))
  }
  site.stored.push({ path, body })
  if (path === '/v1/siting/decisions') {
    const list = body as { station: string; venue: string }[]
    return good({ accepted: list.length, results: list.map(({ station, venue }) => ({ station, venue, done: true, refusal: null, detail: '' })) })
  }
  if (path === '/v1/campaign/reminders') return good({ remindedAt: now, total: 312, unknown: [], stations: [] })
  if (path === '/v1/atlas/challenges') return { status: 201, body: { ...planningChallenges(Date.now())[0], ...(body as object), id: '44444444-4444-4444-8444-444444444444' } }
  if (path.endsWith('/position')) return good({ id: 'f-9', station: path.split('/')[3], status: 'accepted', warnings: ['far_from_village'], distanceKm: 6.1 })
  return good({})
}
