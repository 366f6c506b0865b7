import type { AuditRow } from '@kawal/contract/audit.ts'
import type { KeyRow } from '@kawal/contract/key.ts'

const act = (id: number, change: Partial<AuditRow>): AuditRow => ({
  id, at: '2029-02-14T03:00:00.000Z', organisation: 'telkomsel', role: 'noc', staff: null, name: null, key: null, contact: null, address: '203.0.113.9', method: 'PATCH', path: '/tmf-api/troubleTicket/v5/troubleTicket/TT-g-1',
  subject: 'TT-g-1', reason: null, status: 200, endedAt: '2029-02-14T03:00:00.010Z', made: null, request: null, facts: null, entry: 1_200 + id, salt: 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=', outcomeEntry: 1_201 + id, outcomeSalt: 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=', ...change,
})
const acts: readonly AuditRow[] = [
  act(905, { name: 'Petugas malam', staff: '00000000-0000-4000-8000-000000000001', reason: 'Catu daya <b>cadangan</b> dinyalakan', facts: { status: 'resolved', relatedEntity: ['g-1', 'g-2'] } }),
  act(904, { key: 'k-0123456789', method: 'POST', path: '/v1/keys', subject: null, status: 403 }),
  act(903, { organisation: 'kawal', role: 'nobody', method: 'POST', path: '/v1/session', status: 401 }),
  act(902, { organisation: 'kawal', role: 'system', name: 'operator', address: null, method: 'CLI', path: 'org invite', status: 0 }),
  act(901, { method: 'POST', path: '/v1/something-new', status: null, endedAt: null, entry: null, outcomeEntry: null, outcomeSalt: null }),
]
const earlier: readonly AuditRow[] = [act(12, { method: 'POST', path: '/v1/announcements', made: '7', status: 201, name: 'Kepala NOC' })]

/** API keys and the audit as the server gives them: two keys at most, and pages of the audit. */
export function createKeys() {
  let keys: KeyRow[] = [{ id: 'k-0123456789', scope: 'all', createdAt: '2029-02-01T00:00:00.000Z', lastUsedAt: '2029-02-14T02:59:00.000Z' }]
  return (path: string, method: string, query: URLSearchParams, body: string, bare: boolean): { status: number; body: unknown } | null => {
    if (path === '/v1/audit') {
      if (bare || query.get('subject') === 'x') return { status: 200, body: { rows: [], next: null } }
      return query.has('before') ? { status: 200, body: { rows: earlier, next: null } } : { status: 200, body: { rows: acts, next: 901 } }
    }
    if (path === '/v1/keys' && method === 'GET') return { status: 200, body: bare ? [] : keys }
    if (path === '/v1/keys' && method === 'POST') {
      const made: KeyRow = { id: 'k-9876543210', scope: (JSON.parse(body) as KeyRow).scope, createdAt: '2029-02-14T04:00:00.000Z', lastUsedAt: null }
      keys = [...keys, made]
      return { status: 201, body: { ...made, key: 'kawal-key-k-9876543210-sekali-saja' } }
    }
    if (path.startsWith('/v1/keys/') && method === 'DELETE') {
      keys = keys.filter(({ id }) => !path.endsWith(id))
      return { status: 204, body: null }
    }
    return null
  }
}
