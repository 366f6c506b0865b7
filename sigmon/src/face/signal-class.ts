/** RTR Austria's classes of RSRP, dBm: netztest.at; a default of ours, as the ministry has set none. */
const classes = [['strong', -85], ['fair', -95], ['weak', -111], ['poor', -Infinity]] as const
/** @param dbm RSRP of LTE, SS-RSRP of NR: other technologies have no such classes here */
export const classOf = (dbm: number): (typeof classes)[number][0] => (classes.find(([, from]) => dbm >= from) ?? classes[3])[0]
