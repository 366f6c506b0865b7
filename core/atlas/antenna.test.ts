import assert from 'node:assert/strict'
import { test } from 'node:test'
import { beamwidthDefault_deg, sectorGain_db } from './antenna.ts'

const sector = { azimuth_deg: 350, beamwidth_deg: beamwidthDefault_deg, tilt_deg: 6 }

test('the pattern of TR 36.814: half power at half the beamwidth, 25 dB to the back, 20 dB above and below', () => {
  assert.equal(sectorGain_db(sector, 350, 6) + 0, 0)
  assert.equal(sectorGain_db(sector, 25, 6), -3)
  assert.equal(sectorGain_db(sector, 315, 6), -3)
  assert.equal(sectorGain_db(sector, -45, 6), -3)
  assert.equal(sectorGain_db(sector, 170, 6), -25)
  assert.equal(sectorGain_db(sector, 350, 1), -3)
  assert.equal(sectorGain_db(sector, 350, -80), -20)
  assert.equal(sectorGain_db(sector, 25, 1), -6)
  assert.equal(sectorGain_db(sector, 170, -80), -25)
})

test('where the azimuth is not known nothing is taken off', () => {
  assert.equal(sectorGain_db({ ...sector, azimuth_deg: NaN }, 123, 45), 0)
})
