/** Reports that wait for the disk, and how many times less often devices then report. */
const steps = [[40_000, 8], [25_000, 4], [10_000, 2]] as const
/** Down again only after so long a calm: a load that swings would be a new configuration for every phone each time. */
const calm_ms = 10 * 60_000

/**
 * How often devices shall report, by how many reports wait: seven phones at one station need not all report at
 * their best pace. Up at once, down slowly. Receipts carry it to those that report, the configuration to the rest.
 */
export function createSteering({ clock, steer }: { readonly clock: () => number; readonly steer: (load: number) => void }): (waiting: number) => number {
  let load = 1
  let busyAt = -Infinity
  return (waiting) => {
    const now = clock()
    const wanted = steps.find(([from]) => waiting >= from)?.[1] ?? 1
    if (wanted >= load && wanted > 1) busyAt = now
    if (wanted > load || (wanted < load && now - busyAt >= calm_ms)) {
      load = wanted
      busyAt = now
      steer(load)
    }
    return load
  }
}
