import { encode } from 'fast-png'
import type { CommentRow } from '@kawal/contract/comment.ts'
import type { PushGiven, PushRow } from '@kawal/contract/push.ts'

const minute = 60_000

export interface RoomSite {
  /** Of the first disturbance, beside the fixture's. */
  readonly comments: CommentRow[]
  readonly subscriptions: PushRow[]
  /** The server calls nobody. */
  offHere: boolean
  /** No more comments are taken. */
  full: boolean
}

/** @param id of the disturbance; of others nobody wrote */
export function fixtureComments(id: string, now: number): CommentRow[] {
  if (id !== 'g-1') return []
  const comment = (number: number, ago: number, more: Partial<CommentRow>): CommentRow => ({ id: String(number), at: new Date(now - ago * minute).toISOString(), organisation: 'telkomsel', organisationName: 'Telkomsel', name: 'Rina, NOC', text: '', file: null, ...more })
  return [
    comment(1, 33.5, { text: 'Genset <b>jalan</b>,\nteknisi di lokasi' }), comment(2, 27, { text: 'Menara dari jalan', file: { name: 'menara.png', mimeType: 'image/png', bytes: 2_340_000 } }),
    comment(3, 4, { organisation: 'isp-satu', organisationName: 'ISP Satu', name: 'k-0123456789', file: { name: 'rute kabel.pdf', mimeType: 'application/pdf', bytes: 81_000 } }),
  ]
}

/** One that the operator writes now. */
export const fixtureComment = ({ comments }: RoomSite, text: string): CommentRow => ({ id: String(comments.length + 4), at: new Date().toISOString(), organisation: 'telkomsel', organisationName: 'Telkomsel', name: 'Rina, NOC', text, file: null })

const picture = (): Uint8Array => encode({ width: 160, height: 120, channels: 3, data: Uint8Array.from({ length: 160 * 120 * 3 }, (_, i) => (i * 7) % 256) })
/** A point of P-256 (RFC 8291, appendix A). */
const publicKey = 'BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4'

interface Reply { readonly status: number; readonly body?: unknown; readonly bytes?: Uint8Array; readonly type?: string }

/** Comments and pushes as the server gives them. */
export function answerRoom(site: RoomSite, path: string, method: string, body: string): Reply | null {
  const [, of, file] = /^\/v1\/disturbances\/([^/]+)\/comments(\/\d+\/file)?$/.exec(path) ?? []
  if (of !== undefined) return file === undefined ? answerComments(site, of, method, body) : file === '/2/file' ? { status: 200, bytes: picture(), type: 'image/png' } : { status: 200, bytes: new Uint8Array(81), type: 'application/octet-stream' }
  const [, id, tried] = /^\/v1\/push\/([^/]+)(\/test)?$/.exec(path) ?? []
  if (tried !== undefined) return { status: 200, body: { outcome: 'sent', error: null } }
  if (id !== undefined) {
    site.subscriptions.splice(site.subscriptions.findIndex((row) => row.id === id), 1)
    return { status: 204 }
  }
  if (path !== '/v1/push') return null
  if (method === 'GET') return { status: 200, body: { publicKey: site.offHere ? null : publicKey, rows: site.subscriptions } }
  const { endpoint, language = 'id' } = JSON.parse(body) as PushGiven
  const row: PushRow = { id: `00000000-0000-4000-8000-00000000000${site.subscriptions.length}`, endpoint, label: 'Chrome, Linux', language, madeAt: '2029-02-14T03:00:00.000Z', failedAt: null }
  site.subscriptions.push(row)
  return { status: 201, body: row }
}

function answerComments(site: RoomSite, of: string, method: string, body: string): Reply {
  if (method === 'GET') return { status: 200, body: { rows: of === 'g-1' ? [...fixtureComments(of, Date.now()), ...site.comments] : [] } }
  if (site.full) return { status: 409, body: { status: 409, code: 'state_conflict', title: 'The present state does not allow this', detail: 'This disturbance has 500 comments, which is all that are kept.' } }
  const { text = '', file } = JSON.parse(body) as { text?: string; file?: { name: string; mimeType: string; content: string } }
  const row: CommentRow = {
    id: String(site.comments.length + 4), at: new Date().toISOString(), organisation: 'komdigi', organisationName: 'Komdigi', name: 'Petugas jaga', text,
    file: file === undefined ? null : { name: file.name, mimeType: file.mimeType, bytes: atob(file.content).length },
  }
  site.comments.push(row)
  return { status: 201, body: row }
}
