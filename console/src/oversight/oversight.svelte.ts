import type { WitnessedLogs } from '@kawal/contract/witness.ts'
import { call, type Answer } from '../server.ts'
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
