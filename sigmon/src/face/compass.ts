interface Turned extends DeviceOrientationEvent {
  /** Safari: degrees clockwise from magnetic north. */
  readonly webkitCompassHeading?: number
}
type Asking = { requestPermission?(): Promise<'granted' | 'denied'> }

/** Safari asks, and only from a tap; others just tell. */
export const compassAsks = (): boolean => typeof (globalThis as { DeviceOrientationEvent?: Asking }).DeviceOrientationEvent?.requestPermission === 'function'

export const askCompass = async (): Promise<boolean> => (await (globalThis as { DeviceOrientationEvent?: Asking }).DeviceOrientationEvent?.requestPermission?.().catch(() => 'denied')) === 'granted'

/**
 * Tells where the top of the phone points, degrees clockwise from north. `alpha` of the W3C's absolute
 * orientation counts the other way round. Relative orientation has no north, and is left alone.
 */
export function followCompass(told: (heading_deg: number) => void): () => void {
  const read = (event: Event): void => {
    const { webkitCompassHeading, absolute, alpha } = event as Turned
    if (typeof webkitCompassHeading === 'number') return told(webkitCompassHeading)
    if (absolute && alpha !== null) told((360 - alpha + (screen.orientation?.angle ?? 0)) % 360)
  }
  const names = ['deviceorientationabsolute', 'deviceorientation'] as const
  for (const name of names) addEventListener(name, read)
  return () => names.forEach((name) => removeEventListener(name, read))
}
