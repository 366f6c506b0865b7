import type { Contest, DeadlineRule } from './deadline.ts'
import type { Weights } from './impact.ts'

/** Everything that a deployment may set. */
export interface ImpactSettings {
  readonly weights: Weights
  readonly contests: readonly Contest[]
}

/**
 * Engineering defaults of ours, in points: no standard says what a polling station's network is worth. One station that
 * cannot send at all is 10, and everything else is said in terms of it.
 */
const weights: Weights = {
  stations_without_alternative: 10,
  // not known is nearer to none than to one: nobody may rely on it
  stations_alternative_unknown: 6,
  // another SIM or phone has to be found
  stations_with_alternative: 2,
  voters_thousand: 2,
  // a station of 2024 had 250 voters on the mean (204.8 million in 820,161): unknown ranks as that, not as none
  stations_voters_unknown: 0.5,
  // five contests make as much as a station and a half without a way out
  recaps_unsent: 3,
  // five contests on the general election's day, of which half may be sent
  stations_recaps_unknown: 7.5,
  // on its deadline a station that cannot send counts twice
  urgency: 10,
  degraded: -0.4,
  suspected: -0.5,
  recovering: -0.5,
}

const ours = 'engineering default of ours: no standard sets it'
const hours = (law: string): DeadlineRule[] => [
  { name: 'voting_starts', at: '07:00', daysAfter: 0, riseMin: 120, share: 0.3, citation: `${law}; the rise and the share: ${ours}` },
  { name: 'voting_ends', at: '13:00', daysAfter: 0, riseMin: 180, share: 0.5, citation: `${law}; the count begins straight after; the rise and the share: ${ours}` },
  { name: 'recaps_due', at: '20:00', daysAfter: 0, riseMin: 420, share: 1, citation: `${ours}; in February 2024 the busiest hour of first uploads was 19 to 20 h` },
]
const countEnds: DeadlineRule = {
  name: 'count_ends', at: '12:00', daysAfter: 1, riseMin: 720, share: 1,
  citation: `UU 7/2017 art. 383(2) as read by MK 20/PUU-XVII/2019: at most 12 hours from the end of the day of voting; the rise and the share: ${ours}`,
}

/** A contest of the general election's hours on a day: for a rehearsal, and the first of the defaults. */
export const contestOn = (day: string, citation: string): Contest => ({ day, citation, late: [], deadlines: [...hours('07:00 to 13:00 local: PKPU 25/2023'), countEnds] })

export const impactDefaults: ImpactSettings = {
  weights,
  contests: [
    contestOn('2024-02-14', 'Keputusan KPU 21/2022: day of voting of the general election'),
    { day: '2024-11-27', citation: 'PKPU 2/2024: day of voting of the regional elections', late: [], deadlines: hours('07:00 to 13:00 local: PKPU 17/2024') },
  ],
}
