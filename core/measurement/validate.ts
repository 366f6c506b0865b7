type Range = readonly [number, number]

/** Valid ranges: 3GPP TS 36.133 and 38.133, Android's documentation, ETSI TS 127 007. */
const ranges: Readonly<Record<string, Readonly<Record<string, Range>>>> = {
  lte: { rsrpDbm: [-140, -43], rsrqDb: [-34, 3], sinrDb: [-20, 30] },
  nr: { rsrpDbm: [-156, -31], rsrqDb: [-43, 20], sinrDb: [-23, 40] },
  gsm: { rssiDbm: [-113, -51] },
  umts: { rssiDbm: [-120, -24] },
}

/** @returns the least and the most that a value of this name can be, or null where no range is known */
export function radioRange(technology: string, name: string): Range | null {
  return ranges[technology]?.[name] ?? null
}

/**
 * Holds radio values against the ranges of their technology. A value out of range is a fault of
 * whoever read it and is never clamped; null is unknown and is not a fault.
 * @returns what is wrong, or null
 */
export function radioFault(technology: string | null, radio: Readonly<Record<string, unknown>>): string | null {
  const valid = technology === null ? undefined : ranges[technology]
  for (const name of ['rsrpDbm', 'rsrqDb', 'sinrDb', 'rssiDbm']) {
    const value = radio[name]
    if (value === null || value === undefined) continue
    if (valid === undefined) return `${name} needs a technology`
    const range = valid[name]
    if (range === undefined) continue
    if (typeof value !== 'number' || !(value >= range[0] && value <= range[1])) return `${name} ${String(value)} is outside ${range[0]}..${range[1]} of ${technology}`
  }
  return null
}
