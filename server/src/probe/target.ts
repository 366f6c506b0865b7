import { networkInterfaces } from 'node:os'
import { openLine, step, type Step, type StepName } from './line.ts'

/** As in contract/report.ts. */
export type Reach = 'ok' | 'timeout' | 'offline' | 'portal' | 'http_error' | 'wrong_clock' | 'untested'

export interface TargetResult {
  readonly reach: Reach
  readonly steps: readonly Step[]
  readonly failed: StepName | null
  readonly status: number | null
  readonly bytes: number
}

export const untested: TargetResult = { reach: 'untested', steps: [], failed: null, status: null, bytes: 0 }

/**
 * Tries one target with a HEAD request: what answers is the point, not what it says.
 * @param step_ms how long each step may take
 */
export async function tryTarget(target: string, step_ms: number): Promise<TargetResult> {
  const url = new URL(target)
  const { steps, line, bytes } = await openLine(url, step_ms)
  if (line === null) return ended(steps, null, bytes())
  try {
    const answer = await step(steps, 'http', async () => {
      const { status, headers } = await line.ask({ method: 'HEAD', path: url.pathname + url.search, within_ms: step_ms })
      return { status, location: headers.location ?? null }
    }, ({ status }) => String(status))
    return ended(steps, answer, bytes(), url)
  } finally {
    line.close()
  }
}

interface Answered {
  readonly status: number
  readonly location: string | null
}

/**
 * Puts the outcome of the steps into the words of a report.
 * @param isOurs of the platform: whether its own form came back; a page in its place is a portal's
 */
export function ended(steps: Step[], answer: Answered | null, bytes: number, url?: URL, isOurs = true): TargetResult {
  const broken = steps.find((each) => !each.ok)
  const status = answer?.status ?? null
  if (broken !== undefined) return { reach: reachOf(broken), steps, failed: broken.step, status, bytes }
  const fault = answer === null || url === undefined ? null : (answerFault(answer, url) ?? (isOurs ? null : { reach: 'portal' as const, detail: `something else answers in its place (HTTP ${answer.status}): a log-in page, or a wrong address` }))
  if (fault === null) return { reach: 'ok', steps, failed: null, status, bytes }
  const last = steps.pop()
  if (last !== undefined) steps.push({ ...last, ok: false, detail: fault.detail })
  return { reach: fault.reach, steps, failed: 'http', status, bytes }
}

function reachOf({ step: name, code }: Step): Reach {
  if (code === 'CERT_NOT_YET_VALID') return 'wrong_clock'
  // something was reached, and spoke wrongly
  if (name === 'tls' && code !== 'timeout' && code !== 'ECONNRESET') return 'http_error'
  if (name === 'http' && code?.startsWith('HPE_') === true) return 'http_error'
  return isConnected() ? 'timeout' : 'offline'
}

/**
 * A log-in page shows itself over plain HTTP only: it cannot answer for another name over TLS. There it sends
 * elsewhere, answers 511 (RFC 6585), or answers where nothing was to be said (`generate_204`).
 */
function answerFault({ status, location }: Answered, url: URL): { reach: Reach; detail: string } | null {
  const elsewhere = location !== null && URL.canParse(location, url.href) && new URL(location, url.href).hostname !== url.hostname
  if (status === 511 || (url.protocol === 'http:' && status >= 300 && status < 400 && elsewhere)) return { reach: 'portal', detail: `a log-in page answers (HTTP ${status}${elsewhere ? `, sends to ${new URL(location, url.href).hostname}` : ''})` }
  if (url.protocol === 'http:' && url.pathname.endsWith('generate_204') && status === 200) return { reach: 'portal', detail: 'a page answers where none is (HTTP 200 in place of 204): a log-in page' }
  // a server that only takes GET has answered
  if (status >= 400 && status !== 405 && status !== 501) return { reach: 'http_error', detail: `HTTP ${status}${status >= 500 ? ': the server itself fails' : ''}` }
  return null
}

/** Whether this machine has any address that reaches beyond itself. */
function isConnected(): boolean {
  return Object.values(networkInterfaces()).some((addresses) => addresses?.some((each) => !each.internal && !each.address.startsWith('fe80:')) === true)
}
