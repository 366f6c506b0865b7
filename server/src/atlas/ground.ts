import type { Ground } from '@kawal/core/atlas/claim.ts'
import { naturalEarth, registeredIslands } from '../register/land.ts'

let read: Ground | undefined

/** The map that areas and sites are held against: read once a process, which takes some 0.5 s. */
export function loadGround(): Ground {
  return (read ??= { ...naturalEarth(), islands: registeredIslands().sort((a, b) => a.latitude - b.latitude) })
}
