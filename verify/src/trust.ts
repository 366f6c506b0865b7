import { readLogKeys, readPolicy, type Policy } from '@kawal/core/ledger/policy.ts'
import { ok } from '@kawal/core/kernel/result.ts'
import { sha256 } from './cryptography.ts'

/** Whom a page believes that nobody has told. */
export const nobody: Policy = { logs: [], witnesses: [], groups: [], quorum: null }

/** A policy as a text, or keys of logs alone, one a line; nothing for nobody. */
export function readTrust(text: string): ReturnType<typeof readPolicy> {
  if (text.trim() === '') return ok(nobody)
  const whole = text.endsWith('\n') ? text : `${text}\n`
  if (/^[ \t]*quorum[ \t]/m.test(whole)) return readPolicy(whole, sha256)
  const logs = readLogKeys(whole, sha256)
  return logs.ok ? ok({ ...nobody, logs: logs.value.map((key) => ({ key, url: null })) }) : logs
}
