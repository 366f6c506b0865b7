/** A fault takes at least this share of the devices it reaches; less is a bad hour. */
const share_min = 0.4
/** Of everybody's devices a power cut takes at first only those whose tower has no battery. */
const share_min_all = 0.25
const share_max = 0.97
/** Goodbyes that are lost for each that is heard: three in ten on their way, and some phones die without one. */
const lost_per_goodbye = 0.5

/** Where so many of everybody's devices said goodbye, of late or somewhat before, they leave together, and a silence is no habit's. */
const leaving_min = 0.1
/** Of those who leave, by chance so many times more goodbyes are lost. */
const lost_spread = 1.35

/**
 * Nats by which a fault explains the devices of a place better than a usual hour does.
 *
 * Usual: each device breaks its promise by its own habit times a factor that all at the place share; a beta distribution
 * of what that comes to is integrated out (a beta-binomial null, overdispersed as crowds are). Fault: each
 * device is hit with one and the same share, at least two fifths; the share is the likeliest, and half a log of the devices
 * is paid for choosing it (Schwarz 1978). Usual silences and usual bad reports are told apart by the habits; of a fault
 * some part of those hit are silent and the others report badly: the likeliest part.
 * @param habits broken promises and bad reports that the devices' own habits make likely; `logs` the sum of the logarithms
 * of the habits of those hit, nats; `bad` of the hits report badly, the others are silent; `leaving` goodbyes heard there, as a share of everybody's devices; `earlier`
 * those of before
 * @param shape and `rate`: what is usual there, broken promises over what habits explain, as a gamma distribution
 */
export function faultScore(devices: number, hits: number, habits: number, logs: number, bad: number, leaving: number, earlier: number, shape: number, rate: number, isEverybody: boolean): number {
  const least = isEverybody ? share_min_all : share_min
  if (hits < least * devices) return 0
  // Goodbyes that were heard tell of some that were not: whoever is silent there may have gone home, like the others.
  const usually = (habits * shape) / (rate * devices) + lost_per_goodbye * leaving
  const mean = Math.min(0.9, usually)
  if (hits <= mean * devices) return 0
  const share = Math.min(share_max, Math.max(least, hits / devices))
  const ways = shared(bad, hits) + shared(hits - bad, hits)
  const fault = hits * Math.log(share) + (devices - hits) * Math.log(1 - share) + ways - 0.5 * Math.log(devices)
  const a = Math.max(0.3, shape * (1 - mean) - mean)
  const b = (a * (1 - mean)) / mean
  const usual = logs - hits * Math.log(habits / devices) + logBeta(a + hits, b + devices - hits) - logBeta(a, b)
  if (leaving + earlier < leaving_min) return fault - usual
  // Who was heard to leave may have left the window, and others who left then are silent in it.
  const lost = Math.min(0.9, lost_spread * (usually + lost_per_goodbye * earlier), Math.max(usually, hits / devices))
  return fault - Math.max(usual, hits * Math.log(lost) + (devices - hits) * Math.log(1 - lost) + ways)
}

const shared = (some: number, all: number): number => (some === 0 ? 0 : some * Math.log(some / all))

const logBeta = (a: number, b: number): number => logGamma(a) + logGamma(b) - logGamma(a + b)

/** A charger that is on goes off by itself between two reports so often; in a power cut all do. */
const unplugs = { usually: 0.09, in_a_cut: 0.95 }
const chargers_min = -2
const chargers_max = 9

/**
 * Nats by which a power cut explains chargers better than a usual hour does.
 * @param unplugged chargers that went off, `plugged` those on, of phones that were heard
 */
export function chargerScore(unplugged: number, plugged: number): number {
  const nats = unplugged * Math.log(unplugs.in_a_cut / unplugs.usually) + plugged * Math.log((1 - unplugs.in_a_cut) / (1 - unplugs.usually))
  return Math.max(chargers_min, Math.min(chargers_max, nats))
}

/** Natural logarithm of the gamma function for x > 0, by Stirling's series after a shift to 7 or more; relative error under 1e-10. */
export function logGamma(x: number): number {
  // One logarithm of the product: seven of its factors are most of a scan's time.
  let shift = 1
  let at = x
  while (at < 7) {
    shift *= at
    at++
  }
  const inverse = 1 / at
  const square = inverse * inverse
  return (at - 0.5) * Math.log(at) - at + 0.918938533204672742 + inverse * (1 / 12 - square * (1 / 360 - square * (1 / 1260 - square / 1680))) - Math.log(shift)
}
