import type { AuditRow } from '@kawal/contract/audit.ts'

/** What was done, by method and address: the first that fits. What none fits is shown as it was asked. */
const deeds = [
  ['POST', /^\/v1\/session/, 'logIn'], ['DELETE', /^\/v1\/session$/, 'logOut'], ['DELETE', /^\/v1\/sessions\//, 'endSession'],
  ['POST', /^\/v1\/passkeys$/, 'addPasskey'], ['DELETE', /^\/v1\/passkeys\//, 'removePasskey'], ['POST', /^\/v1\/push$/, 'subscribe'], ['DELETE', /^\/v1\/push\//, 'unsubscribe'],
  ['POST', /^\/v1\/disturbances\/.+\/comments$/, 'comment'],
  ['POST', /^\/v1\/keys$/, 'makeKey'], ['DELETE', /^\/v1\/keys\//, 'revokeKey'],
  ['POST', /^\/v1\/contacts$/, 'addContact'], ['DELETE', /^\/v1\/contacts\//, 'removeContact'],
  ['POST', /^\/v1\/announcements$/, 'announce'], ['POST', /^\/v1\/announcements\/.+\/acknowledge$/, 'readAnnouncement'],
  ['POST', /^\/v1\/planned-work/, 'planWork'], ['PATCH', /^\/v1\/planned-work/, 'changeWork'], ['DELETE', /^\/v1\/planned-work/, 'withdrawWork'],
  ['POST', /\/troubleTicket\/v\d\/hub|\/troubleTicketManagement\/.*hub/i, 'listen'], ['DELETE', /\/troubleTicket\/.*hub/i, 'unlisten'],
  ['POST', /^\/v1\/disturbances\/.+\/ticket$|\/troubleTicket$/i, 'openTicket'], ['PATCH', /\/troubleTicket\//i, 'changeTicket'], ['POST', /^\/t\//, 'answerByLink'],
  ['MAIL', /./, 'answerByMail'], ['PEER', /./, 'answerByPeer'], ['CLI', /./, 'command'],
] as const
export type Deed = (typeof deeds)[number][2]

/** @returns null for what has no word of its own */
export function deedOf({ method, path }: Pick<AuditRow, 'method' | 'path'>): Deed | null {
  return deeds.find(([verb, pattern]) => verb === method && pattern.test(path))?.[2] ?? null
}

/** What came of it: refused (401, 403), failed, done, or never written down. Of a command its exit code, of a mail SMTP's code. */
export function outcomeOf({ method, status }: Pick<AuditRow, 'method' | 'status'>): 'done' | 'refused' | 'failed' | 'unknown' {
  if (status === null) return 'unknown'
  if (method === 'CLI') return status === 0 ? 'done' : 'failed'
  if (status === 401 || status === 403) return 'refused'
  return status < 400 ? 'done' : 'failed'
}
