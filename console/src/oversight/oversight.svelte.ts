import type { RecapCompleteness, RecapGap, RecapGaps } from '@kawal/contract/completeness.ts'
import type { WitnessedLogs } from '@kawal/contract/witness.ts'
import { asked, call, type Answer } from '../server.ts'
import { room } from '../room.svelte.ts'
import { oversightEn } from '../words/oversight-en.ts'
import { oversightId, type OversightWords } from '../words/oversight-id.ts'

export const oversightWords = (): OversightWords => (room.view.language === 'en' ? oversightEn : oversightId)

/** What the log shows to anybody: its key and its newest checkpoint, as they are. */
interface LogState { readonly key: string; readonly checkpoint: string }

export async function readLog(prefix: string, signal: AbortSignal): Promise<Answer<LogState>> {
  try {
    const [key, checkpoint] = await Promise.all(['key', 'checkpoint'].map((name) => textOf(`${prefix}/${name}`, signal)))
    return { ok: true, value: { key: key?.trim() ?? '', checkpoint: checkpoint ?? '' } }
  } catch (error) {
    return { ok: false, problem: { status: 0, code: 'unreachable', title: '', detail: error instanceof Error ? error.message : '' } }
  }
}

/** How the witnesses of each log do. */
export const readWitnesses = (_: null, signal: AbortSignal): Promise<Answer<WitnessedLogs>> => call('/v1/ledger/witnesses', { signal })

async function textOf(path: string, signal: AbortSignal): Promise<string> {
  const answer = await fetch(path, { signal })
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`)
  return answer.text()
}

/** The worst first. */
export const gapKinds: readonly RecapGap['kind'][] = ['custody', 'missing', 'branch', 'quarantine', 'undelivered', 'photos', 'empty']
type Query = Readonly<Record<string, string | null>>
export const readCompleteness = (query: Query, signal: AbortSignal): Promise<Answer<RecapCompleteness>> => call(`/v1/recaps/completeness${asked(query)}`, { signal })
export const readGaps = (query: Query, signal: AbortSignal): Promise<Answer<RecapGaps>> => call(`/v1/recaps/completeness/gaps${asked(query)}`, { signal })
export const gapsCsv = (query: Query): string => `/v1/recaps/completeness/gaps${asked({ ...query, format: 'csv' })}`
