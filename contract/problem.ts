import { Type, type Static } from 'typebox'

/** RFC 9457, with a stable `code` that programs may rely on. */
export const Problem = Type.Object({
  type: Type.String(),
  title: Type.String(),
  status: Type.Integer(),
  code: Type.String(),
  detail: Type.String(),
})
export type Problem = Static<typeof Problem>

/**
 * The catalogue: code -> [HTTP status, title]. A code is never changed and never used again for
 * something else; the detail says what, where and how to mend it.
 */
export const problems = {
  body_invalid: [400, 'The request does not have the form that this address takes'],
  recap_unreadable: [400, 'These bytes are no signed record'],
  finding_unreadable: [400, 'These bytes are no signed finding'],
  session_missing: [401, 'Log in first'],
  link_spent: [401, 'This log-in link was used already, or its time is over'],
  ceremony_over: [401, 'This log-in is over'],
  passkey_refused: [401, 'This passkey does not open anything here'],
  provider_refused: [401, 'The provider did not vouch for you'],
  device_unknown: [401, 'This device is not enrolled here'],
  token_invalid: [401, 'This token is missing, over or used'],
  code_wrong: [403, 'The code does not belong to this station'],
  proof_wrong: [403, 'The signature does not show that the phone holds its key'],
  signature_wrong: [403, 'No key that is known signed this'],
  not_allowed: [403, 'Your role does not allow this'],
  person_refused: [403, 'You have no access here'],
  not_found: [404, 'There is no such thing, or it is not yours to see'],
  station_unknown: [404, 'There is no such station in the register'],
  role_other: [409, 'This phone has another role at the station'],
  station_full: [409, 'The station has as many devices as it may have'],
  not_offered: [405, 'The standard has this, and this installation does not offer it'],
  key_missing: [409, 'The key that signed is not known'],
  state_conflict: [409, 'The present state does not allow this'],
  too_many_problems: [409, 'The phone has reported as many problems as it may in a day'],
  offset_conflict: [409, 'The server has other bytes of it than those before these'],
  photo_unexpected: [409, 'No list of photos names this one'],
  version_conflict: [412, 'Somebody else changed it meanwhile'],
  tus_version: [412, 'Uploads are of version 1.0.0 of tus'],
  too_large: [413, 'The request is too large'],
  upload_locked: [423, 'Bytes of it are on the way already'],
  too_many_attempts: [429, 'Too many attempts'],
  overloaded: [429, 'More reports than can be kept safely just now'],
  too_many_alarms: [429, 'More alarms than one organisation may send just now'],
  photo_other: [460, 'The bytes are not those that the hash names'],
  fault: [500, 'The fault is ours'],
  provider_silent: [502, 'The provider of your log-in does not answer'],
  no_slot: [503, 'No place for a full test just now'],
  not_ready: [503, 'Not ready yet'],
  alarms_wait: [503, 'Alarms wait to be kept: send them again'],
  storage_full: [507, 'There is no room to keep it'],
} as const satisfies Record<string, readonly [number, string]>
export type ProblemCode = keyof typeof problems

export function problem(code: ProblemCode, detail: string): Problem {
  const [status, title] = problems[code]
  return { type: `urn:kawal:problem:${code}`, title, status, code, detail }
}
