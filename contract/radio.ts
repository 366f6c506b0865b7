import { Type, type Static } from 'typebox'
import { Timestamp } from './report.ts'

/** What a platform hands over of its radio: see spec/radio-bridge.md. Every value is a number, or null for unknown. */
const nullable = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) => Type.Union([schema, Type.Null()])
const level = (description: string) => nullable(Type.Number({ description }))
const identity = (description: string) => nullable(Type.Integer({ minimum: 0, description }))
const Plmn = Type.String({ pattern: '^[0-9]{5,6}$', description: 'MCC, then MNC' })

const RadioCell = Type.Object({
  registered: nullable(Type.Boolean({ description: 'the slot is registered in this cell' })),
  secondary: Type.Optional(nullable(Type.Boolean({ description: 'carries data beside the registered one: NR of EN-DC, a further carrier' }))),
  technology: Type.Enum(['gsm', 'umts', 'lte', 'nr']),
  rsrpDbm: level('LTE RSRP, NR SS-RSRP'), rsrqDb: level('LTE RSRQ, NR SS-RSRQ'), sinrDb: level('LTE SINR (Android: RSSNR), NR SS-SINR'),
  rscpDbm: level('UMTS'), ecioDb: level('UMTS Ec/No'), rssiDbm: level('GSM RXLEV; elsewhere the whole received power'),
  tac: identity('tracking area, LTE and NR'), lac: identity('location area, GSM and UMTS'), cellId: identity('CID, CI or NCI'),
  pci: identity('physical cell, PSC in UMTS, BSIC in GSM'), channel: identity('ARFCN, UARFCN, EARFCN, NR-ARFCN'),
  ageMs: nullable(Type.Integer({ minimum: 0, description: 'age of the values at readAt' })),
  censored: Type.Optional(Type.Record(Type.String(), Type.Enum(['below', 'above']), { description: 'values that stand at an end of their scale: the true one lies beyond' })),
  invalid: Type.Optional(Type.Array(Type.String(), { description: 'names of values that are kept as they came and cannot be' })),
})

export const RadioReading = Type.Object({
  readAt: Timestamp,
  source: Type.Enum(['android', 'modem', 'at', 'officer']),
  platform: Type.Optional(nullable(Type.String({ maxLength: 64, description: 'as `android 14` or `ModemManager 1.20.4`; no serial number' }))),
  airplane: nullable(Type.Boolean()),
  mockLocation: nullable(Type.Boolean({ description: 'an app makes up positions' })),
  gap: Type.Optional(nullable(Type.Enum(['permission', 'location_off', 'no_sim', 'no_modem', 'modem_off', 'no_answer'], { description: 'why there are no values' }))),
  bars: Type.Optional(nullable(Type.Integer({ minimum: 0, maximum: 4, description: 'what the officer sees; never turned into dBm' }))),
  slots: Type.Array(Type.Object({
    slot: Type.Integer({ minimum: 0, maximum: 9 }),
    dataSim: nullable(Type.Boolean({ description: 'this SIM carries mobile data' })),
    plmn: nullable(Plmn),
    simPlmn: Type.Optional(nullable(Plmn)),
    cells: Type.Array(RadioCell, { maxItems: 32 }),
  }), { maxItems: 4 }),
})

export type RadioReading = Static<typeof RadioReading>
