import { Type, type Static } from 'typebox'

/** Witnesses of the logs that this server keeps (docs/operating/witness.md). */

const Timestamp = Type.String({ format: 'date-time' })
const orNull = <T extends ReturnType<typeof Type.String> | ReturnType<typeof Type.Integer>>(schema: T, description: string) => Type.Union([schema, Type.Null()], { description })

const witnessErrors = ['unreachable', 'timeout', 'unknown_log', 'overloaded', 'answer_wrong', 'signature_wrong', 'ahead', 'fork'] as const

const WitnessRow = Type.Object({
  name: Type.String({ description: 'in the policy' }),
  key: Type.String({ description: 'NAME+ID+KEY' }),
  url: Type.String(),
  size: orNull(Type.Integer({ minimum: 0 }), 'entries that it has seen; null: it has not said'),
  behind: orNull(Type.Integer({ minimum: 0 }), 'entries that it has not seen yet'),
  cosignedAt: orNull(Timestamp, 'when it cosigned last; null: not since the server started'),
  askedAt: orNull(Timestamp, 'when it was asked last'),
  error: Type.Union([Type.Object({
    code: Type.Enum([...witnessErrors], { description: 'ahead: it has seen more than the log has; fork: it has seen another history. Both say that the log is not what it was' }),
    since: Timestamp, detail: Type.String(),
  }), Type.Null()]),
})
export type WitnessRow = Static<typeof WitnessRow>

const WitnessedLog = Type.Object({
  origin: Type.String(),
  key: Type.String({ description: 'of the log, NAME+ID+KEY' }),
  size: Type.Integer({ minimum: 0, description: 'entries of its newest checkpoint' }),
  policy: orNull(Type.String(), 'whom to believe, as C2SP tlog-policy (spec/ledger.md); null: no witnesses are asked'),
  witnessed: Type.Union([Type.Object({ size: Type.Integer({ minimum: 1 }), at: Timestamp }), Type.Null()], { description: 'the newest checkpoint that a quorum has seen, and since when; null: none yet' }),
  witnesses: Type.Array(WitnessRow),
})
export type WitnessedLog = Static<typeof WitnessedLog>

/** `GET /v1/ledger/witnesses`. */
export const WitnessedLogs = Type.Object({ now: Timestamp, logs: Type.Array(WitnessedLog) })
export type WitnessedLogs = Static<typeof WitnessedLogs>
