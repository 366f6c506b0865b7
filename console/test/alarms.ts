import type { AlarmRow } from '@kawal/contract/alarm.ts'
import type { PlannedWorkRow } from '@kawal/contract/planned-work.ts'

/** Alarms of two operators, and what they announced: placed and not, active and cleared, of every state. */
const minute = 60_000
const iso = (at: number): string => new Date(at).toISOString()

/** @param now server's clock, ms */
function fixtureAlarms(now: number): AlarmRow[] {
  const alarm = (id: string, ago: number, change: Partial<AlarmRow>): AlarmRow => ({
    id, operator: 'telkomsel', source: 'tmf642', externalId: `x-${id}`, title: 'Link transmisi putus', object: 'MW Ruteng - Reok', severity: 'critical', state: 'active', probableCause: 'transmissionError', suggests: 'backhaul',
    raisedAt: iso(now - ago * minute), changedAt: iso(now - ago * minute), clearedAt: null, receivedAt: iso(now - ago * minute), raisedCount: 1, acknowledged: false, placedBy: 'area', unplacedReason: null, areas: ['5310'], points: [], stations: 96, ...change,
  })
  return [
    alarm('TSEL-884213', 33, {}),
    alarm('884214', 31, { title: 'Cell unavailable', object: 'REO-0123', severity: 'major', probableCause: 'receiverFailure', suggests: 'access', areas: ['531004', '531102', '530501', '5301'], stations: 14, raisedCount: 3, source: 'alertmanager' }),
    alarm('884217', 120, { operator: 'indosat', title: 'Mains failure', object: null, severity: 'minor', probableCause: 'powerProblem', suggests: 'power', state: 'cleared', clearedAt: iso(now - 75 * minute), areas: ['5301'], stations: 40 }),
    alarm('884219', 8, { operator: 'indosat', title: 'Suhu ruang perangkat tinggi', object: 'SITE-??', severity: 'warning', probableCause: 'temperatureUnacceptable', suggests: null, placedBy: null, unplacedReason: 'site_unknown', areas: [], stations: 0 }),
    alarm('884220', 5, { title: 'Keadaan tidak jelas', object: null, severity: 'indeterminate', probableCause: 'indeterminate', suggests: null, placedBy: null, unplacedReason: 'nothing_named', areas: [], stations: 0 }),
  ]
}

/** @param now server's clock, ms */
function fixtureWorks(now: number): PlannedWorkRow[] {
  const work = (id: string, from: number, to: number, change: Partial<PlannedWorkRow>): PlannedWorkRow => ({
    id, operator: 'indosat', title: 'Penggantian catu daya Umalulu', from: iso(now + from * minute), to: iso(now + to * minute), areas: ['531102'], reason: 'Baterai habis masa pakai', state: 'running', announcedAt: iso(now - 3000 * minute), announcedBy: 'indosat', withdrawnAt: null, version: 1, measured: null, ...change,
  })
  return [
    work('PT-0007', -60, 120, { measured: { stations: 14, disturbances: ['g-6'], outside: [{ disturbance: 'g-1', kind: 'area', operator: 'indosat', stations: 3 }, { disturbance: 'g-2', kind: 'operator', operator: null, stations: 5 }], overrun: { disturbances: ['g-6'], minutes: 25 } } }),
    work('PT-0008', 600, 900, { operator: 'telkomsel', title: 'Pembaruan perangkat lunak', areas: ['5301', '5302', '5303', '5304', '5305'], state: 'upcoming', reason: 'Di luar jam pemungutan suara' }),
    work('PT-0005', -900, -700, { state: 'ended', measured: { stations: 0, disturbances: [], outside: [], overrun: null } }), work('PT-0006', -300, -200, { title: 'Pemindahan kabel', state: 'withdrawn', withdrawnAt: iso(now - 400 * minute), version: 2 }),
  ]
}

/** Rows as the server narrows them; what it takes and gives back. */
export function answerAlarms(path: string, method: string, query: URLSearchParams, body: string, bare: boolean): { status: number; body: unknown } | null {
  const now = Date.now()
  const wanted = (row: { operator: string; state: string; areas: readonly string[] }): boolean =>
    (query.get('state') ?? row.state) === row.state && (query.get('operator') ?? row.operator) === row.operator && (query.get('area') === null || row.areas.some((code) => code.startsWith(query.get('area') ?? '')))
  const listed = <Row>(rows: readonly Row[]): { status: number; body: unknown } => ({ status: 200, body: { total: bare ? 0 : rows.length, rows: bare ? [] : rows } })
  if (path === '/v1/alarms') return listed(fixtureAlarms(now).filter((row) => wanted(row) && (query.get('severity') ?? row.severity) === row.severity))
  if (!path.startsWith('/v1/planned-work')) return null
  if (method === 'GET') return listed(fixtureWorks(now).filter(wanted))
  if (method === 'DELETE') return { status: 204, body: null }
  if (body.startsWith('title,')) return { status: 200, body: { added: 1, known: 0, refused: 1, rows: [{ line: 2, status: 'added', id: 'PT-0009', from: null, to: null, reason: null }, { line: 3, status: 'refused', id: null, from: null, to: null, reason: 'from "besok" is no instant' }] } }
  return body.includes('"99"') ? { status: 400, body: { status: 400, code: 'body_invalid', title: 'Bad', detail: 'There is no area 99 in the register.' } } : { status: 201, body: fixtureWorks(now)[1] }
}
