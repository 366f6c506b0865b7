import type { RadioReading } from '@kawal/core/measurement/radio-reading.ts'

type Cell = RadioReading['slots'][number]['cells'][number]

/** Older values are of another place or another hour; as in core/measurement/radio-reading.ts. */
const age_ms_max = 120_000
export const isStale = ({ ageMs }: Pick<Cell, 'ageMs'>): boolean => ageMs === null || ageMs > age_ms_max

/** PLMN codes of Indonesia's operators, as in its own numbering plan. */
const operators: Readonly<Record<string, string>> = {
  '51001': 'Indosat', '51021': 'Indosat', '51089': 'Tri (Indosat)', '51010': 'Telkomsel', '51011': 'XL', '51008': 'AXIS', '51009': 'Smartfren', '51028': 'Smartfren',
}
export const operatorOf = (plmn: string): string => operators[plmn] ?? plmn

/** Of a cell, as they are written in its technology. */
export function valuesOf(cell: Cell): readonly { readonly name: string; readonly value: number; readonly unit: 'dBm' | 'dB'; readonly is: 'good' | 'below' | 'nonsense' }[] {
  const all = [['RSRP', 'rsrpDbm'], ['RSRQ', 'rsrqDb'], ['SINR', 'sinrDb'], ['RSCP', 'rscpDbm'], ['Ec/No', 'ecioDb'], ['RSSI', 'rssiDbm']] as const
  return all.flatMap(([name, field]) => {
    const value = cell[field]
    if (value === null) return []
    return [{ name, value, unit: field.endsWith('Dbm') ? 'dBm' : 'dB', is: cell.invalid.includes(field) ? 'nonsense' : cell.censored[field] === 'below' ? 'below' : 'good' }] as const
  })
}
