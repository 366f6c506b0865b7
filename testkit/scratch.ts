import { existsSync, mkdtempSync, statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const memory = '/dev/shm'
/** Several databases at once, and what else runs needs memory too. */
const room_bytes_min = 4 * 1024 ** 3
/** The folder that `npm test` deletes at its end, with what a test that was cut off left there. */
const run = 'KAWAL_TEST_SCRATCH'

/**
 * A new folder for a database that is thrown away: in memory where there is room, else on the disk. A data folder is
 * 1,500 files; to make and delete them on a disk for every test file took more time than most of the tests. Not for a
 * test of what outlives a crash or of how long a disk takes: those have theirs on the disk.
 */
export function scratch(name: string): string {
  const wanted = process.env[run] ?? memory
  const room = existsSync(wanted) ? statfsSync(wanted) : null
  return mkdtempSync(join(room !== null && room.bavail * room.bsize >= room_bytes_min ? wanted : tmpdir(), `kawal-${name}-`))
}

/** The folder of a whole run: what is thrown away from now on, here and in the processes that are started, lies below it. */
export function scratchOfRun(): string {
  const folder = scratch('tests')
  process.env[run] = folder
  return folder
}
