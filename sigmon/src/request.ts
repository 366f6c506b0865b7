import type { Problem } from '@kawal/contract/problem.ts'
import type { Environment } from './environment.ts'

const answer_ms_max = 30_000

export type Reaching = Pick<Environment, 'fetch' | 'setTimer' | 'clearTimer'>

/** @returns null when no answer came, or not in time. Chromium of 2021 has no AbortSignal.timeout. */
export async function request(reach: Reaching, path: string, init: RequestInit = {}, ms = answer_ms_max): Promise<Response | null> {
  const abort = new AbortController()
  const timer = reach.setTimer(() => abort.abort(), ms)
  try {
    const answer = await reach.fetch(path, { ...init, signal: abort.signal })
    // The body may stop on the way: it is read while the time still counts.
    const body = [204, 304].includes(answer.status) ? null : await answer.arrayBuffer()
    return new Response(body, { status: answer.status, headers: answer.headers })
  } catch {
    return null
  } finally {
    reach.clearTimer(timer)
  }
}

export const json = (body: unknown): RequestInit => ({ method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })

/** The body as JSON; null when it is none, as a portal's page. */
export async function read<T>(answer: Response): Promise<T | null> {
  try {
    return (await answer.json()) as T
  } catch {
    return null
  }
}

/** What the server says is wrong. */
export async function problemOf(answer: Response): Promise<Pick<Problem, 'code' | 'detail'>> {
  const body = await read<Partial<Problem>>(answer)
  return { code: body?.code ?? '', detail: body?.detail ?? `HTTP ${answer.status}` }
}

/** Seconds of Retry-After, or its date against the phone's clock; bounded by an hour: a slip there must not silence a phone for a day. */
export function retryAfter_ms(answer: Response, now: number): number {
  const told = answer.headers.get('retry-after')
  if (told === null) return 0
  const ms = /^\d+$/.test(told) ? Number(told) * 1000 : Date.parse(told) - now
  return Number.isFinite(ms) ? Math.min(3_600_000, Math.max(0, ms)) : 0
}
