/** A sector of a site. Where the azimuth is not known (NaN) the antenna counts as omnidirectional. */
export interface Sector {
  /** Clockwise from north, in degrees. */
  readonly azimuth_deg: number
  /** Horizontal beamwidth to half power. */
  readonly beamwidth_deg: number
  /** Downtilt of the main beam, electrical and mechanical together. */
  readonly tilt_deg: number
}

/** 3GPP TR 36.814 V9.2.0, table A.2.1.1-2: an antenna of three sectors at a macro site. */
export const beamwidthDefault_deg = 70
const frontToBack_db = 25
const verticalBeamwidth_deg = 10
const sideLobe_db = 20

/**
 * Gain relative to the main beam in dB, 0 or below (3GPP TR 36.814 V9.2.0, table A.2.1.1-2, "combining
 * method in 3D antenna pattern").
 * @param bearing_deg of the receiver as seen from the site, clockwise from north
 * @param depression_deg of the receiver below the site's horizontal
 */
export function sectorGain_db(sector: Sector, bearing_deg: number, depression_deg: number): number {
  if (Number.isNaN(sector.azimuth_deg)) return 0
  const turned = (((bearing_deg - sector.azimuth_deg) % 360) + 540) % 360 - 180
  const horizontal_db = Math.min(12 * (turned / sector.beamwidth_deg) ** 2, frontToBack_db)
  const vertical_db = Math.min(12 * ((depression_deg - sector.tilt_deg) / verticalBeamwidth_deg) ** 2, sideLobe_db)
  return -Math.min(horizontal_db + vertical_db, frontToBack_db)
}
