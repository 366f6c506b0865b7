import type { AuditRow } from '@kawal/contract/audit.ts'

/** What came of it: refused (401, 403), failed, done, or never written down. Of a command its exit code, of a mail SMTP's code. */
export function outcomeOf({ method, status }: Pick<AuditRow, 'method' | 'status'>): 'done' | 'refused' | 'failed' | 'unknown' {
  if (status === null) return 'unknown'
  if (method === 'CLI' || method === 'CLOCK') return status === 0 ? 'done' : 'failed'
  if (status === 401 || status === 403) return 'refused'
  return status < 400 ? 'done' : 'failed'
}
