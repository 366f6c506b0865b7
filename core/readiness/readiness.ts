/**
 * How ready a station's place is to send: a two or more operators, b one, c perhaps or only 2G, d blank
 * with an access point assigned, e blank with none in reach; unknown where nothing is known, which is
 * never folded into another.
 */
export const readinessClasses = ['a', 'b', 'c', 'd', 'e', 'unknown'] as const
export type ReadinessClass = (typeof readinessClasses)[number]

/** Why a station has its class. */
export const readinessReasons = [
  'two_usable', 'one_usable', 'perhaps', 'only_2g', 'blank_with_point', 'blank_no_point', 'blank_no_capacity',
  /** Some operators are known not to reach it; of the others nothing is known. */
  'partly_known',
  /** No operator's coverage is known here. */
  'no_evidence',
  /** Neither the station nor its village has a position. */
  'no_position',
] as const
export type ReadinessReason = (typeof readinessReasons)[number]

/** KPU's four words for an operator's signal at a station, and the fifth for what nobody knows. */
export const signalWords = ['kuat', 'sedang', 'lemah', 'tidak_ada', 'tanpa_data'] as const
export type SignalWord = (typeof signalWords)[number]

/** Limits of one contest, in force from a day on. Shares are P(usable). */
export interface Thresholds {
  readonly valid_from: string
  readonly citation: string
  /** From here on an operator counts as usable (classes a and b). */
  readonly usable: number
  /** From here on a place is worth trying (class c). */
  readonly perhaps: number
  /** Least shares of the words kuat, sedang and lemah. */
  readonly words: readonly [kuat: number, sedang: number, lemah: number]
  /** Of a village's area, how much must be known before it is judged. */
  readonly known_area_share: number
  /** A better spot is looked for this far away, on foot, and a covered place this far, by any means. */
  readonly spot_km: number
  readonly place_km: number
  /** Voters a station has at most in this contest, as KPU announced it. */
  readonly voters_per_station_max: number
}

const classes = 'classes at 0.9 and 0.5: engineering defaults of ours, since no numeric standard of mobile data quality in Indonesia could be found; KPU grades signal in four words without figures'
/** Dated configuration: the newest on or before the day holds. */
const thresholdVersions: readonly Thresholds[] = [
  {
    valid_from: '2023-01-01', citation: `${classes}; at most 300 voters a station in the general election of February 2024`,
    usable: 0.9, perhaps: 0.5, words: [0.9, 0.7, 0.3], known_area_share: 0.5, spot_km: 1, place_km: 50, voters_per_station_max: 300,
  },
  {
    valid_from: '2024-03-01', citation: `${classes}; at most 600 voters a station in the regional elections of November 2024`,
    usable: 0.9, perhaps: 0.5, words: [0.9, 0.7, 0.3], known_area_share: 0.5, spot_km: 1, place_km: 50, voters_per_station_max: 600,
  },
]

/** @param day YYYY-MM-DD; before the first version the first holds */
export function thresholdsOn(day: string): Thresholds {
  const [first, ...later] = thresholdVersions
  return later.reduce((held, version) => (version.valid_from <= day ? version : held), first as Thresholds)
}

/** @param usable P(usable), or null where nothing is known */
export function signalWord(usable: number | null, thresholds: Thresholds): SignalWord {
  if (usable === null) return 'tanpa_data'
  const [kuat, sedang, lemah] = thresholds.words
  return usable >= kuat ? 'kuat' : usable >= sedang ? 'sedang' : usable >= lemah ? 'lemah' : 'tidak_ada'
}
