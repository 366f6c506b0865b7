import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Facts } from '@kawal/core/act/deed.ts'

const root = join(import.meta.dirname, '../../..')

/** What decides how an area and its phones are treated, by folder: thresholds of detection stand in the program, and so does the page that phones run. */
const parts = {
  detection: ['core/detection', 'core/measurement', 'server/src/detection', 'server/src/measurement', 'server/src/journal'],
  phones: ['sigmon/dist', 'server/src/sigmon', 'server/src/ndt'],
  tickets: ['core/impact', 'core/ticket', 'server/src/impact', 'server/src/ticket'],
  access: ['core/readiness', 'core/access', 'core/siting', 'server/src/readiness', 'server/src/access', 'server/src/siting'],
  recaps: ['core/recap', 'server/src/recap'],
  acts: ['core/act', 'core/organisation', 'server/src/act', 'server/src/organisation'],
  all: ['core', 'contract', 'server/src', 'server/migrations', 'sigmon/dist', 'console/dist'],
} as const

/** SHA-256 over the files of each part, as they lie on this machine: `code.detection` and so on. Whoever has the same files has the same hashes. */
export function programFacts(): Facts {
  const hashes = new Map<string, string>()
  const hashOf = (folder: string): string => {
    const lines = filesIn(folder).map((path) => {
      const known = hashes.get(path) ?? createHash('sha256').update(readFileSync(join(root, path))).digest('hex')
      hashes.set(path, known)
      return `${known}  ${path}\n`
    })
    return lines.join('')
  }
  return Object.fromEntries(Object.entries(parts).map(([part, folders]) => [`code.${part}`, createHash('sha256').update(folders.map(hashOf).join('')).digest('hex')]))
}

/** Paths below the root, in the order of their bytes; tests are no part of what runs. */
function filesIn(folder: string): string[] {
  let names: string[]
  try {
    names = readdirSync(join(root, folder), { recursive: true, withFileTypes: true }).filter((each) => each.isFile()).map((each) => join(each.parentPath, each.name).slice(root.length + 1))
  } catch {
    return []
  }
  return names.filter((path) => !/\.test\.ts$|\/node_modules\//.test(path)).sort()
}
