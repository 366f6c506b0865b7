/** Why a row was not taken (reject), or was taken with a remark (warning). Codes are stable. */
export const reasons = {
  unreadable_row: 'the row could not be read as CSV or GeoJSON',
  bad_code: 'the code is not one of this level',
  bad_level: 'the level is none of province, regency, district, village, or not the one its code has',
  unknown_parent: 'the region above is not in the register',
  unknown_village: 'the village is not in the register',
  duplicate_code: 'the code was seen before',
  duplicate_id: 'the identifier was seen before for another place: kept under a longer one',
  missing_name: 'the name is missing',
  bad_number: 'a number cannot be read, or is impossible',
  bad_date: 'a date is not a calendar date written YYYY-MM-DD',
  bad_kind: 'the kind is not known',
  bad_network: 'the address block or its number cannot be read',
  network_unowned: 'no organisation is known for this AS number: reports from the block are told by their SIM alone',
  network_without_block: 'no address block is known for this AS number: no report can be told by it',
  no_zone: 'no time zone is known for such a province',
  no_station_numbers: 'the village has no row with station numbers',
  special_stations: 'the village has special stations, numbered 901 and up',
  station_unlisted: "the station's number is not among its village's numbers",
  position_unknown: 'there is no position',
  position_by_name: 'the position was found by name alone',
  position_outside_polygon: "the position lies outside the village's own polygon",
  position_out_of_range: 'the position is not in Indonesia: not taken',
  position_shared: 'another village has exactly this position',
  position_in_sea: 'the position is in the sea: more than 5 km from the shore (Natural Earth 10m) and 3 km from a registered island',
  position_abroad: 'the position is on the land of a neighbouring country',
  position_other_regency: 'the position is among villages of another regency',
  village_moved: 'the position is more than 5 km from the version before',
  code_changed: 'a village of this name and place had another code in the version before',
  unused_columns: 'these columns are not used: nothing of them is kept',
  unknown_file: 'no kind of register has such a header',
} as const
export type Reason = keyof typeof reasons

export interface Issue {
  readonly severity: 'warning' | 'reject'
  readonly reason: Reason
  /** What was read, or what it was compared with. */
  readonly detail: string
}

export function warn(reason: Reason, detail = ''): Issue {
  return { severity: 'warning', reason, detail }
}

export function reject(reason: Reason, detail = ''): Issue {
  return { severity: 'reject', reason, detail }
}
